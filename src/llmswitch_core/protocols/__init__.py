"""One state machine per wire protocol: readers and writers for requests, answers, streams and errors.

registry.py has a codec for each protocol, all of them after contract.py. A protocol room may use the canonical room and
this folder's modules other than the registry (`contract`, `sse`, `losses` and what else is shared); it knows no other
protocol.
"""
