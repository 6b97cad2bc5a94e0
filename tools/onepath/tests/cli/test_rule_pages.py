"""The rules' pages show what is so: each example is laid out and judged, and its evidence is what `lint` prints.

`python -m tests.cli.test_rule_pages` writes the evidence anew.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
import tempfile
from pathlib import Path
from typing import Final

import pytest

from onepath.cli import pages, run
from onepath.cli.pages import section

FOLDER: Final = Path(__file__).parents[2] / "src" / "onepath" / "rules" / "pages"
_BLOCK: Final = re.compile(r"```(toml|python)\n(.*?)```", re.DOTALL)
_SHOWN: Final = re.compile(r"```text\n(.*?)```", re.DOTALL)
WITHOUT: Final = frozenset({"OP010", "OP011"})
"""Their examples are switch tables and pages; tests/switches and tests/regions judge those."""


def _judged(page: str) -> str:
    """What `onepath lint` says of the example of a page."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        configuration = '[tool.onepath]\nroots = ["shop"]\ncache = ""\n\n'
        for language, body in _BLOCK.findall(section(page, "Example")):
            if language == "toml":
                configuration += body
                continue
            file = folder / body.partition("\n")[0].removeprefix("# ")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(body, encoding="utf-8")
        (folder / "pyproject.toml").write_text(configuration, encoding="utf-8")
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            run(["lint", "--config", str(folder / "pyproject.toml")])
        return said.getvalue()


def _told(rule: str) -> list[str]:
    return [one for one in pages.pages()[rule].split("\n") if one]


@pytest.mark.parametrize("rule", sorted(set(pages.pages()) - WITHOUT))
def test_the_evidence_is_what_lint_prints(rule: str) -> None:
    page = pages.pages()[rule]
    shown = _SHOWN.search(section(page, "Evidence"))
    assert shown is not None
    assert shown[1] == _judged(page)
    assert f"{rule} " in shown[1]


@pytest.mark.parametrize("rule", sorted(pages.pages()))
def test_every_page_says_what_why_example_evidence_and_how_to_fix(rule: str) -> None:
    titles = [line.removeprefix("## ") for line in _told(rule) if line.startswith("## ")]
    assert titles == ["Why", "What is checked", "Example", "Evidence", "How to fix"]


def main() -> None:
    """Writes the evidence anew."""
    for rule in sorted(set(pages.pages()) - WITHOUT):
        path = FOLDER / f"{rule}.md"
        page = path.read_text(encoding="utf-8")
        said = _judged(page)
        path.write_text(_SHOWN.sub(lambda _, said=said: f"```text\n{said}```", page, count=1), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
