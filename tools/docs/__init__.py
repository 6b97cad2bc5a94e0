"""Documentation from the code: reference pages, the recorded demo, and checks of what people wrote by hand.

`python -m tools.docs.reference` writes `docs/reference/` (`--check` only compares), `python -m tools.docs.pages`
checks every Markdown file, `python -m tools.docs.record_demo` records the terminal of the demo. Pages are made from
the tables the gateway itself runs on; what a table does not say is written here once, and a name here that the code
no longer knows is a fault.
"""
