"""The reading side of HTTP/1.1 without sockets: bytes in, an answer filled.

It knows httptools' callbacks, framing and its limits. It must not know time, sockets, or what becomes of a connection:
that is asked of it (`complete`, `keep`, `until_close`). One parser serves a connection's answers one after the other.
What breaks the rules in the segment that brings the head spoils that head, whatever stands before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import httptools

from routecodex.blocks.provider_runtime.http1.answer import Answer

FIELD_LIMIT: Final = 64 * 1024
"""Bytes of one header line, name and value, and of the reason phrase."""
FIELDS: Final = 128
"""Header lines of one answer, trailers included."""

_names: dict[bytes, str] = {}
"""Header names seen, in lower case."""
_NAMES: Final = 1024


class MalformedError(Exception):
    """What came breaks the rules of HTTP/1.1, or their limits."""


def response_parser(callbacks: object) -> httptools.HttpResponseParser:
    """With what real upstreams need forgiven: odd bytes in values, a bare LF, blanks behind a chunk's size."""
    parser = httptools.HttpResponseParser(callbacks)
    parser.set_dangerous_leniencies(
        lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
    )
    return parser


class Parsing:
    """Fills one answer at a time: `expect` it, then `feed` what comes."""

    __slots__ = (
        "_answer",
        "_discarding",
        "_fields",
        "_got",
        "_head_only",
        "_interim",
        "_known",
        "_parser",
        "_reason",
        "_stalled",
        "_switched",
        "complete",
        "judged",
        "keep",
        "on_body",
        "unread",
        "until_close",
    )

    def __init__(self) -> None:
        self._parser: httptools.HttpResponseParser | None = None
        self._fields: list[tuple[bytes, bytes]] = []
        self._reason = 0
        self._got: list[bytes] = []
        """Content of the segment being parsed."""
        self.on_body: Callable[[bytes], None] = self._got.append
        """httptools calls this per chunk: no frame of ours stands between."""

    def expect(self, answer: Answer, *, head_only: bool) -> None:
        """The next bytes are this answer's."""
        if self._parser is None:
            self._parser = response_parser(self)
        self._answer = answer
        self._head_only = head_only
        self._interim = self._discarding = self._switched = False
        self._known = self._stalled = 0
        self.unread = 0
        """Bytes that came since the reader took something."""
        self.judged = False
        """Whether the head is there; status and headers are then the answer's."""
        self.complete = False
        self.keep = True
        """Whether another answer can follow on the connection."""
        self.until_close = False
        """Whether the body ends with the connection."""

    def feed(self, data: bytes) -> None:
        """Take what came. Raises MalformedError."""
        parser, opened = self._parser, self.judged
        if parser is None:
            return
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.keep = False
            self.complete = True
        except httptools.HttpParserError as error:
            self.keep = False
            if self._switched:
                # What follows the switch is no HTTP, whether or not the head said what it is.
                self.complete = True
            elif not (self.complete and (opened or self._head_only)):
                raise MalformedError(str(error)) from error
        finally:
            self._hand_over()
        if not self.judged:
            self._bound(len(data))
        else:
            self.unread += len(data)

    def release(self) -> None:
        """Nothing more will come; parser and callbacks let go of each other."""
        self._parser = None

    # --- httptools' side ---------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._fields = []
        self._known = self._reason = 0
        if self.complete:
            # Another answer behind the one that was asked for: parsed for the rules it may break, and thrown away.
            self.keep = False
            self._discarding = True

    def on_status(self, reason: bytes) -> None:
        self._reason += len(reason)
        if self._reason > FIELD_LIMIT:
            raise MalformedError("the reason is too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        parser, fields = self._parser, self._fields
        if parser is None:
            return
        headers: dict[str, str] = {}
        encoding = None
        self._known = len(fields)
        if self._known > FIELDS:
            raise MalformedError("too many header lines")
        for name, raw in fields:
            if len(name) + len(raw) > FIELD_LIMIT:
                raise MalformedError("a header line is too long")
            key = _names.get(name) or _lowered(name)
            value = raw.rstrip(b" \t").decode("utf-8", "surrogateescape")
            if "\0" in value:
                raise MalformedError("NUL in a header's value")
            if key == "content-encoding":
                encoding = value
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
        status = parser.get_status_code()
        self._switched = status == 101
        if self._discarding:
            return
        if 100 <= status < 200 and status != 101:
            self._interim = True
            return
        self._judge(parser, status, headers, encoding)

    def on_message_complete(self) -> None:
        if len(self._fields) > self._known:
            _check_trailers(self._fields)
        if self._interim:
            self._interim = False
        else:
            self._hand_over()
            self.complete = True

    # --- inside ------------------------------------------------------------------------------------------

    def _hand_over(self) -> None:
        """The content of this segment is the answer's, unless its answer was whole before."""
        got = self._got
        if got:
            if not self.complete:
                self._answer.pieces += got
            got.clear()

    def _judge(
        self, parser: httptools.HttpResponseParser, status: int, headers: dict[str, str], encoding: str | None
    ) -> None:
        """The head is whole: what it says of the body and of the connection."""
        answer = self._answer
        self.judged = True
        answer.status = status
        answer.headers = headers
        if status == 101 or not parser.should_keep_alive():
            self.keep = False
        if self._head_only:
            # The parser believes in a body that will not come: it is of no use for the next answer.
            self.complete = True
            self._parser = None
            return
        if encoding is not None:
            answer.encoded(encoding.lower())
        coding = headers.get("transfer-encoding")
        if coding is not None:
            self.until_close = coding.rpartition(",")[2].strip().lower() != "chunked"
        else:
            self.until_close = "content-length" not in headers

    def _bound(self, size: int) -> None:
        """The head is not whole yet: it must not grow for ever. Raises MalformedError."""
        fields, known = self._fields, self._known
        if len(fields) == known:
            self._stalled += size
        else:
            self._stalled = 0
            self._known = len(fields)
            if self._known > FIELDS or any(b"\0" in value for _, value in fields[known:]):
                raise MalformedError("too many header lines, or NUL in one")
        if self._stalled > FIELD_LIMIT + 1024:
            raise MalformedError("a header line is too long")


def _check_trailers(fields: list[tuple[bytes, bytes]]) -> None:
    """Trailers are dropped, but not borne whatever they are. Raises MalformedError."""
    if len(fields) > FIELDS:
        raise MalformedError("too many header lines")
    for name, value in fields:
        if len(name) + len(value) > FIELD_LIMIT or b"\0" in value:
            raise MalformedError("a trailer is too long, or holds NUL")


def _lowered(name: bytes) -> str:
    # A blank before the colon is let pass and means nothing (RFC 9112 §5.1).
    text = name.decode("utf-8", "surrogateescape").lower().rstrip()
    if text.startswith("transfer-encoding") and text != "transfer-encoding":
        # httptools takes an empty Transfer-Encoding's name for the beginning of the next one.
        raise MalformedError("an empty Transfer-Encoding")
    if len(_names) < _NAMES and len(name) <= FIELDS:
        _names[name] = text
    return text
