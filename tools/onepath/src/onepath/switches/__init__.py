"""The switch matrix, read without running a line of it.

`sources` parses modules as they are asked for, `evaluating` computes a registry's expressions, `reading` turns them
into rows, `sides` asks whether a row's sides are there and fulfil their contract. What is wrong with a matrix is
judged by OP010; how it looks is the renderers' business.
"""

from onepath.switches.model import Matrix, Refusal, Row, Side, shown
from onepath.switches.reading import RegistryError, read_matrix
from onepath.switches.sources import Sources

__all__ = ["Matrix", "Refusal", "RegistryError", "Row", "Side", "Sources", "read_matrix", "shown"]
