"""The sealed UpstreamRequest: the only thing Provider V2 sends, and only the Hub Pipeline can make one.

Sealed means: constructing needs the seal of this module, and copying, pickling, subclassing and changing are
refused. That is the type-level third of the one-path rule (architecture.md §1); lint and tests are the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NoReturn, TypeAlias, final

from llmswitch_core.router.contract import Target

Operation: TypeAlias = Literal["generate", "count_tokens", "embed", "compact", "forward"]


class _Seal:
    __slots__ = ()


_SEAL: Final = _Seal()


@final
class UpstreamRequest:
    """One HTTP request to a target, complete but for base URL and credentials, which the provider adds.

    `path` is relative to the provider's base URL and starts with `/`; `query` and `headers` are protocol semantics
    (betas, versions), never credentials; `body` is the encoded JSON; `stream` tells whether SSE is expected;
    `attempt` counts from 1 within the client request.
    """

    __slots__ = (
        "attempt",
        "body",
        "headers",
        "method",
        "operation",
        "path",
        "query",
        "request_id",
        "stream",
        "target",
    )

    request_id: str
    attempt: int
    operation: Operation
    target: Target
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    stream: bool

    def __init__(
        self,
        seal: _Seal,
        *,
        request_id: str,
        attempt: int,
        operation: Operation,
        target: Target,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
        stream: bool,
    ) -> None:
        if seal is not _SEAL:
            raise TypeError("An UpstreamRequest is made by HubPipeline.plan only; call RequestFlow.run instead.")
        assign = object.__setattr__
        assign(self, "request_id", request_id)
        assign(self, "attempt", attempt)
        assign(self, "operation", operation)
        assign(self, "target", target)
        assign(self, "method", method)
        assign(self, "path", path)
        assign(self, "query", query)
        assign(self, "headers", headers)
        assign(self, "body", body)
        assign(self, "stream", stream)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"UpstreamRequest is sealed: {name} cannot be changed.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"UpstreamRequest is sealed: {name} cannot be removed.")

    def __init_subclass__(cls, **_: Any) -> NoReturn:
        raise TypeError("UpstreamRequest is sealed and cannot be subclassed.")

    def __copy__(self) -> NoReturn:
        raise TypeError("UpstreamRequest is sealed and cannot be copied.")

    def __deepcopy__(self, memo: object) -> NoReturn:
        raise TypeError("UpstreamRequest is sealed and cannot be copied.")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("UpstreamRequest is sealed and cannot be pickled.")

    def __repr__(self) -> str:
        name = f"{self.request_id}#{self.attempt}"
        return f"<UpstreamRequest {name} {self.method} {self.path} -> {self.target.provider_key}>"
