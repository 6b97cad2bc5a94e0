"""Links lead somewhere, code blocks parse, configurations load, commands exist; and the checks see what is broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.docs.pages import faults, files
from tools.docs.source import ROOT

PAGES = [path.relative_to(ROOT).as_posix() for path in files()]


@pytest.mark.parametrize("page", PAGES)
def test_the_page_holds(page: str) -> None:
    assert faults([ROOT / page]) == []


def test_the_pages_people_start_from_are_among_them() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/index.md", "docs/decisions/README.md"} <= set(PAGES)


def test_every_page_of_the_documentation_can_be_reached_from_the_index() -> None:
    """A page nobody links to is a page nobody finds."""
    index = "".join((ROOT / "docs" / page).read_text(encoding="utf-8") for page in ("index.md", "decisions/README.md"))
    rooms = ("tutorials", "how-to", "explanation", "decisions")
    pages = [path for room in rooms for path in (ROOT / "docs" / room).glob("*.md")]
    assert [path.name for path in pages if path.name not in index] == []


COMPLETE = """
```toml
[virtualrouter.providers.acme]
protocol = "openai-chat"
baseUrl = "https://api.acme.example/v1"
keys = {{ main = "${{ACME_API_KEY}}" }}
models = ["large"]

[virtualrouter.routing]
default = ["{target}"]
```
"""

BROKEN = {
    "a link that leads nowhere": ("[there](nowhere.md)", "the link nowhere.md leads nowhere"),
    "an anchor that is no heading": ("# Title\n\n[there](#elsewhere)", "has no heading #elsewhere"),
    "Python that does not parse": ("```python\ndef f(:\n```", "the python block does not parse"),
    "JSON that does not parse": ('```json\n{"a": }\n```', "the json block does not parse"),
    "TOML that does not parse": ("```toml\na = = 1\n```", "the toml block does not parse"),
    "a setting that does not exist": ("```toml\n[server]\nprot = 1\n```", 'Did you mean "port"?'),
    "a literal secret": (
        '```toml\n[virtualrouter.providers.a]\nprotocol = "openai-chat"\nkeys = { main = "sk-1" }\n```',
        "in the clear",
    ),
    "a target that is not configured": (COMPLETE.format(target="acme.huge"), 'lists no model "huge"'),
    "a profile with an unknown action": (
        '```toml profile\nname = "x"\n\n[[request]]\naction = "clam"\n```',
        "did you mean 'clamp'",
    ),
    "a command that does not exist": ("```sh\nroutecodex begin\n```", "there is no command routecodex begin"),
    "an option that does not exist": ("```sh\nroutecodex start --demon\n```", "has no option --demon"),
    "a session that does not exist": ("```sh\npython3 -m nox -s dmeo\n```", "there is no nox session dmeo"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_told(name: str, tmp_path: Path) -> None:
    text, message = BROKEN[name]
    page = tmp_path / "page.md"
    page.write_text(text + "\n")
    found = faults([page])
    assert len(found) == 1
    assert message in found[0]


def test_what_is_sound_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A title, with `code`\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[there](other.md#a-title-with-code) `[not](a-link)` [far](https://example.com/nowhere)\n"
        + COMPLETE.format(target="acme.large")
        + "```toml foreign\n[tool]\nx = 1\n```\n\n"
        + '```sh\neval "$(routecodex env claude)"\nroutecodex run codex -- --odd\n```\n'
    )
    assert faults([page]) == []
