"""The tutorial's replay shows what commands print, takes over files, and keeps everything else of the page."""

from __future__ import annotations

from pathlib import Path

from .tutorial import PAGE, blocks, replayed

SMALL = """# A page

```toml append=onepath.toml
roots = ["shop"]
cache = ""
```

```python append=shop/__init__.py
import socket


def send():
    socket.create_connection(("bank.example", 443))
```

```console
$ onepath why shop.send socket.create_connection --roots shop
what was printed once
$ false
$ echo $?
```

````console
$ printf '```\\n'
````

```console
$ cat gone
```
"""


def test_what_is_printed_stands_in_the_page_and_the_rest_is_kept(tmp_path: Path) -> None:
    (tmp_path / "work" / "shop").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    page = replayed(SMALL, tmp_path / "work", tmp_path / "bin")
    assert "what was printed once" not in page
    assert "shop/__init__.py:6  shop.send  calls socket.create_connection\n1 call\n$ false\n$ echo $?\n1\n```" in page
    assert "````console\n$ printf '```\\n'\n```\n````" in page
    assert "No such file" in page
    assert page.startswith(SMALL[: SMALL.index("$ onepath")])


def test_the_tutorial_shows_every_command() -> None:
    text = "".join(block.body for block in blocks(PAGE.read_text(encoding="utf-8")) if block.info == "console")
    for command in ("why", "graph", "init", "lint", "explain", "diff", "docs"):
        assert f"$ onepath {command}" in text
