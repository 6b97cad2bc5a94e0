"""Freeform (custom) tools on wires that know only JSON functions.

The free text travels as `{"input": "<text>"}`; the grammar goes into the description, where a model can read it.
`InputUnwrapper` undoes the wrapping of a stream piece by piece, without waiting for the end.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from llmswitch_core.canonical.model import CustomTool

FIELD: Final = "input"
_ESCAPES: Final = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def custom_as_function(tool: CustomTool) -> tuple[str, dict[str, Any]]:
    """Description and JSON-Schema parameters under which a freeform tool is offered as a function."""
    lines = [tool.description] if tool.description else []
    lines.append(f"Put the tool's whole free-form text, unescaped and unquoted, into the string `{FIELD}`.")
    form = tool.format
    if isinstance(form, dict) and isinstance(form.get("definition"), str):
        lines.append(f"It must match this {form.get('syntax') or 'lark'} grammar:\n{form['definition']}")
    schema = {
        "type": "object",
        "properties": {FIELD: {"type": "string", "description": "The free-form text of the call."}},
        "required": [FIELD],
        "additionalProperties": False,
    }
    return "\n\n".join(lines), schema


def wrap_input(text: str) -> str:
    """Free text -> JSON arguments."""
    return msgspec.json.encode({FIELD: text}).decode()


def unwrap_input(arguments: str) -> str:
    """JSON arguments -> free text; arguments that are not of the wrapped form are the text themselves."""
    try:
        tree = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return arguments
    if isinstance(tree, dict):
        value = tree.get(FIELD)
        if isinstance(value, str):
            return value
        if value is None and len(tree) == 1:
            only = next(iter(tree.values()))
            if isinstance(only, str):
                return only
        if not tree:
            return ""
    elif isinstance(tree, str):
        return tree
    return arguments


class InputUnwrapper:
    """Streamed `{"input": "…"}` -> the text inside, as it comes.

    States: before the string, inside it, after it. What does not start as `{"input":"` is held back and
    unwrapped whole by `finish()`, so that nothing is lost when a model ignores the schema.
    """

    __slots__ = ("_emitted", "_escape", "_held", "_high", "_odd", "_state")

    def __init__(self) -> None:
        self._state = "before"
        self._held = ""
        self._odd: list[str] = []
        self._escape = ""
        self._high = 0
        self._emitted = False

    def feed(self, delta: str) -> str:
        """Free text this piece of JSON completes."""
        if self._state == "before":
            self._held += delta
            start = _string_start(self._held)
            if start is None:
                return ""
            if start < 0:
                self._state = "odd"
                self._odd.append(self._held)
                return ""
            delta, self._held = self._held[start:], ""
            self._state = "inside"
        elif self._state == "odd":
            self._odd.append(delta)
            return ""
        if self._state == "inside":
            text = self._unescape(delta)
            self._emitted = self._emitted or bool(text)
            return text
        return ""

    def finish(self) -> str:
        """What remains when the call is complete: everything for arguments of another form, else "" ."""
        held = "".join(self._odd) if self._state == "odd" else self._held if self._state == "before" else ""
        if held:
            self._held, self._odd = "", []
            return unwrap_input(held)
        return ""

    def _unescape(self, delta: str) -> str:
        out: list[str] = []
        position = 0
        while position < len(delta):
            if self._escape:
                position = self._escaped(delta, position, out)
                continue
            quote = delta.find('"', position)
            slash = delta.find("\\", position)
            stop = min((i for i in (quote, slash) if i >= 0), default=-1)
            if stop < 0:
                self._flush_high(out, position < len(delta))
                out.append(delta[position:])
                break
            if stop > position:
                self._flush_high(out, True)
                out.append(delta[position:stop])
            if delta[stop] == '"':
                self._flush_high(out, True)
                self._state = "after"
                break
            self._escape = "\\"
            position = stop + 1
        return "".join(out)

    def _escaped(self, delta: str, position: int, out: list[str]) -> int:
        self._escape += delta[position]
        position += 1
        if self._escape[1] != "u":
            self._flush_high(out, True)
            out.append(_ESCAPES.get(self._escape[1], self._escape[1]))
            self._escape = ""
        elif len(self._escape) == 6:
            try:
                code = int(self._escape[2:], 16)
            except ValueError:
                code = 0xFFFD
            self._escape = ""
            self._unit(code, out)
        return position

    def _unit(self, code: int, out: list[str]) -> None:
        """One UTF-16 unit; a pair may be split over deltas, a lone half becomes U+FFFD."""
        if 0xDC00 <= code <= 0xDFFF and self._high:
            out.append(chr(0x10000 + ((self._high - 0xD800) << 10) + (code - 0xDC00)))
            self._high = 0
            return
        self._flush_high(out, True)
        if 0xD800 <= code <= 0xDBFF:
            self._high = code
        else:
            out.append("\ufffd" if 0xDC00 <= code <= 0xDFFF else chr(code))

    def _flush_high(self, out: list[str], needed: bool) -> None:
        if self._high and needed:
            out.append("\ufffd")
            self._high = 0


def _string_start(held: str) -> int | None:
    """Index behind `{"input":"`; None while undecided, -1 if it is something else."""
    position = 0
    for token in ("{", f'"{FIELD}"', ":", '"'):
        while position < len(held) and held[position] in " \t\r\n":
            position += 1
        piece = held[position : position + len(token)]
        if piece != token:
            return None if token.startswith(piece) and position + len(piece) == len(held) else -1
        position += len(token)
    return position
