"""The pages of the rules, as they are shipped with the package."""

from __future__ import annotations


def pages() -> dict[str, str]:
    """By rule id: its page as Markdown."""
    from importlib import resources

    folder = resources.files("onepath.rules").joinpath("pages")
    return {
        page.name.removesuffix(".md"): page.read_text(encoding="utf-8")
        for page in sorted(folder.iterdir(), key=lambda page: page.name)
        if page.name.endswith(".md")
    }


def section(page: str, title: str) -> str:
    """One section of a page, with its heading; empty if it has none of that title."""
    lines = page.splitlines()
    start = next((index for index, line in enumerate(lines) if line == f"## {title}"), None)
    if start is None:
        return ""
    end = next((index for index in range(start + 1, len(lines)) if lines[index].startswith("## ")), len(lines))
    return "\n".join(lines[start:end]).rstrip() + "\n"
