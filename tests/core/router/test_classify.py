from __future__ import annotations

from typing import Any

import pytest

from llmswitch_core.canonical.model import HostedTool, Media, Protocol, Reasoning, ToolChoice
from llmswitch_core.router.classify import Classifier, classify
from llmswitch_core.router.contract import ROUTES, ClassifierSettings
from llmswitch_core.router.features import features_of

from .builders import assistant, call, conversation, features, result, user

SETTINGS = ClassifierSettings()
IMAGE = Media("image", "image/png", data="iVBORw0KGgo=")


def route_of(**changes: Any) -> str:
    return classify(features(**changes), SETTINGS, ROUTES)[0]


@pytest.mark.parametrize(
    ("changes", "route", "reason"),
    [
        ({}, "default", "default:nothing-else-applies"),
        ({"latest_media": ("image",)}, "vision", "vision:latest-turn-has-image"),
        ({"latest_media": ("image", "document")}, "multimodal", "multimodal:latest-turn-has-document"),
        ({"latest_media": ("audio",)}, "multimodal", "multimodal:latest-turn-has-audio"),
        ({"estimated_tokens": 120_000}, "longcontext", "longcontext:tokens>=120000"),
        (
            {"last_tool": "WebFetch", "last_tool_category": "web"},
            "web_search",
            "web_search:last-tool=WebFetch",
        ),
        ({"forced_tool": "web_search"}, "web_search", "web_search:forced-tool=web_search"),
        ({"latest_text": "Please search the web for it"}, "web_search", "web_search:keyword=search the web"),
        ({"thinking": True}, "thinking", "thinking:asked-to-think"),
        ({"latest_text": "ULTRATHINK about this"}, "thinking", "thinking:keyword=ultrathink"),
        ({"last_tool": "Edit", "last_tool_category": "coding"}, "coding", "coding:last-tool=Edit"),
        ({"last_tool": "Grep", "last_tool_category": "search"}, "search", "search:last-tool=Grep"),
        ({"last_tool": "get_weather", "last_tool_category": "other"}, "tools", "tools:last-tool=get_weather"),
        ({"model": "claude-3-5-haiku"}, "background", "background:small-side-request"),
    ],
)
def test_each_route_has_its_own_cause(changes: dict[str, Any], route: str, reason: str) -> None:
    chosen, reasons = classify(features(**changes), SETTINGS, ROUTES)
    assert chosen == route
    assert reasons[-1] == reason


def test_what_is_merely_offered_or_past_decides_nothing() -> None:
    assert route_of(hosted_tools=("web_search",), has_tools=True) == "default"
    assert route_of(tool_names=("Edit", "WebSearch", "Grep"), has_tools=True) == "default"
    assert route_of(has_media=True) == "default"
    assert route_of(forced_tool="get_weather", has_tools=True) == "default"


def test_an_image_in_the_history_is_no_vision_request() -> None:
    old = features_of(conversation(user("look", IMAGE), assistant("red"), user("thanks, now fix main.py")))
    assert classify(old, SETTINGS, ROUTES)[0] == "default"


def test_a_keyword_in_a_tool_result_or_a_reminder_does_not_count() -> None:
    for request in (
        conversation(user("go"), assistant(call("get_weather")), user(result("search the web, ultrathink"))),
        conversation(user("<system-reminder>search the web, ultrathink</system-reminder>hello")),
        conversation(user("search the web"), assistant("found"), user("thanks")),
    ):
        assert classify(features_of(request), SETTINGS, ROUTES)[0] in {"tools", "default"}


def test_a_forced_hosted_search_is_web_search_even_from_a_small_model() -> None:
    request = conversation(
        user("Perform a web search for the query: hello"),
        model="claude-3-5-haiku-20241022",
        tools=[HostedTool("web_search", Protocol.ANTHROPIC_MESSAGES, {"type": "web_search_20250305"})],
        tool_choice=ToolChoice("named", "web_search", kind="hosted"),
    )
    assert classify(features_of(request), SETTINGS, ROUTES)[0] == "web_search"


def test_thinking_belongs_to_the_users_turn_and_the_tool_loop_to_its_tools() -> None:
    thinking = Reasoning(mode="on", budget_tokens=31_999)
    asked = conversation(user("plan it"), reasoning=thinking)
    looping = conversation(user("plan it"), assistant(call("Edit")), user(result("ok")), reasoning=thinking)
    assert classify(features_of(asked), SETTINGS, ROUTES)[0] == "thinking"
    assert classify(features_of(looping), SETTINGS, ROUTES)[0] == "coding"


def test_a_thinking_side_request_of_a_small_model_stays_background() -> None:
    """Gemini CLI asks flash-lite with thinkingLevel HIGH which model to use."""
    assert route_of(model="gemini-3.5-flash-lite", thinking=True) == "background"


@pytest.mark.parametrize(
    "changes",
    [
        {"has_tools": True},
        {"has_media": True},
        {"estimated_tokens": 16_001},
        {"model": "claude-opus-5-5"},
        {"model": "minimal-large"},
    ],
)
def test_background_needs_a_small_model_no_tools_no_media_and_little_text(changes: dict[str, Any]) -> None:
    assert route_of(**({"model": "gpt-5-mini"} | changes)) != "background"


def test_capability_needs_come_before_everything_else() -> None:
    assert route_of(latest_media=("image",), estimated_tokens=500_000, thinking=True) == "vision"
    assert route_of(estimated_tokens=500_000, last_tool="Edit", last_tool_category="coding") == "longcontext"


def test_a_route_without_pools_is_passed_over_and_told() -> None:
    chosen, reasons = classify(features(last_tool="Edit", last_tool_category="coding"), SETTINGS, ["default", "tools"])
    assert chosen == "tools"
    assert reasons == ("coding:last-tool=Edit:no-pools", "tools:last-tool=Edit")


def test_images_use_multimodal_pools_where_no_vision_route_exists() -> None:
    assert classify(features(latest_media=("image",)), SETTINGS, ["default", "multimodal"])[0] == "multimodal"


def test_without_pools_everything_is_default() -> None:
    assert classify(features(thinking=True), SETTINGS, [])[0] == "default"


# --- keywords and user-defined routes ------------------------------------------------------------------


def own(words: dict[str, tuple[str, ...]], order: tuple[str, ...] = ROUTES) -> Classifier:
    return Classifier(ClassifierSettings(keywords=words, order=order), (*ROUTES, *words))


def test_a_user_defined_route_is_chosen_by_its_words() -> None:
    chosen, reasons = own({"legal": ("GDPR", "data protection")}).classify(
        features(latest_text="Is this gdpr-safe?", thinking=True)
    )
    assert chosen == "legal"
    assert reasons == ("legal:keyword=gdpr",)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("legal", True),
        ("Legal!", True),
        ("paralegal", False),
        ("legalese", False),
        ("legal_id", False),
        ("a data\n  protection b", True),
        ("dataprotection", False),
        ("这是法律问题", True),
        ("c++ code", True),
        ("", False),
    ],
)
def test_words_match_whole_in_any_case_and_spacing(text: str, found: bool) -> None:
    classifier = own({"legal": ("legal", "data protection", "法律", "c++")})
    assert (classifier.classify(features(latest_text=text))[0] == "legal") is found


def test_needs_outrank_user_defined_routes() -> None:
    assert own({"legal": ("gdpr",)}).classify(features(latest_text="gdpr", latest_media=("image",)))[0] == "vision"


def test_configured_words_replace_the_built_in_ones_and_an_empty_list_turns_them_off() -> None:
    asking = features(latest_text="search the web")
    assert own({"web_search": ("recherchiere",)}).classify(asking)[0] == "default"
    assert own({"web_search": ()}).classify(asking)[0] == "default"
    assert own({"web_search": ("recherchiere",)}).classify(features(latest_text="Recherchiere das"))[0] == "web_search"


def test_the_order_of_routes_is_configurable() -> None:
    settings = ClassifierSettings(order=("coding", "vision", "default"))
    both = features(latest_media=("image",), last_tool="Edit", last_tool_category="coding", thinking=True)
    assert classify(both, settings, ROUTES)[0] == "coding"
    assert classify(features(thinking=True), settings, ROUTES)[0] == "default"
