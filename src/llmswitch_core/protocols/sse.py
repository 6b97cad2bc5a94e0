"""Server-sent events as bytes: splitting any chunking of a stream into frames, and making frames.

It knows the framing of the HTML standard (LF, CRLF and CR line ends, comments, several data lines, a leading
BOM, no space after the colon) and nothing of what is inside. A frame keeps its raw bytes so that the same
protocol can forward it as received. Work is linear in the bytes fed: a partial frame is scanned once.
"""

from __future__ import annotations

from typing import Final

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.protocols.contract import SseFrame

MAX_FRAME: Final = 64 * 1024 * 1024
"""Bytes one frame may have before the stream counts as hostile."""

_BOM: Final = b"\xef\xbb\xbf"
_DATA: Final = b"data: "
_EVENT: Final = b"event: "
_LF: Final = 10
_CR: Final = 13


class SseParser:
    """Bytes in any chunking -> frames that carry data. Comment-only blocks yield nothing.

    A CR that ends the buffer waits for the next byte, so that a CRLF split between two chunks gives the
    same frames as one that was not.
    """

    __slots__ = ("_buffer", "_limit", "_scanned", "_started", "_tail", "_tail_size")

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._buffer = b""
        self._tail: list[bytes] = []
        """Chunks behind `_buffer` that hold no line end: a long frame is joined once, not with every chunk."""
        self._tail_size = 0
        self._scanned = 0
        self._started = False
        self._limit = limit

    def feed(self, chunk: bytes) -> list[SseFrame]:
        """Frames completed by `chunk`, in order."""
        if self._started and not self._buffer and len(chunk) > 2 and b"\r" not in chunk:
            # Nine chunks of ten are exactly one frame, most of them of one line.
            end = len(chunk) - 2
            if chunk.startswith(_DATA) and chunk.find(b"\n") == end and chunk[end + 1] == _LF:
                return [SseFrame("", chunk[6:end], chunk)]
            if chunk.find(b"\n\n") == end:
                frame = _frame(chunk, chunk[:end])
                return [] if frame is None else [frame]
        if self._buffer and self._started and self._is_middle(chunk):
            return []
        any_line_end = b"\r" in chunk or b"\r" in self._buffer
        buffer = self._joined(chunk) if self._buffer else chunk
        if not self._started:
            if len(buffer) < 3 and _BOM.startswith(buffer):
                self._buffer = buffer
                return []
            self._started = True
            buffer = buffer.removeprefix(_BOM)
        if any_line_end:
            return self._feed_any_line_end(buffer)
        frames: list[SseFrame] = []
        begin = 0
        end = buffer.find(b"\n\n", self._scanned)
        while end >= 0:
            block, raw = buffer[begin:end], buffer[begin : end + 2]
            frame = (
                SseFrame("", block[6:], raw) if block.startswith(_DATA) and b"\n" not in block else _frame(raw, block)
            )
            if frame is not None:
                frames.append(frame)
            begin = end + 2
            end = buffer.find(b"\n\n", begin)
        self._keep(buffer[begin:] if begin else buffer)
        self._scanned = max(len(self._buffer) - 1, 0)
        return frames

    def flush(self) -> list[SseFrame]:
        """The frame the peer left without its blank line, at the end of the stream."""
        rest, self._buffer, self._scanned = self._joined(b""), b"", 0
        if not rest.strip(b"\r\n"):
            return []
        frame = _frame(rest, rest.replace(b"\r\n", b"\n").replace(b"\r", b"\n").strip(b"\n"))
        return [] if frame is None else [frame]

    @property
    def pending(self) -> int:
        """Bytes of an unfinished frame."""
        return len(self._buffer) + self._tail_size

    def _is_middle(self, chunk: bytes) -> bool:
        """True for a chunk without a line end behind an unfinished line: it is put aside."""
        if b"\n" in chunk or b"\r" in chunk or self._buffer[-1] == _CR:
            return False
        self._tail.append(chunk)
        self._tail_size += len(chunk)
        self._scanned = self.pending - 1
        self._bound(self.pending)
        return True

    def _joined(self, chunk: bytes) -> bytes:
        if not self._tail:
            return self._buffer + chunk
        joined = b"".join((self._buffer, *self._tail, chunk))
        self._tail, self._tail_size = [], 0
        return joined

    def _feed_any_line_end(self, buffer: bytes) -> list[SseFrame]:
        frames: list[SseFrame] = []
        begin = 0
        position = 0
        line_start = 0
        size = len(buffer)
        lines: list[bytes] = []
        lf, cr = buffer.find(b"\n"), buffer.find(b"\r")
        while True:
            if 0 <= lf < position:
                lf = buffer.find(b"\n", position)
            if 0 <= cr < position:
                cr = buffer.find(b"\r", position)
            if cr >= 0 and (lf < 0 or cr < lf):
                if cr + 1 == size:
                    break
                stop, after = cr, cr + 2 if buffer[cr + 1] == 10 else cr + 1
            elif lf >= 0:
                stop, after = lf, lf + 1
            else:
                break
            line = buffer[line_start:stop]
            position = line_start = after
            if line:
                lines.append(line)
                continue
            if lines:
                frame = _frame(buffer[begin:after], b"\n".join(lines))
                if frame is not None:
                    frames.append(frame)
                lines = []
            begin = after
        self._keep(buffer[begin:])
        self._scanned = max(len(self._buffer) - 1, 0)
        return frames

    def _keep(self, rest: bytes) -> None:
        self._bound(len(rest))
        self._buffer = rest

    def _bound(self, size: int) -> None:
        if size > self._limit:
            raise GatewayError(
                ErrorKind.UPSTREAM,
                "sse_frame_too_large",
                f"The upstream sent one event of more than {self._limit} bytes.",
                layer=Layer.UPSTREAM,
            )


def _frame(raw: bytes, block: bytes) -> SseFrame | None:
    if block.startswith(_DATA) and b"\n" not in block:
        return SseFrame("", block[6:], raw)
    if block.startswith(_EVENT):
        first, _, rest = block.partition(b"\n")
        if rest.startswith(_DATA) and b"\n" not in rest:
            return SseFrame(first[7:].decode("utf-8", "replace"), rest[6:], raw)
    if block[:1] == b"\n":
        block = block.lstrip(b"\n")  # the rest of more blank lines than one
    if block[:1] == b"{":
        # No event stream, but Google writes the error of a broken stream as a bare JSON line.
        return SseFrame("", block, raw)
    event = ""
    data: list[bytes] = []
    for line in block.split(b"\n"):
        if not line or line[0] == 58:  # a comment starts with a colon
            continue
        name, _, value = line.partition(b":")
        if value[:1] == b" ":
            value = value[1:]
        if name == b"data":
            data.append(value)
        elif name == b"event":
            event = value.decode("utf-8", "replace")
    if not data and not event:
        return None
    return SseFrame(event, b"\n".join(data), raw)


def data_frame(payload: bytes) -> bytes:
    """`data: …` with its blank line; `payload` holds no line end (encoded JSON never does)."""
    return b"data: " + payload + b"\n\n"


def event_frame(event: bytes, payload: bytes) -> bytes:
    """`event:` and `data:` lines with the blank line."""
    return b"event: " + event + b"\ndata: " + payload + b"\n\n"


DONE: Final = b"data: [DONE]\n\n"
