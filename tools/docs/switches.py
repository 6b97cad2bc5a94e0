"""The switch table, and who wins when several set a value."""

from __future__ import annotations

from typing import Final

from tools.docs.text import code, table

from routecodex.app.switches import COMBINATIONS, FORCE_STABLE_VARIABLE, SWITCHES, Switch
from routecodex.config.compiled import SwitchValue

TITLE: Final = "Switches"
SOURCES: Final = ("src/routecodex/app/switches.py",)


def page() -> str:
    """The page's body."""
    rows = [
        (
            code(row.key),
            code(_shown(row.default)),
            ", ".join(code(_shown(value)) for value in row.values if value not in row.available) or "–",
            row.scope,
            row.effect,
            row.description,
        )
        for row in SWITCHES
    ]
    return "\n\n".join(
        [
            (
                "Every row stands under `architecture` in the configuration. A choice that is not there yet is refused "
                "by name when the configuration is read."
            ),
            table(("switch", "default", "not there yet", "scope", "takes effect", "what it decides"), rows),
            (
                "hot: read per request. drain: new requests take the new value, old ones end on the old one. restart: "
                "new workers on the same listener."
            ),
            "## The sides",
            *(_sides(row) for row in SWITCHES),
            "## Refused combinations",
            "\n".join(f"- {rule.explanation}" for rule in COMBINATIONS),
            "## Who wins",
            (
                "Highest first:\n\n"
                f"1. the sentinel file `run/force_stable` and {code(FORCE_STABLE_VARIABLE)}: keys separated by commas "
                "or blanks, `*` or `1` for all; the rows take their first side whatever else is set;\n"
                "2. a live override (`routecodex switch set`), until it is cleared or the file's value changes;\n"
                "3. the environment, such as `ROUTECODEX_ARCHITECTURE__HOSTBLOCKS__HTTPADAPTER=v1`;\n"
                "4. the configuration file;\n"
                "5. the default.\n\n"
                "How to see and change them: [switches](../how-to/switches.md), [rollback](../how-to/rollback.md)."
            ),
        ]
    )


def _sides(row: Switch) -> str:
    rows = []
    for value, told in row.sides.items():
        state = "here" if value in row.available else f"lands with {row.pending}"
        if () in row.values:
            state = "here" if value == () else f"lands with {row.pending}"
        rows.append((code(_shown(value)), told, code(row.symbols.get(value, "")), state))
    return f"### {code(row.key)}\n\n" + table(("value", "what it is", "built by", "state"), rows)


def _shown(value: SwitchValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(value) + "]"
    return value
