"""An ASGI endpoint, and an answer that is whole. It knows messages, and no policy, protocol or framework."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from routecodex.blocks.http_adapter.contract import Headers, Receive, Scope, Send

ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]


async def answer(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """Send a whole answer; framing headers are the caller's."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def route_path(scope: Scope) -> str:
    """The path below the place the application is mounted at (`root_path`), as Starlette reads it."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if not root or not path.startswith(root):
        return path
    below = path[len(root) :]
    return below if not below or below.startswith("/") else path
