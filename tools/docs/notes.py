"""The names of `x-routecodex-notes`: what each loss is called, whatever the protocols."""

from __future__ import annotations

from typing import Final

from tools.docs.text import code, table

from llmswitch_core.protocols.losses import FAMILIES, LOSSES

TITLE: Final = "Notes"
SOURCES: Final = ("src/llmswitch_core/protocols/losses.py", "src/llmswitch_core/protocols/contract.py")


def page() -> str:
    """The page's body."""
    return "\n\n".join(
        [
            (
                "`x-routecodex-notes` of an answer, and `notes` of its record, name what was not carried as it was: "
                "`name;how`, several with commas, each once, at most 64 and 1 KiB. `dropped`: the target has no place "
                "for it. `mapped`: it was sent in another form. `repaired`: the history was not legal for the target. "
                "A name means the same on every target; where one loss was both, `dropped` is told."
            ),
            "## Names",
            table(("name", "what it is"), [(code(name), LOSSES[name]) for name in sorted(LOSSES)]),
            "## Families",
            "The second half is what the request (or the answer) calls it.",
            table(("name", "what it is"), [(code(f"{name}.…"), FAMILIES[name]) for name in sorted(FAMILIES)]),
            (
                "A [compat profile](compat-profiles.md) of your own may give its rules a `note` in words of its own; "
                "the built-in ones use these."
            ),
        ]
    )
