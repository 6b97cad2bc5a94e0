"""How an upstream request's URL is made: base URL, path template, query.

Pure string work over `EndpointSpec`; it knows the placeholders and nothing of what a vendor does with them.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlencode

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.hub.upstream import UpstreamRequest
from routecodex.config.compiled import EndpointSpec

_KEPT: Final = 512
"""URLs remembered per endpoint: paths hold ids, so the memory is bounded."""


class Endpoint:
    """Makes the URLs of one provider; the same request path gives the same string object."""

    __slots__ = ("_base", "_made", "_protocol", "_spec")

    def __init__(self, base_url: str, protocol: Protocol, spec: EndpointSpec) -> None:
        self._base = base_url.rstrip("/")
        self._protocol = protocol
        self._spec = spec
        self._made: dict[tuple[str, str, str, bool, tuple[tuple[str, str], ...]], str] = {}

    def url(self, request: UpstreamRequest) -> str:
        """The absolute URL of this request, without credentials."""
        query = request.query
        key = (
            request.path,
            request.target.model,
            request.operation,
            request.stream,
            tuple(query.items()) if query else (),
        )
        url = self._made.get(key)
        if url is None:
            url = self._make(request)
            if len(self._made) >= _KEPT:
                self._made.clear()
            self._made[key] = url
        return url

    def _make(self, request: UpstreamRequest) -> str:
        spec = self._spec
        values = {
            **spec.variables,
            "path": request.path,
            "model": quote(request.target.model, safe=""),
            "verb": self._verb(request),
        }
        path = _filled(spec.paths.get(request.operation, spec.path), values)
        query = {**request.query, **{name: _filled(value, values) for name, value in spec.query.items()}}
        base = _filled(self._base, values) if "{" in self._base else self._base
        joined = base + (path if path.startswith("/") or not path else "/" + path)
        if not query:
            return joined
        return joined + ("&" if "?" in joined else "?") + urlencode(query, quote_via=quote)

    def _verb(self, request: UpstreamRequest) -> str:
        if self._protocol is Protocol.GEMINI:
            return request.path.rpartition(":")[2]
        if self._protocol is Protocol.ANTHROPIC_MESSAGES:
            return "streamRawPredict" if request.stream else "rawPredict"
        return ""


def _filled(template: str, values: dict[str, str]) -> str:
    """The template with its known placeholders replaced, in one pass: a value is never expanded again."""
    if "{" not in template:
        return template
    pieces = template.split("{")
    out = [pieces[0]]
    for piece in pieces[1:]:
        name, closing, rest = piece.partition("}")
        out.append(values[name] + rest if closing and name in values else "{" + piece)
    return "".join(out)
