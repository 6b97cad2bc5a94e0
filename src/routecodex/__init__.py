"""The host: sockets, files, clocks and processes around the pure shared module.

`cli` is a face, `app` orchestrates, `blocks` are capabilities, `providers` is Provider V2; `config` is what all of them
are told.
"""

__version__ = "0.1.0"
