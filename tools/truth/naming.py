"""Names of code objects as onepath writes them: `pkg.mod.Class.method`, `pkg.mod.f.<lambda2>`.

A name is found by compiling the file anew and finding the code object at the same place in it, so that lambdas get the
number they have in the text. Comprehensions and generator expressions bear the name of what they stand in.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import CodeType
from typing import Final

INLINE: Final = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})
_LAMBDA: Final = "<lambda>"
_FUNCTION_FLAG: Final = 1
"""CO_OPTIMIZED: set for functions, not for the bodies of modules and classes."""

_Where = tuple[str, int, tuple[tuple[int | None, ...], ...]]


class ChangedError(RuntimeError):
    """A file is not as it was when the names were learnt."""


class Names:
    """Names of code objects whose files lie below source folders, such as `src`, as the files are at this moment."""

    def __init__(self, *sources: Path) -> None:
        self._sources = tuple(f"{source.resolve()}/" for source in sources)
        self._texts = {str(path): path.read_bytes() for top in self._sources for path in Path(top).rglob("*.py")}
        self._files: dict[str, dict[_Where, str]] = {}

    def holds(self, file: str) -> bool:
        """Whether a code object's file is below one of the source folders."""
        return file.startswith(self._sources)

    def name(self, code: CodeType) -> str:
        """The name of a code object in a file that `holds` is true of. Raises ChangedError if it is not there."""
        known = self._files.get(code.co_filename)
        if known is None:
            known = self._files[code.co_filename] = dict(self._learn(code.co_filename))
        found = known.get(_where(code))
        if found is None:
            raise ChangedError(f"{code.co_filename} changed before the suite imported it; run again.")
        return found

    def _learn(self, file: str) -> Iterator[tuple[_Where, str]]:
        source = next(source for source in self._sources if file.startswith(source))
        module = ".".join(Path(file.removeprefix(source)).with_suffix("").parts).removesuffix(".__init__")
        code = compile(self._texts.get(file, b""), file, "exec", dont_inherit=True)
        yield _where(code), module
        yield from _inner(code, module, [0])


def is_body(code: CodeType) -> bool:
    """Whether it is the body of a module or class, which runs without being called."""
    return not code.co_flags & _FUNCTION_FLAG


def is_inline(code: CodeType) -> bool:
    """Whether it is a comprehension: part of the function it stands in."""
    return code.co_name in INLINE


def _inner(code: CodeType, name: str, lambdas: list[int]) -> Iterator[tuple[_Where, str]]:
    """Code objects in the constants of `code`; `lambdas` counts those of the function around comprehensions."""
    for constant in code.co_consts:
        if not isinstance(constant, CodeType):
            continue
        if constant.co_name in INLINE:
            yield _where(constant), name
            yield from _inner(constant, name, lambdas)
            continue
        last = constant.co_name
        if last == _LAMBDA:
            lambdas[0] += 1
            last = f"<lambda{lambdas[0]}>"
        inner = f"{name}.{last}"
        yield _where(constant), inner
        yield from _inner(constant, inner, [0])


def _where(code: CodeType) -> _Where:
    return code.co_qualname, code.co_firstlineno, tuple(islice(code.co_positions(), 8))
