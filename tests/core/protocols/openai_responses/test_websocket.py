"""The Responses WebSocket's text frames, with those Codex sent (codex/016-018)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.events import Finish, PartStart, PartStop, Start, TextDelta
from llmswitch_core.canonical.model import FinishReason
from llmswitch_core.hub.responses_state import ConnectionStore, expand_request, keep, to_store
from llmswitch_core.protocols.openai_responses.websocket import error_frame, prepared, read_frame, ws_frames
from tests.core.protocols.openai_responses.support import CLIENTS, CODEC, HEAD, scope, stream


def frame(name: str, **members: Any) -> bytes:
    body = json.loads((CLIENTS / "codex" / name).read_text(encoding="utf-8"))
    return json.dumps({**body, **members}).encode()


def test_codex_frames_are_bodies() -> None:
    first, second = read_frame(frame("016.json")), read_frame(frame("017.json"))
    assert (first.generate, second.generate) == (False, True)
    for one in (first, second):
        assert one.body["stream"] is True
        assert not {"type", "generate"} & set(one.body)
        CODEC.read_request(HEAD, one.body)


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"type":"response.steer"}', b"{}"])
def test_other_frames_are_refused(data: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        read_frame(data)
    assert caught.value.status == 400


def test_every_event_is_one_text_frame() -> None:
    events = [Start("r", "m"), PartStart(0, "text"), TextDelta(0, "a\nb"), PartStop(0), Finish(FinishReason.STOP)]
    data = stream(CODEC.stream_writer(scope(done_marker=True)), events)
    frames = [json.loads(one) for one in ws_frames(data)]
    assert [one["type"] for one in frames][:2] == ["response.created", "response.in_progress"]
    assert frames[-1]["type"] == "response.completed"
    assert [one["sequence_number"] for one in frames] == list(range(len(frames)))
    assert all(json.loads(one)["stream_id"] == "lane" for one in ws_frames(data, "lane"))


def test_errors_have_the_frames_form() -> None:
    error = GatewayError(ErrorKind.RATE_LIMIT, "x", "Slow.", retry_after=2, layer=Layer.UPSTREAM)
    (event,) = ws_frames(CODEC.stream_writer(scope()).fail(error))
    assert json.loads(event)["error"]["code"] == "rate_limit_exceeded"
    before = json.loads(error_frame(error, "lane"))
    assert (before["type"], before["status"], before["stream_id"]) == ("error", 429, "lane")
    assert before["error"]["message"] == "Slow."
    assert before["headers"] == {"retry-after": "2"}


def test_mp21_codex_over_a_connection_goes_on_although_nothing_is_stored() -> None:
    """generate:false prepares, later frames carry only what is new and a previous_response_id."""
    store = ConnectionStore()
    first = read_frame(frame("016.json"))
    shared = scope()
    data, response = prepared(shared)
    assert json.loads(ws_frames(data)[-1])["type"] == "response.completed"
    kept = to_store(request=first.body, response=response, account="a", created=1, new_id=shared.new_id)
    assert kept is not None
    assert kept.stored is False
    assert keep(store, kept)

    second = read_frame(frame("017.json", previous_response_id=response["id"]))
    body, _ = expand_request(store, second.body, "a")
    assert body["input"] == [*first.body["input"], *second.body["input"]]
    assert "previous_response_id" not in body

    call = {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_fcf21e6927da40d991f698d3",
        "name": "exec_command",
        "arguments": "{}",
    }
    answered = {"id": "resp_2", "status": "completed", "output": [call]}
    kept = to_store(request=second.body, response=answered, account="a", created=2, new_id=shared.new_id)
    assert kept is not None
    keep(store, kept)
    third = read_frame(frame("018.json", previous_response_id="resp_2"))
    body, _ = expand_request(store, third.body, "a")
    assert body["input"][-2:] == [call, *third.body["input"]]
    turns = CODEC.read_request(HEAD, body).turns
    assert [turn.role for turn in turns] == ["system", "system", "user", "user", "assistant", "user"]
