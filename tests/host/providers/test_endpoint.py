"""URLs: base, template, query; what a vendor's address looks like in the end."""

from __future__ import annotations

from typing import Any

import pytest

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.hub.upstream import UpstreamRequest
from llmswitch_core.router.contract import Target
from routecodex.config.compiled import EndpointSpec
from routecodex.providers.endpoint import Endpoint
from tests.host.providers.sealed import request


def url(base: str, spec: EndpointSpec, sealed: UpstreamRequest) -> str:
    endpoint = Endpoint(base, sealed.target.protocol, spec)
    first = endpoint.url(sealed)
    assert endpoint.url(sealed) is first, "the same request costs no second making"
    return first


PROJECT = "/v1/projects/p-1/locations/europe-west4/publishers/"
AZURE = EndpointSpec("azure", path="/openai/deployments/{model}{path}", query={"api-version": "2026-01-01"})
VERTEX = EndpointSpec(
    "vertex",
    path="/v1/projects/{project}/locations/{location}/publishers/google/models/{model}:{verb}",
    variables={"project": "p-1", "location": "europe-west4"},
)
VERTEX_CLAUDE = EndpointSpec(
    "vertex",
    path="/v1/projects/{project}/locations/{location}/publishers/anthropic/models/{model}:{verb}",
    variables={"project": "p-1", "location": "europe-west4"},
)


@pytest.mark.parametrize(
    ("base", "spec", "made", "expected"),
    [
        (
            "https://api.openai.com/v1",
            EndpointSpec(),
            {"path": "/chat/completions"},
            "https://api.openai.com/v1/chat/completions",
        ),
        (
            "https://api.anthropic.com/",
            EndpointSpec(),
            {"path": "/v1/messages", "query": {"beta": "true"}},
            "https://api.anthropic.com/v1/messages?beta=true",
        ),
        (
            "https://me.openai.azure.com",
            AZURE,
            {"path": "/chat/completions", "model": "my deployment"},
            "https://me.openai.azure.com/openai/deployments/my%20deployment/chat/completions?api-version=2026-01-01",
        ),
        (
            "https://aiplatform.googleapis.com",
            VERTEX,
            {
                "path": "/v1beta/models/gemini-3-pro:streamGenerateContent",
                "query": {"alt": "sse"},
                "model": "gemini-3-pro",
                "protocol": Protocol.GEMINI,
            },
            f"https://aiplatform.googleapis.com{PROJECT}google/models/gemini-3-pro:streamGenerateContent?alt=sse",
        ),
        (
            "https://aiplatform.googleapis.com",
            VERTEX_CLAUDE,
            {"path": "/v1/messages", "model": "claude@1", "protocol": Protocol.ANTHROPIC_MESSAGES, "stream": True},
            f"https://aiplatform.googleapis.com{PROJECT}anthropic/models/claude%401:streamRawPredict",
        ),
        (
            "https://x.example/{region}",
            EndpointSpec("custom", path="/run/{model}", paths={"embed": "/vec"}, variables={"region": "{model}"}),
            {"path": "/embeddings", "operation": "embed"},
            "https://x.example/{model}/vec",
        ),
        (
            "https://x.example/api?fixed=1",
            EndpointSpec("custom", path=""),
            {"path": "/ignored", "query": {"a b": "c&d"}},
            "https://x.example/api?fixed=1&a%20b=c%26d",
        ),
    ],
)
def test_addresses(base: str, spec: EndpointSpec, made: dict[str, Any], expected: str) -> None:
    assert url(base, spec, request(**made)) == expected


def test_unknown_braces_are_left_alone() -> None:
    assert url("https://x", EndpointSpec("custom", path="/{nothing}/{"), request(path="/p")) == "https://x/{nothing}/{"


def test_the_memory_for_urls_is_bounded() -> None:
    endpoint = Endpoint("https://x", Protocol.OPENAI_RESPONSES, EndpointSpec())
    for number in range(5000):
        assert endpoint.url(request(path=f"/responses/{number}")).endswith(f"/{number}")
    assert len(endpoint._made) <= 512


def test_a_target_is_part_of_the_request_and_cannot_be_changed() -> None:
    sealed = request(path="/p")
    with pytest.raises(AttributeError):
        sealed.target = Target("b", "main", "m", Protocol.GEMINI, "plain", "v")  # type: ignore[misc]
