"""Media parts, both ways: inlineData and fileData of the wire, Media of the canonical model.

Knows MIME types by kind, by the first characters of base64 and by file name, because Gemini demands a MIME type
where other protocols leave it out.
"""

from __future__ import annotations

from typing import Final, Literal

from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.model import JsonValue, Media, Protocol
from llmswitch_core.protocols.gemini.wire import camel_keys

Kind = Literal["image", "document", "audio", "video"]

_KINDS: Final[tuple[tuple[str, Kind], ...]] = (("image/", "image"), ("audio/", "audio"), ("video/", "video"))
_DATA_KEYS: Final = frozenset({"inlineData", "fileData", "thought", "thoughtSignature"})
_MAGIC: Final[tuple[tuple[str, str], ...]] = (
    ("iVBOR", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("JVBER", "application/pdf"),
)
_SUFFIXES: Final[dict[str, str]] = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "heic": "image/heic",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
}
_DEFAULT: Final[dict[str, str]] = {
    "image": "image/png",
    "document": "application/pdf",
    "audio": "audio/wav",
    "video": "video/mp4",
}
_STANDARD_ALPHABET: Final = str.maketrans("-_", "+/")
"""Protobuf JSON reads bytes in both base64 alphabets and google-genai writes the URL-safe one; no other protocol here
reads that."""


def media_of(part: dict[str, JsonValue]) -> Media | None:
    """The Media of a part with inlineData or fileData (camelCase keys); None if it has neither or no content."""
    inline, file = part.get("inlineData"), part.get("fileData")
    source = inline if isinstance(inline, dict) else file if isinstance(file, dict) else None
    if source is None:
        return None
    blob = camel_keys(source)
    data, uri = blob.get("data"), blob.get("fileUri")
    mime = blob.get("mimeType")
    kind = _kind(mime if isinstance(mime, str) else None)
    options = {key: value for key, value in part.items() if key not in _DATA_KEYS and value is not None}
    if isinstance(part.get("thoughtSignature"), str):
        options["thoughtSignature"] = part["thoughtSignature"]
    name = blob.get("displayName")
    media = Media(
        kind,
        media_type=mime if isinstance(mime, str) else None,
        name=name if isinstance(name, str) else None,
        options=options or None,
    )
    if source is inline and isinstance(data, str):
        media.data = data.translate(_STANDARD_ALPHABET) if "-" in data or "_" in data else data
    elif source is not inline and isinstance(uri, str) and uri:
        media.url = uri
    else:
        return None
    return media


def _kind(mime: str | None) -> Kind:
    for prefix, kind in _KINDS:
        if mime is not None and mime.startswith(prefix):
            return kind
    return "document"


def media_part(media: Media, origin: Protocol) -> dict[str, JsonValue]:
    """The wire part of a Media: text documents as text, base64 inline, addresses as fileData.

    Raises invalid_request (`unsupported_media_source`) for another vendor's file id, which Gemini cannot open.
    """
    if media.data is None and media.url is None:
        if media.text is not None:
            return {"text": media.text}
        raise invalid(
            f"Gemini cannot open the {media.kind} `{media.file_id}` stored at another vendor.",
            param="messages",
            code="unsupported_media_source",
            next_step="Send its content as base64 or as an address.",
        )
    options = dict(media.options) if media.options and origin is Protocol.GEMINI else {}
    if media.data is not None:
        blob: dict[str, JsonValue] = {"mimeType": media.media_type or _mime_of_data(media), "data": media.data}
        if media.name and origin is Protocol.GEMINI:
            blob["displayName"] = media.name
        return {"inlineData": blob, **options}
    address = media.url or ""
    file: dict[str, JsonValue] = {"fileUri": address}
    mime = media.media_type or _SUFFIXES.get(address.partition("?")[0].rpartition(".")[2].lower())
    if mime is not None or origin is not Protocol.GEMINI:
        file["mimeType"] = mime or _DEFAULT[media.kind]
    if media.name and origin is Protocol.GEMINI:
        file["displayName"] = media.name
    return {"fileData": file, **options}


def _mime_of_data(media: Media) -> str:
    head = (media.data or "")[:8]
    for magic, mime in _MAGIC:
        if head.startswith(magic):
            return mime
    return _DEFAULT[media.kind]
