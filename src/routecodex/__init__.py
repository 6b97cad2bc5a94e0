"""The host: sockets, files, clocks and processes around the pure shared module.

`app` orchestrates, `blocks` are capabilities, `providers` is Provider V2, `config` and `cli` are faces.
"""

__version__ = "0.1.0"
