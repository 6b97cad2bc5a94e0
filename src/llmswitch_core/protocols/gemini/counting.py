"""Token counts: the countTokens answer, both ways. (Its request is request_writer's.)"""

from __future__ import annotations

from collections.abc import Mapping

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.model import JsonValue
from llmswitch_core.protocols.gemini.errors import error_of
from llmswitch_core.protocols.gemini.wire import camel_keys, count


def read_count(body: Mapping[str, JsonValue]) -> int:
    """`totalTokens`. Raises the upstream's error, or `bad_answer` where there is no count."""
    top = camel_keys(body)
    if top.get("error") is not None:
        raise error_of(top, None)
    if "totalTokens" not in top:
        raise GatewayError(
            ErrorKind.UPSTREAM,
            "bad_answer",
            "The upstream's countTokens answer has no totalTokens.",
            next_step="Check that the provider's base URL is a Gemini API.",
            layer=Layer.UPSTREAM,
        )
    return count(top["totalTokens"])


def write_count(tokens: int, estimated: bool) -> bytes:
    """`{"totalTokens": n}`; only a real count has the vendor's breakdown beside it."""
    body: dict[str, JsonValue] = {"totalTokens": tokens}
    if not estimated:
        body["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": tokens}]
    return jsonio.encode(body)
