"""Name patterns with `*`: what aliases, background models and compat conditions are matched with.

It knows one wildcard, `*` (any run of characters, also none); everything else is literal, brackets, dots and
question marks too, because model ids contain them. Matching is linear in the name for each literal piece.
"""

from __future__ import annotations


def is_pattern(text: str) -> bool:
    """Whether `text` has a wildcard at all."""
    return "*" in text


def literal_length(pattern: str) -> int:
    """Characters of `pattern` that are not wildcards: how specific it is."""
    return len(pattern) - pattern.count("*")


def matches(pattern: str, name: str) -> bool:
    """Whether the whole of `name` fits `pattern`, case-sensitively."""
    first, *rest = pattern.split("*")
    if not rest:
        return first == name
    last = rest.pop()
    if len(first) + len(last) > len(name) or not name.startswith(first) or not name.endswith(last):
        return False
    at, end = len(first), len(name) - len(last)
    for piece in rest:
        at = name.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True
