"""Micro cases: one idea of the language each, with the adjacency list its call graph must have.

`cases/*.txt` hold the programs, `loading` reads them, `executing` runs one and says which calls really happened,
`measuring` compares an analysis with the lists: of these cases, or of any suite of folders with a `main.py` and a
`callgraph.json` (the layout of the public PyCG micro-benchmark, which is not part of this repository).
"""
