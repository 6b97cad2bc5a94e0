"""The command line as people run it: real processes, real files, real sockets."""
