"""Real requests of the vendor's SDKs, read and written again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .support import CODEC, HEAD, written

CLIENTS = Path(__file__).parents[3] / "data" / "clients"


def _bodies() -> dict[str, dict[str, Any]]:
    found = {}
    for path in sorted(CLIENTS.glob("openai-*/[0-9]*.json")):
        body = json.loads(path.read_text(encoding="utf-8"))
        if "messages" in body:
            found[f"{path.parent.name}/{path.name}"] = body
    return found


BODIES = _bodies()


def test_there_are_bodies_of_both_sdks() -> None:
    assert {name.partition("/")[0] for name in BODIES} == {"openai-js", "openai-python"}


@pytest.mark.parametrize("name", BODIES)
def test_mp27_a_real_body_comes_out_as_it_went_in(name: str) -> None:
    body = BODIES[name]
    conversation = CODEC.read_request(HEAD, body)
    out, notes = written(conversation, stream=conversation.stream)
    expected = {**body, "model": "target-model"}
    if not expected.get("stream"):
        expected.pop("stream", None)
    else:
        expected["stream_options"] = {"include_usage": True}
    for message in expected["messages"]:
        for member in ("refusal", "annotations"):
            if not message.get(member):
                message.pop(member, None)
    assert out == expected
    assert notes == {}
