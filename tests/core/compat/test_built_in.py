"""One test per quirk of the built-in profiles, named after what the upstream does."""

from __future__ import annotations

import re
from typing import Any

import pytest

from llmswitch_core.canonical.errors import ErrorKind
from llmswitch_core.canonical.model import Conversation, Protocol, Reasoning, Text, Turn
from llmswitch_core.compat import BUILT_IN, compile_profiles
from llmswitch_core.compat.thinking import MEMBERS
from llmswitch_core.hub import pipeline as hub_pipeline
from llmswitch_core.protocols.anthropic_messages import models as messages_models
from llmswitch_core.protocols.contract import Notes, WireTarget
from llmswitch_core.protocols.gemini import settings_writer as gemini_settings
from llmswitch_core.protocols.openai_chat import OpenAIChat
from llmswitch_core.protocols.openai_chat import features as chat_features
from llmswitch_core.protocols.openai_responses import request_writer as responses_writer

from .documents import applied, built_in, context

NAMED = {"type": "function", "function": {"name": "f"}}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
FORCED = [pytest.param("required", id="required"), pytest.param(NAMED, id="named")]


def sent(name: str, body: dict[str, Any], **facts: Any) -> dict[str, Any]:
    return applied(built_in(name), body, **facts).body


def test_all_built_in_profiles_compile_and_are_there() -> None:
    assert {
        *("passthrough", "openai", "openai-compatible", "anthropic", "gemini", "deepseek", "glm", "qwen", "kimi"),
        *("mistral", "lmstudio", "llamacpp", "openrouter"),
    } == set(compile_profiles(BUILT_IN))


def test_built_in_documents_carry_their_own_name() -> None:
    assert all(name == document["name"] for name, document in BUILT_IN.items())


@pytest.mark.parametrize("name", ["passthrough", "anthropic", "gemini"])
def test_profiles_without_rules_leave_bodies_alone(name: str) -> None:
    profile = built_in(name)
    assert (profile.edits_requests, profile.edits_answers) == (False, False)


@pytest.mark.parametrize(
    "name", ["openai-compatible", "deepseek", "glm", "qwen", "kimi", "mistral", "lmstudio", "openrouter"]
)
def test_servers_of_the_dialect_know_no_developer_role(name: str) -> None:
    body = {"model": "m", "messages": [{"role": "developer", "content": "x"}, {"role": "user", "content": "y"}]}
    assert [message["role"] for message in sent(name, body)["messages"]] == ["system", "user"]


@pytest.mark.parametrize("name", sorted(set(BUILT_IN) - {"passthrough", "anthropic", "gemini"}))
def test_their_rules_hold_for_chat_completions_only(name: str) -> None:
    body = {"model": "m", "messages": [{"role": "developer"}], "tool_choice": "required", "temperature": 2}
    for outbound in (Protocol.ANTHROPIC_MESSAGES, Protocol.OPENAI_RESPONSES, Protocol.GEMINI):
        assert applied(built_in(name), body, outbound=outbound, model="o3").changed == set()


# --- openai --------------------------------------------------------------------------------------------


def test_openai_takes_max_completion_tokens_and_the_developer_role() -> None:
    features = built_in("openai").features
    assert features["max_tokens_field"] == "max_completion_tokens"
    assert features["developer_role"] is True


def test_openai_models_without_reasoning_refuse_reasoning_effort() -> None:
    outcome = applied(built_in("openai"), {"reasoning_effort": "high", "temperature": 0.5}, model="gpt-4o")
    assert outcome.body == {"temperature": 0.5}
    assert outcome.notes == {"reasoning.effort": "dropped"}


def test_openai_reasoning_models_refuse_sampling_and_stop() -> None:
    body = {"temperature": 0.5, "top_p": 0.9, "stop": ["x"], "reasoning_effort": "high", "seed": 1}
    outcome = applied(built_in("openai"), body, model="gpt-5.5")
    assert outcome.body == {"reasoning_effort": "high", "seed": 1}
    assert outcome.notes == {"sampling": "dropped", "sampling.stop": "dropped"}


@pytest.mark.parametrize(
    ("model", "word", "expected"),
    [
        ("o3", "xhigh", "high"),
        ("o4-mini", "minimal", "low"),
        ("o3", "none", None),
        ("gpt-5", "xhigh", "high"),
        ("gpt-5-mini", "none", None),
        ("gpt-5.1", "xhigh", "high"),
        ("gpt-5.1", "minimal", "low"),
        ("gpt-5.5", "xhigh", "xhigh"),
        ("gpt-5.5", "max", "xhigh"),
        ("gpt-5.5", "none", "none"),
    ],
)
def test_openai_efforts_go_by_model(model: str, word: str, expected: str | None) -> None:
    assert sent("openai", {"reasoning_effort": word}, model=model).get("reasoning_effort") == expected


def test_an_openai_clients_own_request_goes_as_it_is() -> None:
    body = {"temperature": 0.5, "stop": ["x"], "reasoning_effort": "high"}
    for model in ("gpt-5.5", "gpt-4o", "o3"):
        assert applied(built_in("openai"), body, model=model, inbound=Protocol.OPENAI_CHAT).changed == set()


# --- deepseek ------------------------------------------------------------------------------------------


def test_deepseek_wants_reasoning_back_after_tool_calls() -> None:
    features = built_in("deepseek").features
    assert (features["reasoning_content"], features["reasoning_content_placeholder"]) == ("echo", " ")
    body = {"messages": [{"role": "assistant", "tool_calls": [{"id": "1"}]}, {"role": "assistant", "content": "x"}]}
    first, second = sent("deepseek", body, model="deepseek-v4-pro")["messages"]
    assert first["reasoning_content"] == " "
    assert "reasoning_content" not in second
    kept = {"messages": [{"role": "assistant", "tool_calls": [{"id": "1"}], "reasoning_content": "because"}]}
    assert applied(built_in("deepseek"), kept, model="deepseek-v4-pro").changed == set()


@pytest.mark.parametrize("choice", FORCED)
def test_deepseek_refuses_forced_tools_while_thinking(choice: Any) -> None:
    outcome = applied(
        built_in("deepseek"),
        {"tool_choice": choice, "tools": TOOLS, "reasoning_effort": "high"},
        model="deepseek-v4-flash",
    )
    assert outcome.body["thinking"] == {"type": "disabled"}
    assert outcome.body["tool_choice"] == choice
    assert "reasoning_effort" not in outcome.body
    assert outcome.notes["reasoning.mode"] == "mapped"


def test_deepseek_chat_never_thinks_and_reasoner_always_does() -> None:
    forced = {"tool_choice": "required", "tools": TOOLS}
    assert sent("deepseek", forced, model="deepseek-chat") == forced
    assert sent("deepseek", forced, model="deepseek-reasoner")["tool_choice"] == "auto"


def test_deepseek_effort_words_are_low_high_and_max() -> None:
    words = {
        word: sent("deepseek", {"reasoning_effort": word}, model="deepseek-v4-pro")["reasoning_effort"]
        for word in ("minimal", "medium", "xhigh", "max")
    }
    assert words == {"minimal": "low", "medium": "high", "xhigh": "high", "max": "max"}


def test_deepseek_takes_content_as_a_string_only() -> None:
    body = {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]}
    assert sent("deepseek", body)["messages"][0]["content"] == "a\nb"
    assert built_in("deepseek").features["text_parts"] is False


def test_deepseek_knows_no_json_schema() -> None:
    assert built_in("deepseek").features["json_schema"] is False


# --- glm -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", FORCED)
def test_glm_knows_tool_choice_auto_only(choice: Any) -> None:
    assert sent("glm", {"tools": TOOLS, "tool_choice": choice})["tool_choice"] == "auto"


def test_glm_cannot_be_told_to_call_nothing_so_it_gets_no_tools() -> None:
    assert sent("glm", {"tools": TOOLS, "tool_choice": "none"}) == {}


def test_glm_thinks_by_type() -> None:
    assert sent("glm", {"reasoning_effort": "high"}) == {"thinking": {"type": "enabled"}}
    assert sent("glm", {"thinking": {"type": "enabled", "budget_tokens": 5}}) == {"thinking": {"type": "enabled"}}
    own = {"thinking": {"type": "enabled", "clear_thinking": False}}
    assert sent("glm", own) == own


def test_glm_ranges_are_narrower() -> None:
    outcome = applied(built_in("glm"), {"temperature": 1.5, "top_p": 0})
    assert outcome.body == {"temperature": 1.0, "top_p": 0.01}
    assert outcome.notes == {"sampling.temperature": "mapped", "sampling.top_p": "mapped"}


def test_glm_takes_one_stop_word() -> None:
    assert sent("glm", {"stop": ["a", "b"]}) == {"stop": ["a"]}
    assert built_in("glm").features["max_stop"] == 1


def test_glm_knows_neither_stream_options_nor_strict_nor_max_completion_tokens() -> None:
    body = {
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 5,
        "tools": [{"type": "function", "function": {"name": "f", "strict": True}}],
    }
    assert sent("glm", body) == {"max_tokens": 5, "tools": [{"type": "function", "function": {"name": "f"}}]}


def test_glm_hides_faults_in_its_own_envelope() -> None:
    profile = built_in("glm")
    error = profile.failure({"code": 500, "msg": "404 NOT_FOUND", "success": False}, context())
    assert error is not None
    assert (error.kind, error.message) == (ErrorKind.UPSTREAM, "404 NOT_FOUND")
    limited = profile.failure({"code": 1302, "msg": "slow down", "success": False}, context())
    assert limited is not None
    assert limited.kind is ErrorKind.RATE_LIMIT
    assert profile.failure({"choices": []}, context()) is None


# --- qwen ----------------------------------------------------------------------------------------------


def test_qwen_thinks_by_switch_and_budget() -> None:
    assert sent("qwen", {"thinking": {"type": "enabled", "budget_tokens": 2000}}) == {
        "enable_thinking": True,
        "thinking_budget": 2000,
    }
    assert sent("qwen", {"reasoning_effort": "none"}) == {"enable_thinking": False}


def test_qwen_open_models_do_not_think_without_streaming() -> None:
    for model, switched in (
        ("qwen3-32b", True),
        ("qwen3-235b-a22b", True),
        ("qwen3-235b-a22b-thinking-2507", False),
        ("qwen3-235b-a22b-instruct-2507", False),
        ("qwen3.8-max", False),
    ):
        out = sent("qwen", {"enable_thinking": True, "thinking_budget": 9}, model=model, stream=False)
        assert (out == {"enable_thinking": False}) is switched, model
        assert sent("qwen", {"enable_thinking": True}, model=model, stream=True) == {"enable_thinking": True}


@pytest.mark.parametrize("choice", FORCED)
def test_qwen_refuses_forced_tools_while_thinking(choice: Any) -> None:
    body = {"tools": TOOLS, "tool_choice": choice, "enable_thinking": True, "thinking_budget": 5}
    out = sent("qwen", body, model="qwen3.6-plus")
    assert out == {"tools": TOOLS, "tool_choice": choice, "enable_thinking": False}
    always = sent("qwen", {"tools": TOOLS, "tool_choice": choice}, model="qwen3-next-80b-a3b-thinking")
    assert always["tool_choice"] == "auto"
    never = {"tools": TOOLS, "tool_choice": choice}
    assert sent("qwen", never, model="qwen3-coder-plus") == never


# --- kimi ----------------------------------------------------------------------------------------------


def test_kimi_fixes_its_sampling() -> None:
    body = {"temperature": 0.2, "top_p": 0.5, "n": 1, "presence_penalty": 0, "frequency_penalty": 0, "seed": 3}
    assert sent("kimi", body, model="kimi-k2.6") == {"seed": 3}
    assert sent("kimi", body, model="moonshot-v1-8k") == body


@pytest.mark.parametrize("choice", FORCED)
def test_kimi_refuses_forced_tools_while_thinking(choice: Any) -> None:
    body = {"tools": TOOLS, "tool_choice": choice}
    assert sent("kimi", body, model="kimi-k2.6") == {**body, "thinking": {"type": "disabled"}}
    for model in ("kimi-k3", "kimi-k2.7-code"):
        assert sent("kimi", body, model=model) == {**body, "tool_choice": "auto"}


def test_kimi_k3_is_steered_by_effort_and_always_thinks() -> None:
    assert sent("kimi", {"reasoning_effort": "medium"}, model="kimi-k3") == {"reasoning_effort": "high"}
    assert sent("kimi", {"thinking": {"type": "disabled"}}, model="kimi-k3") == {}
    assert sent("kimi", {"thinking": {"type": "disabled"}}, model="kimi-k2.7-code") == {}
    assert sent("kimi", {"reasoning_effort": "none"}, model="kimi-k2.6") == {"thinking": {"type": "disabled"}}


def test_kimi_wants_reasoning_on_every_call_message() -> None:
    assert built_in("kimi").features["reasoning_content"] == "echo"
    body = {"messages": [{"role": "assistant", "tool_calls": [{"id": "1"}]}]}
    assert sent("kimi", body, model="kimi-k2.6")["messages"][0]["reasoning_content"] == " "
    assert sent("kimi", body, model="moonshot-v1-8k") == body


def test_kimi_takes_max_completion_tokens_and_no_strict() -> None:
    assert built_in("kimi").features["max_tokens_field"] == "max_completion_tokens"
    body = {"tools": [{"type": "function", "function": {"name": "f", "strict": False}}]}
    assert "strict" not in sent("kimi", body)["tools"][0]["function"]


# --- mistral -------------------------------------------------------------------------------------------


def test_mistral_ids_have_nine_characters() -> None:
    body = {
        "messages": [
            {"role": "assistant", "tool_calls": [{"id": "toolu_0123456789"}]},
            {"role": "tool", "tool_call_id": "toolu_0123456789"},
        ]
    }
    first, second = sent("mistral", body)["messages"]
    assert len(first["tool_calls"][0]["id"]) == 9
    assert first["tool_calls"][0]["id"] == second["tool_call_id"]


def test_mistral_renames_seed_and_refuses_unknown_members() -> None:
    body = {"model": "m", "seed": 5, "max_completion_tokens": 7, "stream_options": {}, "metadata": {}}
    outcome = applied(built_in("mistral"), body)
    assert outcome.body == {"model": "m", "random_seed": 5, "max_tokens": 7}
    assert outcome.notes == {"member.stream_options": "dropped", "metadata": "dropped"}


# --- local servers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lmstudio", "llamacpp"])
def test_local_servers_take_tool_choice_as_a_string(name: str) -> None:
    tools = [*TOOLS, {"type": "function", "function": {"name": "g"}}]
    assert sent(name, {"tools": tools, "tool_choice": NAMED}) == {"tools": TOOLS, "tool_choice": "required"}


@pytest.mark.parametrize("name", ["lmstudio", "llamacpp"])
def test_local_grammars_take_anchored_patterns_only(name: str) -> None:
    def tool(**properties: Any) -> list[dict[str, Any]]:
        return [{"type": "function", "function": {"name": "f", "parameters": {"properties": properties}}}]

    outcome = applied(built_in(name), {"tools": tool(a={"pattern": "\\S"}, b={"pattern": "^x$"})})
    assert outcome.body == {"tools": tool(a={}, b={"pattern": "^x$"})}
    assert outcome.notes == {"tool.parameters": "mapped"}


# --- openrouter ----------------------------------------------------------------------------------------


def test_openrouter_takes_reasoning_as_an_object() -> None:
    assert sent("openrouter", {"reasoning_effort": "high"}) == {"reasoning": {"effort": "high"}}
    assert built_in("openrouter").features["reasoning_field"] == "reasoning"
    assert built_in("openrouter").features["reasoning_details"] is True


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": 502, "message": "model is down"}},
        {"choices": [{"finish_reason": "error", "error": {"code": 502, "message": "model is down"}}]},
    ],
)
def test_openrouter_reports_model_failures_inside_a_200(body: dict[str, Any]) -> None:
    profile = built_in("openrouter")
    assert profile.checks_answers
    error = profile.failure(body, context())
    assert error is not None
    assert (error.status, error.vendor_code, error.message) == (502, "502", "model is down")
    limited = profile.failure({"error": {"code": 429, "message": "slow"}}, context())
    assert limited is not None
    assert limited.kind is ErrorKind.RATE_LIMIT


# --- together with the writer --------------------------------------------------------------------------


def written(name: str, reasoning: Reasoning, model: str) -> dict[str, Any]:
    """What a Messages client's reasoning becomes on the Chat Completions wire of an upstream."""
    profile = built_in(name)
    conversation = Conversation(Protocol.ANTHROPIC_MESSAGES, model, [Turn("user", [Text("hi")])], reasoning=reasoning)
    target = WireTarget(model, False, False, profile.features)
    body = OpenAIChat().write_request(conversation, target, Notes()).body
    return {key: value for key, value in applied(profile, body, model=model).body.items() if key in MEMBERS}


@pytest.mark.parametrize(
    ("name", "model", "reasoning", "members"),
    [
        ("openai", "gpt-4o", Reasoning(effort="medium"), {}),
        ("openai", "o3", Reasoning(mode="on", budget_tokens=60_000), {"reasoning_effort": "high"}),
        ("openai", "gpt-5.5", Reasoning(effort="max"), {"reasoning_effort": "xhigh"}),
        (
            "deepseek",
            "deepseek-v4-pro",
            Reasoning(mode="adaptive", effort="medium"),
            {"thinking": {"type": "enabled"}, "reasoning_effort": "high"},
        ),
        ("deepseek", "deepseek-v4-pro", Reasoning(mode="off"), {"thinking": {"type": "disabled"}}),
        ("glm", "glm-5", Reasoning(effort="high"), {"thinking": {"type": "enabled"}}),
        ("glm", "glm-5", Reasoning(mode="off"), {"thinking": {"type": "disabled"}}),
        ("kimi", "kimi-k3", Reasoning(mode="adaptive", effort="medium"), {"reasoning_effort": "high"}),
        ("kimi", "kimi-k2.6", Reasoning(mode="adaptive", effort="medium"), {"thinking": {"type": "enabled"}}),
        (
            "qwen",
            "qwen3.6-plus",
            Reasoning(mode="on", budget_tokens=2_000),
            {"enable_thinking": True, "thinking_budget": 2_000},
        ),
        ("openrouter", "z-ai/glm-5", Reasoning(effort="high"), {"reasoning": {"effort": "high"}}),
        ("mistral", "mistral-large", Reasoning(effort="high"), {}),
    ],
)
def test_a_messages_clients_thinking_arrives_in_the_vendors_words(
    name: str, model: str, reasoning: Reasoning, members: dict[str, Any]
) -> None:
    assert written(name, reasoning, model) == members


# --- features ------------------------------------------------------------------------------------------


def test_every_feature_is_one_a_protocol_writer_asks_for() -> None:
    documented = " ".join(
        module.__doc__ or ""
        for module in (chat_features, responses_writer, gemini_settings, messages_models, hub_pipeline)
    )
    known = set(re.findall(r"[a-z_]+", documented))
    for name, document in BUILT_IN.items():
        assert set(document.get("features", {})) <= known, name
