"""The bypass corpus: small applications that reach the network around the mandated nodes, and their innocent twins.

`techniques/` holds one file per technique, `base/` what all applications share, `labels.json` what happened when each
was run. `loading` reads and unfolds them, `running` executes them, `labelling` compares the two. Nothing in here
imports onepath but the tests.
"""
