"""Content parts that are no text: images, files, audio and video, both directions.

It knows the part types of Chat Completions and the relatives' dialects (`video_url`, URLs in `file_data`), not where in
a message they may stand.
"""

from __future__ import annotations

from typing import Any, Final

from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.model import CacheControl, JsonValue, Media
from llmswitch_core.protocols.contract import Notes
from llmswitch_core.protocols.losses import of
from llmswitch_core.protocols.openai_chat.features import Features
from llmswitch_core.protocols.openai_chat.members import an_object, optional_text

MEDIA_PART_TYPES: Final = frozenset({"image_url", "file", "input_audio", "video_url"})

_AUDIO_TYPES: Final = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_AUDIO_FORMATS: Final = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
}
_DOCUMENT_TYPES: Final = {
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
}


def read_media(part: dict[str, Any], path: str, cache: CacheControl | None) -> Media:
    """A part whose type is in MEDIA_PART_TYPES. Raises 400 for a part without its source."""
    kind = part["type"]
    if kind == "image_url":
        return _read_linked(part, "image", path, cache)
    if kind == "video_url":
        return _read_linked(part, "video", path, cache)
    if kind == "input_audio":
        return _read_audio(part, path, cache)
    return _read_file(part, path, cache)


def read_image(value: JsonValue, path: str) -> Media:
    """An `image_url` value (object or bare string), as in parts and in the `images` of an answer."""
    return _read_linked({"image_url": value, "type": "image_url"}, "image", path, None)


def _read_linked(part: dict[str, Any], kind: Any, path: str, cache: CacheControl | None) -> Media:
    member = part["type"]
    value = part.get(member)
    source = {"url": value} if isinstance(value, str) else an_object(value, f"{path}.{member}")
    url = optional_text(source, "url", f"{path}.{member}.")
    if url is None:
        raise invalid(f"{path}.{member}.url must be a URL or a data: URL.", param=f"{path}.{member}.url")
    media = _from_url(kind, url)
    media.detail = optional_text(source, "detail", f"{path}.{member}.")
    media.cache = cache
    return media


def _from_url(kind: Any, url: str) -> Media:
    parsed = split_data_url(url)
    if parsed is None:
        return Media(kind=kind, url=url)
    return Media(kind=kind, media_type=parsed[0], data=parsed[1])


def split_data_url(url: str) -> tuple[str | None, str] | None:
    """Media type and base64 data of a base64 `data:` URL; None for every other URL."""
    if url[:5].lower() != "data:":
        return None
    head, comma, data = url[5:].partition(",")
    if not comma:
        return None
    words = head.split(";")
    if words[-1].strip().lower() != "base64":
        return None
    return words[0].strip().lower() or None, data


def _read_audio(part: dict[str, Any], path: str, cache: CacheControl | None) -> Media:
    source = an_object(part.get("input_audio"), f"{path}.input_audio")
    data = optional_text(source, "data", f"{path}.input_audio.")
    if data is None:
        raise invalid(f"{path}.input_audio.data must be base64 audio.", param=f"{path}.input_audio.data")
    parsed = split_data_url(data)
    if parsed is not None:
        return Media(kind="audio", media_type=parsed[0], data=parsed[1], cache=cache)
    word = optional_text(source, "format", f"{path}.input_audio.") or "wav"
    return Media(kind="audio", media_type=_AUDIO_TYPES.get(word, f"audio/{word}"), data=data, cache=cache)


def _read_file(part: dict[str, Any], path: str, cache: CacheControl | None) -> Media:
    source = an_object(part.get("file"), f"{path}.file")
    name = optional_text(source, "filename", f"{path}.file.")
    file_id = optional_text(source, "file_id", f"{path}.file.")
    data = optional_text(source, "file_data", f"{path}.file.")
    if data is None:
        if file_id is None:
            raise invalid(f"{path}.file needs file_data or file_id.", param=f"{path}.file")
        return Media(kind="document", file_id=file_id, name=name, cache=cache)
    parsed = split_data_url(data)
    if parsed is not None:
        kind = _kind_of(parsed[0])
        return Media(kind=kind, media_type=parsed[0], data=parsed[1], name=name, cache=cache)
    if data[:8].lower().startswith(("http://", "https://")):
        return Media(kind="document", url=data, name=name, cache=cache)
    suffix = name.rpartition(".")[2].lower() if name else ""
    media_type = _DOCUMENT_TYPES.get(suffix, "application/pdf")
    return Media(kind="document", media_type=media_type, data=data, name=name, cache=cache)


def _kind_of(media_type: str | None) -> Any:
    family = (media_type or "").partition("/")[0]
    return family if family in {"image", "audio", "video"} else "document"


# --- writing -------------------------------------------------------------------------------------------


def write_media(media: Media, features: Features, notes: Notes) -> dict[str, Any]:
    """One content part of a user message. Raises GatewayError where the wire has no form for it at all."""
    part = _WRITERS[media.kind](media, features, notes)
    if media.cache is not None:
        features.add_cache(part, media.cache, "media.cache", notes)
    if media.options:
        for name in media.options:
            notes.dropped(of("media", name))
    return part


def data_url(media: Media) -> str | None:
    """The medium as one URL, `data:` for inline data; None where it is a vendor's file."""
    if media.data is not None:
        return f"data:{media.media_type or _FALLBACK_TYPES[media.kind]};base64,{media.data}"
    return media.url


_FALLBACK_TYPES: Final = {
    "image": "image/png",
    "document": "application/pdf",
    "audio": "audio/wav",
    "video": "video/mp4",
}


def _write_image(media: Media, features: Features, notes: Notes) -> dict[str, Any]:
    url = data_url(media)
    if url is None:
        raise _no_form("image", "a vendor's file id")
    image: dict[str, Any] = {"url": url}
    if media.detail is not None:
        image["detail"] = media.detail
    return {"type": "image_url", "image_url": image}


def _write_document(media: Media, features: Features, notes: Notes) -> dict[str, Any]:
    if media.text is not None:
        if media.name is not None:
            notes.mapped("media.name")
            return {"type": "text", "text": f"{media.name}:\n{media.text}"}
        return {"type": "text", "text": media.text}
    if not features.flag("file_parts", True):
        notes.dropped("media.document")
        label = media.name or media.url or media.media_type or "a document"
        return {"type": "text", "text": f"[Attached document that cannot be shown here: {label}]"}
    if media.data is not None:
        file = {"filename": media.name or "document.pdf", "file_data": data_url(media)}
        return {"type": "file", "file": file}
    if media.file_id is not None:
        if not features.own_vendor:
            raise _no_form("document", "another vendor's file id")
        file = {"file_id": media.file_id}
        return {"type": "file", "file": {**file, "filename": media.name} if media.name else file}
    if features.flag("file_url", False):
        return {"type": "file", "file": {"filename": media.name or "document.pdf", "file_data": media.url}}
    notes.mapped("media.url")
    label = f"{media.name}: " if media.name else ""
    return {"type": "text", "text": f"[Attached document: {label}{media.url}]"}


def _write_audio(media: Media, features: Features, notes: Notes) -> dict[str, Any]:
    word = _AUDIO_FORMATS.get((media.media_type or "audio/wav").lower())
    if media.data is None or word is None:
        raise _no_form("audio", media.media_type or "no inline data")
    return {"type": "input_audio", "input_audio": {"data": media.data, "format": word}}


def _write_video(media: Media, features: Features, notes: Notes) -> dict[str, Any]:
    url = data_url(media)
    if url is None or not (features.flag("video", features.own_protocol)):
        raise _no_form("video", media.media_type or "this source")
    return {"type": "video_url", "video_url": {"url": url}}


_WRITERS: Final = {
    "image": _write_image,
    "document": _write_document,
    "audio": _write_audio,
    "video": _write_video,
}


def _no_form(kind: str, what: str) -> Exception:
    return invalid(
        f"An openai-chat upstream cannot take this {kind} ({what}).",
        code=f"unsupported_{kind}",
        param="messages",
        next_step="Send it inline as base64, or choose a target that speaks your client's protocol.",
    )
