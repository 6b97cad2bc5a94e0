"""Benchmarks: this gateway beside its peers, in one run, interleaved, on whole processes.

One core for the gateway under test, another for the load generator (wrk) and the nginx upstream, which writes every
chunk separately. The figure that counts is CPU per request of the whole process tree, read from /proc; ratios come from
medians over rounds in which every subject takes its turn. Nothing here is imported by the gateway or its tests.
"""
