"""One state machine per wire protocol: readers and writers for requests, answers, streams and errors.

A protocol room may use the canonical room and this folder's `contract` and `sse`; it knows no other protocol.
"""
