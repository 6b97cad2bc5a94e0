"""The first third of the one-path rule: nobody but the pipeline makes an UpstreamRequest."""

from __future__ import annotations

import copy
import pickle

import pytest

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.hub.upstream import _SEAL, UpstreamRequest, _Seal
from llmswitch_core.router.contract import Target

TARGET = Target("p", "k", "m", Protocol.OPENAI_CHAT, "passthrough", "p")


def made(seal: object) -> UpstreamRequest:
    return UpstreamRequest(
        seal,  # type: ignore[arg-type]
        request_id="r",
        attempt=1,
        operation="generate",
        target=TARGET,
        method="POST",
        path="/chat/completions",
        query={},
        headers={},
        body=b"{}",
        stream=False,
    )


def test_without_the_seal_it_cannot_be_made() -> None:
    for forged in (None, object(), _Seal()):
        with pytest.raises(TypeError, match=r"HubPipeline\.plan"):
            made(forged)


def test_it_cannot_be_changed_copied_pickled_or_subclassed() -> None:
    request = made(_SEAL)
    with pytest.raises(AttributeError):
        request.body = b"other"
    with pytest.raises(AttributeError):
        del request.body
    with pytest.raises(TypeError):
        copy.copy(request)
    with pytest.raises(TypeError):
        copy.deepcopy(request)
    with pytest.raises(TypeError):
        pickle.dumps(request)
    with pytest.raises(TypeError):
        type("Forged", (UpstreamRequest,), {})
