"""The must-pass matrix: every case of the specification, over every pair of protocols it names, in both modes.

`cases.py` is the table; `checks_*.py` say what a case asserts in one cell; `test_cells.py` runs every cell through a
listening gateway; `mutants.py` plants a bug per case and wants it caught; `carrying.py` is the table of what a target
can carry. The oracles here (SDKs, the strict fake upstream, `grammar.py`, `upstream_view.py`) know nothing of `src/`.
"""
