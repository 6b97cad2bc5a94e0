"""How names are written in contracts, and what they mean.

A bare name means it and everything below; `X.*` everything below, at any depth; a `*` between dots stands for one
part. It knows text only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache

from onepath.graph import Program

STANDARD_LIBRARY = "@stdlib"


def matches(pattern: str, name: str) -> bool:
    """Whether `name` is meant by `pattern`."""
    if "*" not in pattern:
        return name.startswith(pattern) and name[len(pattern) : len(pattern) + 1] in ("", ".")
    return _compiled(pattern).match(name) is not None


def any_matches(patterns: Iterable[str], name: str) -> bool:
    """Whether `name` is meant by one of them."""
    return any(matches(pattern, name) for pattern in patterns)


def meaning(patterns: Iterable[str]) -> Callable[[str], bool]:
    """The same as `any_matches` of these patterns, for who asks often: each name is looked at once."""
    some = tuple(patterns)
    plain = frozenset(pattern for pattern in some if "*" not in pattern)
    stems = frozenset(pattern.removesuffix(".*") for pattern in some)
    below = tuple(f"{stem}." for stem in stems if "*" not in stem)
    starred = tuple(_compiled(pattern) for pattern in some if "*" in pattern.removesuffix(".*"))

    @cache
    def is_meant(name: str) -> bool:
        return name in plain or name.startswith(below) or (bool(starred) and any(one.match(name) for one in starred))

    return is_meant


def unmatched(patterns: Sequence[str], program: Program) -> list[str]:
    """Patterns that start in the program and mean nothing in it: no module, no function, no symbol."""
    tops = {name.partition(".")[0] for name in program.modules}
    return [
        pattern for pattern in patterns if pattern.partition(".")[0] in tops and not _means_something(pattern, program)
    ]


def _means_something(pattern: str, program: Program) -> bool:
    if pattern in program.modules or pattern in program.functions or pattern in program.symbols:
        return True
    for names in (program.modules, program.packages, program.symbols, program.functions):
        if any(matches(pattern, name) for name in names):
            return True
    return False


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    if pattern.endswith(".*"):
        return re.compile(_written(pattern.removesuffix(".*")) + r"\.(?s:.)+\Z")
    return re.compile(_written(pattern) + r"(\.|\Z)")


def _written(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*", r"[^.]+")
