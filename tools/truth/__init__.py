"""Truth at run time: what the gateway's tests really call must be in onepath's static graph.

`python -m tools.truth` runs the gateway's end-to-end suite (a real gateway behind real sockets and the command line,
see tests/matrix and tests/host), records which function of `src/` called which, and lays that beside the graph that
onepath reads from the text. It ends with 0 if at least 99.5 % of the executed edges are in the graph, every other one
has a cause, and none of them is on a way to the network or to a process.

`recording` watches calls, `children` does so in the processes that tests start, `naming` gives code objects the names
onepath uses, `judging` compares, `running` is the suite, reasons.toml says why an edge cannot be in the graph. Nothing
in here is imported by the gateway or by onepath.
"""
