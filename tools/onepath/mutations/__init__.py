"""The mutation check: does `onepath lint` see a bypass planted in this repository, and is it silent otherwise?

`editing` changes a copy of `src/` by names, `plants` are bypasses, `refactorings` are harmless changes, `check` applies
each to a copy, runs `onepath lint` on it and compares. Run it with `python -m mutations.check` from `tools/onepath/`.
"""
