"""Thinking, sampling, structured output and token limits of written requests."""

from __future__ import annotations

from typing import Any

import pytest

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.model import (
    FunctionTool,
    OutputFormat,
    Reasoning,
    Sampling,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from llmswitch_core.protocols.anthropic_messages.models import abilities
from tests.core.protocols.anthropic_messages.builders import M, body_of, conversation, read, write

OLD = "claude-3-5-haiku-20241022"
BUDGET = "claude-sonnet-4-5"
BOTH = "claude-opus-4-6"
ADAPTIVE = "claude-opus-5-5"


@pytest.mark.parametrize(
    ("model", "style"),
    [
        ("claude-3-opus-20240229", "none"),
        (OLD, "none"),
        ("claude-3-7-sonnet-20250219", "budget"),
        ("claude-sonnet-4-20250514", "budget"),
        ("anthropic/claude-opus-4.1", "budget"),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "budget"),
        ("claude-sonnet-4-6", "both"),
        ("anthropic/claude-4.6-opus", "both"),
        ("claude-opus-4-7", "adaptive"),
        ("claude-haiku-5-5", "adaptive"),
        ("claude-mythos-preview", "adaptive"),
        ("glm-5", "budget"),
    ],
)
def test_the_form_of_thinking_follows_the_version(model: str, style: str) -> None:
    assert abilities(model, {}).thinking_style == style


def test_a_profile_overrides_what_the_name_says() -> None:
    assert abilities(ADAPTIVE, {"thinking_style": "budget", "efforts": ["low"]}).efforts == ("low",)


@pytest.mark.parametrize(
    ("model", "reasoning", "thinking", "effort"),
    [
        (ADAPTIVE, Reasoning(effort="high"), {"type": "adaptive"}, "high"),
        (ADAPTIVE, Reasoning(effort="minimal"), {"type": "adaptive"}, "low"),
        (ADAPTIVE, Reasoning(effort="none"), {"type": "disabled"}, None),
        (ADAPTIVE, Reasoning("on", budget_tokens=8192), {"type": "adaptive"}, "medium"),
        (ADAPTIVE, Reasoning(budget_tokens=-1), {"type": "adaptive"}, None),
        (ADAPTIVE, Reasoning(budget_tokens=0), {"type": "disabled"}, None),
        (ADAPTIVE, Reasoning(visible=True), {"type": "adaptive", "display": "summarized"}, None),
        (ADAPTIVE, Reasoning(effort="low", summary="auto"), {"type": "adaptive", "display": "summarized"}, "low"),
        (ADAPTIVE, Reasoning(encrypted=True), None, None),
        (BOTH, Reasoning(effort="xhigh"), {"type": "adaptive"}, "high"),
        (BOTH, Reasoning("on", budget_tokens=4096), {"type": "enabled", "budget_tokens": 4096}, None),
        (BUDGET, Reasoning(effort="high"), {"type": "enabled", "budget_tokens": 24576}, None),
        (BUDGET, Reasoning(effort="minimal"), {"type": "enabled", "budget_tokens": 1024}, None),
        (BUDGET, Reasoning("on", budget_tokens=2048), {"type": "enabled", "budget_tokens": 2048}, None),
        (OLD, Reasoning(effort="high"), None, None),
    ],
)
def test_effort_and_budget_in_the_targets_form(model: str, reasoning: Reasoning, thinking: Any, effort: Any) -> None:
    body = body_of(conversation(reasoning=reasoning), model)
    assert body.get("thinking") == thinking
    assert body.get("output_config", {}).get("effort") == effort


def test_a_messages_clients_thinking_moves_to_a_model_of_the_other_form() -> None:
    adaptive = read(
        thinking={"type": "adaptive", "display": "omitted"}, output_config={"effort": "low"}, max_tokens=64000
    )
    assert body_of(adaptive, BUDGET)["thinking"] == {"type": "enabled", "budget_tokens": 1024, "display": "omitted"}
    by_budget = read(thinking={"type": "enabled", "budget_tokens": 31999}, max_tokens=64000)
    assert body_of(by_budget, ADAPTIVE)["thinking"] == {"type": "adaptive"}
    assert body_of(by_budget, BUDGET)["thinking"] == {"type": "enabled", "budget_tokens": 31999}


@pytest.mark.parametrize(
    ("said", "budget", "expected_tokens", "expected_budget"),
    [
        (None, 24576, 56576, 24576),
        (None, 8192, 32000, 8192),
        (10000, 24576, 10000, 8000),
        (64000, 24576, 64000, 24576),
        (None, 60000, 64000, 60000),
    ],
)
def test_the_budget_stays_below_max_tokens(said: Any, budget: int, expected_tokens: int, expected_budget: int) -> None:
    reasoning = Reasoning("on", budget_tokens=budget)
    body = body_of(conversation(reasoning=reasoning, sampling=Sampling(max_output_tokens=said)), BUDGET)
    assert (body["max_tokens"], body["thinking"]["budget_tokens"]) == (expected_tokens, expected_budget)


def test_no_room_for_a_budget_turns_thinking_off_with_a_note() -> None:
    subject = conversation(reasoning=Reasoning(effort="high"), sampling=Sampling(max_output_tokens=600))
    request, notes = write(subject, BUDGET)
    assert request.body["thinking"] == {"type": "disabled"}
    assert ("reasoning", "dropped") in notes.items()


@pytest.mark.parametrize(
    ("said", "features", "expected"),
    [
        (None, {}, 32000),
        (None, {"default_max_tokens": 500}, 500),
        (None, {"max_output_tokens": 4096}, 4096),
        (9000, {"max_output_tokens": 4096}, 4096),
        (10, {}, 10),
        (0, {}, 0),
    ],
)
def test_max_tokens_is_always_there_and_within_the_cap(said: Any, features: dict[str, Any], expected: int) -> None:
    body = body_of(conversation(sampling=Sampling(max_output_tokens=said)), **features)
    assert body["max_tokens"] == expected


@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("named", name="f")])
@pytest.mark.parametrize("model", [BUDGET, BOTH, ADAPTIVE])
def test_mp23_a_forced_tool_turns_thinking_off_with_a_note(choice: ToolChoice, model: str) -> None:
    subject = conversation(reasoning=Reasoning(effort="high"), tools=[FunctionTool("f")], tool_choice=choice)
    request, notes = write(subject, model)
    assert request.body["thinking"] == {"type": "disabled"}
    assert request.body["tool_choice"]["type"] in ("any", "tool")
    assert ("reasoning", "dropped") in notes.items()


def test_mp23_a_model_that_cannot_stop_thinking_gets_the_choice_loosened() -> None:
    subject = conversation(
        reasoning=Reasoning(effort="high"), tools=[FunctionTool("f")], tool_choice=ToolChoice("named", name="f")
    )
    request, notes = write(subject, thinking_disable=False)
    assert request.body["thinking"] == {"type": "adaptive"}
    assert request.body["tool_choice"] == {"type": "auto"}
    assert ("tool_choice", "mapped") in notes.items()


def loop(*before: Thinking) -> list[Turn]:
    return [
        Turn("user", [Text("go")]),
        Turn("assistant", [*before, ToolCall("a", "f", "{}")]),
        Turn("user", [ToolResult("a", [Text("ok")])]),
    ]


def test_a_budget_model_cannot_think_on_in_a_loop_that_began_without_thinking() -> None:
    reasoning = Reasoning(effort="high")
    assert body_of(conversation(*loop(), reasoning=reasoning), BUDGET)["thinking"] == {"type": "disabled"}
    signed = conversation(*loop(Thinking("hm", signature="E", origin=M)), reasoning=reasoning)
    assert body_of(signed, BUDGET)["thinking"]["type"] == "enabled"
    assert body_of(conversation(*loop(), reasoning=reasoning), ADAPTIVE)["thinking"] == {"type": "adaptive"}


@pytest.mark.parametrize(
    ("model", "sampling", "thinks", "kept", "dropped"),
    [
        (BUDGET, Sampling(temperature=0.5), False, {"temperature": 0.5}, set()),
        (BUDGET, Sampling(temperature=0.5, top_k=4), True, {}, {"temperature", "top_k"}),
        (BUDGET, Sampling(temperature=1, top_p=0.97), True, {"temperature": 1}, {"top_p"}),
        (BUDGET, Sampling(top_p=0.5), True, {}, {"top_p"}),
        (BUDGET, Sampling(top_p=0.96), True, {"top_p": 0.96}, set()),
        (BUDGET, Sampling(temperature=0.5, top_p=0.5), False, {"temperature": 0.5}, {"top_p"}),
        (OLD, Sampling(temperature=0.5, top_p=0.5), False, {"temperature": 0.5, "top_p": 0.5}, set()),
        (ADAPTIVE, Sampling(temperature=0.5, top_p=0.5, top_k=2), False, {}, {"temperature", "top_p", "top_k"}),
        (ADAPTIVE, Sampling(temperature=1), False, {"temperature": 1}, set()),
        ("glm-5", Sampling(temperature=0.2, top_p=0.5), True, {"temperature": 0.2, "top_p": 0.5}, set()),
    ],
)
def test_sampling_parameters_follow_model_and_thinking(
    model: str, sampling: Sampling, thinks: bool, kept: dict[str, float], dropped: set[str]
) -> None:
    reasoning = Reasoning(effort="low") if thinks else None
    request, notes = write(conversation(sampling=sampling, reasoning=reasoning), model)
    names = ("temperature", "top_p", "top_k")
    assert {name: request.body[name] for name in names if name in request.body} == kept
    assert {name for name, how in notes.items() if how == "dropped"} == {f"sampling.{name}" for name in dropped}


def test_a_temperature_above_one_is_one() -> None:
    request, notes = write(conversation(sampling=Sampling(temperature=1.7)), BUDGET)
    assert request.body["temperature"] == 1.0
    assert ("sampling.temperature", "mapped") in notes.items()


def test_sampling_without_an_equal_is_told() -> None:
    sampling = Sampling(seed=1, presence_penalty=0.1, frequency_penalty=0.1, logprobs=True, top_logprobs=2, n=1)
    names = {name for name, _ in write(conversation(sampling=sampling))[1].items()}
    assert names == {
        f"sampling.{name}" for name in ("seed", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs")
    }


def test_more_than_one_answer_is_refused() -> None:
    with pytest.raises(GatewayError) as caught:
        body_of(conversation(sampling=Sampling(n=2)))
    assert caught.value.code == "unsupported_n"


def test_mp23_stop_sequences_are_kept_but_blank_ones() -> None:
    request, notes = write(conversation(sampling=Sampling(stop=["END", "\n"])))
    assert request.body["stop_sequences"] == ["END"]
    assert ("sampling.stop", "dropped") in notes.items()


SCHEMA = {
    "type": "object",
    "properties": {
        "n": {"type": "integer", "minimum": 1, "description": "count"},
        "when": {"type": "string", "format": "date"},
        "kind": {"oneOf": [{"type": "string", "pattern": "^a"}, {"type": "null"}]},
    },
    "required": ["n"],
}


def test_structured_output_is_a_format_within_the_subset() -> None:
    request, notes = write(conversation(output=OutputFormat("json_schema", schema=SCHEMA, name="x")))
    schema = request.body["output_config"]["format"]["schema"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["n"] == {"type": "integer", "description": "count\n\n{minimum: 1}"}
    assert schema["properties"]["when"] == {"type": "string", "format": "date"}
    assert schema["properties"]["kind"]["anyOf"][0] == {"type": "string", "description": '{pattern: "^a"}'}
    assert ("output.schema", "mapped") in notes.items()
    assert SCHEMA["properties"]["n"]["minimum"] == 1  # type: ignore[index]


def test_structured_output_stands_beside_effort() -> None:
    subject = conversation(
        reasoning=Reasoning(effort="low"), output=OutputFormat("json_schema", schema={"type": "object"})
    )
    assert set(body_of(subject)["output_config"]) == {"effort", "format"}


@pytest.mark.parametrize(
    ("output", "model"),
    [(OutputFormat("json"), ADAPTIVE), (OutputFormat("json_schema", schema=SCHEMA), OLD)],
)
def test_without_structured_output_the_system_prompt_asks_for_json(output: OutputFormat, model: str) -> None:
    request, notes = write(conversation(output=output), model)
    assert "JSON" in request.body["system"][-1]["text"]
    assert "output_config" not in request.body
    assert ("output", "mapped") in notes.items()


def test_answers_in_sound_are_refused() -> None:
    with pytest.raises(GatewayError) as caught:
        body_of(conversation(output=OutputFormat(modalities=["text", "audio"])))
    assert caught.value.code == "unsupported_modality"
