"""`GET /v1/models` and single entries of it, over plain ASGI, in the asking vendor's shape.

Both sides of `hostBlocks.httpAdapter` serve it; models.py makes the bodies.
"""

from __future__ import annotations

from typing import Final

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from routecodex.blocks.http_adapter import models
from routecodex.blocks.http_adapter.asgi import answer
from routecodex.blocks.http_adapter.contract import ModelCatalogue, Receive, Scope, Send, Shape
from routecodex.blocks.http_adapter.data_plane import DataPlane, allow, method_not_allowed
from routecodex.blocks.http_adapter.headers import decoded
from routecodex.blocks.http_adapter.policy import error_protocol, model_list_shape

READING: Final = frozenset({"GET", "HEAD"})
"""What a list is asked with."""


class ModelList:
    """The list and its entries; an ASGI application."""

    def __init__(self, plane: DataPlane, catalogue: ModelCatalogue) -> None:
        self._plane = plane
        self._catalogue = catalogue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        plane = self._plane
        headers = decoded(scope["headers"])
        path: str = scope["path"]
        shape = model_list_shape(path, headers)
        request_id = plane.new_id("req_")
        extra: list[tuple[bytes, bytes]] = []
        try:
            plane.policy.check_source(headers)
            if scope["method"] not in READING:
                extra = [allow(READING)]
                raise method_not_allowed(scope["method"], READING)
            plane.policy.account(headers, scope["query_string"])
            content = self._content(path.partition("/models")[2].removeprefix("/"), shape)
        except GatewayError as error:
            await plane.refuse(send, error_protocol(shape), error, request_id, extra=extra)
            return
        head = [
            *plane.policy.cors(headers),
            (b"content-length", b"%d" % len(content)),
            (b"content-type", b"application/json"),
        ]
        await answer(send, 200, head, content)

    def _content(self, wanted: str, shape: Shape) -> bytes:
        entries = self._catalogue.models()
        if not wanted:
            return models.listing(entries, shape)
        entry = next((entry for entry in entries if entry.id == wanted), None)
        if entry is None:
            raise GatewayError(
                ErrorKind.NOT_FOUND,
                "model_not_found",
                f"The model {wanted[:200]!r} is not configured.",
                next_step="See GET /v1/models.",
                layer=Layer.CLIENT,
            )
        return models.single(entry, shape)
