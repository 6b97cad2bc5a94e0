"""Content parts of messages and tool outputs, both ways.

It knows `input_text`, `output_text`, `input_image`, `input_file`, `input_audio`, `refusal` and what stands in for
them in the wild; an unknown part type is Opaque, never an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.model import (
    CacheControl,
    JsonValue,
    Media,
    Opaque,
    Part,
    Protocol,
    Refusal,
    Text,
)
from llmswitch_core.protocols.contract import Notes
from llmswitch_core.protocols.losses import of
from llmswitch_core.protocols.openai_responses.fields import as_object, as_text, wrong_type

TEXT_TYPES: Final = frozenset({"input_text", "output_text", "text", "summary_text", "reasoning_text"})
CONTENT_TYPES: Final = frozenset({"computer_screenshot", *TEXT_TYPES})


def is_content(label: str) -> bool:
    """True for an Opaque part that was read from a message's content, not from the list of items."""
    return label.startswith(("input_", "output_")) or label in CONTENT_TYPES


def read_content(value: JsonValue, path: str) -> list[Part]:
    """Content of a message or output: a string, a list of parts, or null."""
    if value is None:
        return []
    if isinstance(value, str):
        return [Text(value)] if value else []
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        raise wrong_type(path, "a string or an array", value)
    return [_read_part(part, f"{path}[{index}]") for index, part in enumerate(value)]


def _read_part(wire: JsonValue, path: str) -> Part:
    if isinstance(wire, str):
        return Text(wire)
    part = as_object(wire, path)
    kind = as_text(part.get("type"), f"{path}.type") or ("input_text" if "text" in part else "unknown")
    if kind in TEXT_TYPES:
        annotations = part.get("annotations")
        return Text(
            as_text(part.get("text"), f"{path}.text"),
            cache=read_cache(part),
            citations=annotations if isinstance(annotations, list) and annotations else None,
        )
    if kind == "refusal":
        return Refusal(as_text(part.get("refusal"), f"{path}.refusal"))
    if kind in ("input_image", "image_url", "output_image"):
        return _read_image(part, path)
    if kind in ("input_file", "file"):
        return _read_file(part, path)
    if kind == "input_audio":
        audio = as_object(part.get("input_audio") or part, f"{path}.input_audio")
        form = as_text(audio.get("format"), f"{path}.input_audio.format") or "wav"
        data = as_text(audio.get("data"), f"{path}.input_audio.data")
        return Media(
            "audio", media_type=f"audio/{'mpeg' if form == 'mp3' else form}", data=data, cache=read_cache(part)
        )
    return Opaque(Protocol.OPENAI_RESPONSES, kind, part)


def _read_image(part: dict[str, Any], path: str) -> Media:
    url = part.get("image_url") or part.get("url")
    detail = part.get("detail")
    if isinstance(url, dict):
        detail = detail or url.get("detail")
        url = url.get("url")
    media = _located("image", as_text(url, f"{path}.image_url"), part.get("file_id"))
    media.detail = detail if isinstance(detail, str) else None
    media.cache = read_cache(part)
    return media


def _read_file(part: dict[str, Any], path: str) -> Media:
    nested = part.get("file")
    source: dict[str, Any] = nested if isinstance(nested, dict) else part
    given = as_text(source.get("file_data"), f"{path}.file_data")
    if given and not given.startswith("data:"):
        media = Media("document", media_type=_type_of_name(source.get("filename")), data=given)
    else:
        url = given or as_text(source.get("file_url"), f"{path}.file_url")
        media = _located("document", url, source.get("file_id"))
    name, detail = source.get("filename"), source.get("detail")
    media.name = name if isinstance(name, str) else None
    media.detail = detail if isinstance(detail, str) else None
    media.cache = read_cache(part)
    return media


def _located(kind: Any, url: str, file_id: JsonValue) -> Media:
    if url.startswith("data:"):
        head, comma, data = url[5:].partition(",")
        if comma and head.endswith(";base64"):
            return Media(kind, media_type=head.split(";", 1)[0] or None, data=data)
    if url:
        return Media(kind, url=url)
    return Media(kind, file_id=file_id if isinstance(file_id, str) else None)


def _type_of_name(name: JsonValue) -> str:
    """Media type of base64 without a data URL; this wire means PDF unless the name says otherwise."""
    suffix = name.rsplit(".", 1)[-1].lower() if isinstance(name, str) else ""
    return _TYPES.get(suffix, "application/pdf")


_TYPES: Final = {
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
}


def read_cache(part: dict[str, Any]) -> CacheControl | None:
    """`prompt_cache_breakpoint` (this wire's) or `cache_control` (clients that know what is behind the gateway).

    Lifetimes are the canonical ones (Anthropic's `5m`, `1h`): 30 minutes and 12 hours both become `1h`.
    """
    control = part.get("cache_control")
    if isinstance(control, dict):
        kind, ttl = control.get("type"), control.get("ttl")
        return CacheControl(kind if isinstance(kind, str) else "ephemeral", ttl if isinstance(ttl, str) else None)
    breakpoint_ = part.get("prompt_cache_breakpoint")
    if isinstance(breakpoint_, dict):
        return CacheControl(ttl="1h" if breakpoint_.get("ttl") else None)
    return None


# --- writing ---------------------------------------------------------------------------------------------


def write_input(parts: Sequence[Part], notes: Notes, *, breakpoints: bool, audio: bool) -> list[dict[str, Any]]:
    """User, system or tool-output content. Empty texts are left out; what cannot be said is noted."""
    out: list[dict[str, Any]] = []
    for part in parts:
        wire = _write_part(part, notes, audio=audio)
        if wire is None:
            continue
        cache = getattr(part, "cache", None)
        if cache is not None:
            if breakpoints:
                wire["prompt_cache_breakpoint"] = {"mode": "explicit", **({"ttl": "30m"} if cache.ttl == "1h" else {})}
                notes.mapped("text.cache")
            else:
                notes.dropped("text.cache")
        out.append(wire)
    return out


def _write_part(part: Part, notes: Notes, *, audio: bool) -> dict[str, Any] | None:
    if isinstance(part, Text):
        return {"type": "input_text", "text": part.text} if part.text else None
    if isinstance(part, Refusal):
        return {"type": "input_text", "text": part.text} if part.text else None
    if isinstance(part, Media):
        return write_media(part, notes, audio=audio)
    if isinstance(part, Opaque) and part.protocol is Protocol.OPENAI_RESPONSES and isinstance(part.wire, dict):
        return dict(part.wire)
    if isinstance(part, Opaque):
        notes.dropped(of("opaque", part.label))
    return None


def write_media(media: Media, notes: Notes, *, audio: bool) -> dict[str, Any]:
    """An image, file or audio part. What this wire cannot carry is refused: without it, it is another question."""
    for name in media.options or ():
        notes.dropped(of("media", name))
    if media.kind == "image":
        return _write_image(media)
    if media.kind == "audio" and audio and media.data is not None and media.media_type in _AUDIO:
        return {"type": "input_audio", "input_audio": {"data": media.data, "format": _AUDIO[media.media_type]}}
    if media.kind == "document":
        return _write_document(media)
    raise invalid(
        f"The chosen upstream takes no {media.kind} in its input.",
        param=f"media.{media.kind}",
        code=f"unsupported_{media.kind}",
        next_step=f"Send the request without {media.kind}, or choose a model that takes it.",
    )


_AUDIO: Final = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}


def _write_image(media: Media) -> dict[str, Any]:
    wire: dict[str, Any] = {"type": "input_image", "detail": media.detail or "auto"}
    if media.data is not None:
        wire["image_url"] = f"data:{media.media_type or 'image/png'};base64,{media.data}"
    elif media.url is not None:
        wire["image_url"] = media.url
    else:
        wire["file_id"] = media.file_id
    return wire


def _write_document(media: Media) -> dict[str, Any]:
    if media.text is not None:
        # A plain-text document is text: this wire takes files for formats it must parse first.
        title = f"{media.name}:\n" if media.name else ""
        return {"type": "input_text", "text": f"{title}{media.text}"}
    wire: dict[str, Any] = {"type": "input_file"}
    if media.data is not None:
        wire["filename"] = media.name or "document.pdf"
        wire["file_data"] = f"data:{media.media_type or 'application/pdf'};base64,{media.data}"
    elif media.url is not None:
        wire["file_url"] = media.url
        if media.name:
            wire["filename"] = media.name
    else:
        wire["file_id"] = media.file_id
    if media.detail:
        wire["detail"] = media.detail
    return wire
