"""Which line each key and item of a TOML or JSON text stands on.

tomllib and json build the values; these scanners only walk the same text once more to note positions, so they
may assume that the text is valid (the parsers have accepted it). They know the grammars' outlines: tables, keys,
strings, arrays. They must not know what any key means. Lines count from 1.
"""

from __future__ import annotations

from bisect import bisect_right
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Final

from routecodex.config.faults import Path

_TOML_BLANK: Final = " \t"
_TOML_SPACE: Final = " \t\r\n"
_TOML_SCALAR_END: Final = ",]}#\r\n"
_JSON_SPACE: Final = " \t\r\n"
_JSON_SCALAR_END: Final = ",]} \t\r\n"


class Positions:
    """Line by path, and paths written twice (JSON lets one key follow itself; TOML refuses that on its own)."""

    def __init__(self, text: str) -> None:
        self._line_starts = [0] + [index + 1 for index, char in enumerate(text) if char == "\n"]
        self.lines: dict[Path, int] = {}
        self.duplicates: list[tuple[Path, int]] = []

    def line_at(self, offset: int) -> int:
        """The line that holds the character at `offset`."""
        return bisect_right(self._line_starts, offset)

    def note(self, path: Path, offset: int) -> None:
        """The first place a path is written at is the one that counts."""
        self.lines.setdefault(path, self.line_at(offset))

    def line(self, path: Path) -> int | None:
        """The line of `path`, or of its nearest enclosing table: a missing key is told at its table."""
        for length in range(len(path), -1, -1):
            found = self.lines.get(path[:length])
            if found is not None:
                return found
        return None


def toml_positions(text: str) -> Positions:
    """Positions in a TOML text that tomllib has accepted."""
    return _TomlScan(text).run()


def json_positions(text: str) -> Positions:
    """Positions in a JSON text that json.loads has accepted."""
    return _JsonScan(text).run()


class _TomlScan:
    """One pass over the text; `at` is the only state besides the current table."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found = Positions(text)
        self.table: Path = ()
        self.array_lengths: dict[Path, int] = {}

    def run(self) -> Positions:
        while True:
            self._skip(_TOML_SPACE)
            if self.at >= len(self.text):
                return self.found
            if self.text[self.at] == "[":
                self._header()
            else:
                self._pair(self.table)

    def _header(self) -> None:
        start = self.at
        is_array = self.text.startswith("[[", self.at)
        self.at += 2 if is_array else 1
        keys = self._keys()
        self.at = self.text.index("]", self.at) + (2 if is_array else 1)
        path: Path = ()
        for key in keys[:-1]:
            path = self._enter((*path, key), start)
        last = (*path, keys[-1])
        self.found.note(last, start)
        if is_array:
            index = self.array_lengths.get(last, 0)
            self.array_lengths[last] = index + 1
            last = (*last, index)
            self.found.note(last, start)
        self.table = last

    def _enter(self, path: Path, offset: int) -> Path:
        """A key inside a header that names an array of tables means its latest table."""
        self.found.note(path, offset)
        length = self.array_lengths.get(path)
        return path if length is None else (*path, length - 1)

    def _pair(self, table: Path) -> None:
        start = self.at
        path = table
        for key in self._keys():
            path = (*path, key)
            self.found.note(path, start)
        self.at = self.text.index("=", self.at) + 1
        self._value(path)

    def _keys(self) -> list[str]:
        keys = [self._key()]
        while True:
            self._skip(_TOML_BLANK)
            if not self.text.startswith(".", self.at):
                return keys
            self.at += 1
            keys.append(self._key())

    def _key(self) -> str:
        self._skip(_TOML_BLANK)
        char = self.text[self.at]
        if char == '"':
            return self._basic_string()
        if char == "'":
            end = self.text.index("'", self.at + 1)
            key = self.text[self.at + 1 : end]
            self.at = end + 1
            return key
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in " \t.=]":
            self.at += 1
        return self.text[start : self.at]

    def _value(self, path: Path) -> None:
        self._skip(_TOML_SPACE)
        self.found.note(path, self.at)
        char = self.text[self.at]
        if char in "\"'":
            self._string(char)
        elif char == "[":
            self._array(path)
        elif char == "{":
            self._inline_table(path)
        else:
            while self.at < len(self.text) and self.text[self.at] not in _TOML_SCALAR_END:
                self.at += 1

    def _array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while True:
            self._skip(_TOML_SPACE + ",")
            if self.text[self.at] == "]":
                self.at += 1
                return
            self._value((*path, index))
            index += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        while True:
            self._skip(_TOML_SPACE + ",")
            if self.text[self.at] == "}":
                self.at += 1
                return
            self._pair(path)

    def _string(self, quote: str) -> None:
        triple = quote * 3
        if not self.text.startswith(triple, self.at):
            if quote == '"':
                self._basic_string()
            else:
                self.at = self.text.index("'", self.at + 1) + 1
            return
        self.at += 3
        while not self.text.startswith(triple, self.at):
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += 3
        while self.text.startswith(quote, self.at):  # up to two quotes may belong to the string itself
            self.at += 1

    def _basic_string(self) -> str:
        start = self.at
        self.at += 1
        while self.text[self.at] != '"':
            self.at += 2 if self.text[self.at] == "\\" else 1
        self.at += 1
        raw = self.text[start + 1 : self.at - 1]
        return _unescape(raw) if "\\" in raw else raw

    def _skip(self, characters: str) -> None:
        text = self.text
        while self.at < len(text):
            if text[self.at] in characters:
                self.at += 1
            elif text[self.at] == "#":
                end = text.find("\n", self.at)
                self.at = len(text) if end < 0 else end
            else:
                return


_TOML_ESCAPES: Final = {
    "b": "\b",
    "t": "\t",
    "n": "\n",
    "f": "\f",
    "r": "\r",
    "e": "\x1b",
    '"': '"',
    "\\": "\\",
}
_TOML_HEX: Final = {"x": 2, "u": 4, "U": 8}


def _unescape(raw: str) -> str:
    out: list[str] = []
    at = 0
    while at < len(raw):
        if raw[at] != "\\":
            out.append(raw[at])
            at += 1
            continue
        kind = raw[at + 1]
        digits = _TOML_HEX.get(kind)
        if digits is None:
            out.append(_TOML_ESCAPES[kind])
            at += 2
        else:
            out.append(chr(int(raw[at + 2 : at + 2 + digits], 16)))
            at += 2 + digits
    return "".join(out)


class _JsonScan:
    """One pass over a JSON text; recursion is as deep as the nesting, which loading.py has bounded."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found = Positions(text)

    def run(self) -> Positions:
        self._value(())
        return self.found

    def _value(self, path: Path) -> None:
        self._skip()
        self.found.note(path, self.at)
        char = self.text[self.at]
        if char == "{":
            self._object(path)
        elif char == "[":
            self._array(path)
        elif char == '"':
            _, self.at = scanstring(self.text, self.at + 1)
        else:
            while self.at < len(self.text) and self.text[self.at] not in _JSON_SCALAR_END:
                self.at += 1

    def _object(self, path: Path) -> None:
        self.at += 1
        seen: set[str] = set()
        while self._more("}"):
            start = self.at
            key, self.at = scanstring(self.text, self.at + 1)
            member = (*path, key)
            if key in seen:
                self.found.duplicates.append((member, self.found.line_at(start)))
            seen.add(key)
            self.found.note(member, start)
            self._skip()
            self.at += 1  # the colon
            self._value(member)

    def _array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while self._more("]"):
            self._value((*path, index))
            index += 1

    def _more(self, end: str) -> bool:
        """Step to the next member; False behind the closing bracket."""
        self._skip()
        if self.text[self.at] == ",":
            self.at += 1
            self._skip()
        if self.text[self.at] == end:
            self.at += 1
            return False
        return True

    def _skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in _JSON_SPACE:
            self.at += 1
