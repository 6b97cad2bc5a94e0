"""Documents: what is refused and how it is told, inheritance, the canary half, failures."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest

from llmswitch_core.canonical.errors import ErrorKind, Layer
from llmswitch_core.compat import BUILT_IN, ProfileError, compile_profiles, rule_set

from .documents import Document, applied, compiled, context, own


def faults(data: Any, name: str = "own") -> list[str]:
    with pytest.raises(ProfileError) as caught:
        compile_profiles(BUILT_IN, [Document(name, data)])
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"rquest": []}, "profiles/own.toml: rquest: is no profile member; did you mean 'request'?"),
        ({"request": {}}, "profiles/own.toml: request: must be a list of at most 500 rules"),
        ({"request": ["x"]}, "profiles/own.toml: request[0]: must be a table"),
        ({"request": [{"path": "a"}]}, "profiles/own.toml: request[0].action: is missing: every rule has an action"),
        (
            {"request": [{"action": "remove", "path": "a"}, {"action": "remov", "path": "a"}]},
            "profiles/own.toml: request[1].action: 'remov' is no action; did you mean 'remove'?",
        ),
        (
            {"request": [{"action": "remove", "pth": "a", "path": "b"}]},
            "profiles/own.toml: request[0].pth: is no parameter of remove; did you mean 'path'?",
        ),
        ({"request": [{"action": "remove"}]}, "profiles/own.toml: request[0]: Object missing required field `path`"),
        ({"request": [{"action": "remove", "path": "a[="}]}, "profiles/own.toml: request[0]: 'a[=' is no path"),
        ({"request": [{"action": "remove", "path": []}]}, "profiles/own.toml: request[0]: path is empty"),
        ({"request": [{"action": "remove", "path": 5}]}, "request[0]: Expected `str | array`, got `int`"),
        (
            {"request": [{"action": "clamp", "path": "a", "min": "x"}]},
            "request[0]: Expected `float | null`, got `str` - at `min`",
        ),
        ({"request": [{"action": "clamp", "path": "a"}]}, "request[0]: clamp needs min or max"),
        ({"request": [{"action": "ids", "length": 3}]}, "request[0]: length 3 leaves 3 characters"),
        ({"request": [{"action": "ids", "pattern": "("}]}, "request[0]: missing ), unterminated subpattern"),
        (
            {"request": [{"action": "header", "name": "Authorization", "value": "x"}]},
            "request[0]: a profile may not set the header 'Authorization'",
        ),
        ({"request": [{"action": "rename", "path": "a[*]", "to": "b"}]}, "request[0]: 'a[*]' names no member"),
        ({"request": [{"action": "unwrap", "path": "a"}]}, "request[0].action: 'unwrap' makes no sense for requests"),
        (
            {"answer": [{"action": "thinking", "style": "type"}]},
            "answer[0].action: 'thinking' makes no sense for answers",
        ),
        ({"request": [{"action": "thinking", "style": "loud"}]}, "request[0]: Invalid enum value 'loud'"),
        (
            {"request": [{"action": "remove", "path": "a", "when": {"modle": "x"}}]},
            "request[0].when.modle: is no condition; did you mean 'model'?",
        ),
        (
            {"request": [{"action": "remove", "path": "a", "when": {"inbound": "openai"}}]},
            "request[0].when: Invalid enum value 'openai' - at `inbound`",
        ),
        (
            {"request": [{"action": "remove", "path": "a", "when": {"present": "["}}]},
            "request[0].when: '[' is no path",
        ),
        ({"request": [{"action": "remove", "path": "a", "when": 5}]}, "request[0].when: must be a table"),
        ({"failure": [{"path": "a", "kind": "sad"}]}, "failure[0]: Invalid enum value 'sad'"),
        (
            {"failure": [{"pth": "a", "path": "b"}]},
            "failure[0].pth: is no parameter of a failure rule; did you mean 'path'?",
        ),
        ({"extends": "opnai"}, "extends: there is no profile 'opnai'; did you mean 'openai'?"),
        ({"extends": "own"}, "extends: 'own' leads back to 'own'"),
        ({"features": []}, "features: Expected `object`, got `array`"),
        ({"protocols": ["gmini"]}, "protocols: Invalid enum value 'gmini'"),
        ({"model_name": "mine"}, "model_name: Invalid enum value 'mine'"),
        ({"force_mode": "slow"}, "force_mode: Invalid enum value 'slow'"),
        ({"canary": []}, "canary: must be a table"),
        ({"canary": {"reqest": []}}, "canary.reqest: is no canary member; did you mean 'request'?"),
        (
            {"canary": {"request": [{"action": "remov"}]}},
            "canary.request[0].action: 'remov' is no action; did you mean 'remove'?",
        ),
    ],
)
def test_a_broken_profile_is_told_by_file_rule_and_nearest_name(data: dict[str, Any], told: str) -> None:
    found = faults(data)
    assert len(found) == 1
    assert found[0].startswith("profiles/own.toml: ")
    assert told in found[0]


def test_all_faults_of_all_files_are_told_at_once() -> None:
    with pytest.raises(ProfileError) as caught:
        compile_profiles(
            BUILT_IN,
            [
                Document("one", {"request": [{"action": "x"}, {"action": "remove"}]}, "one.toml"),
                Document("two", {"nmae": "two"}, "two.json"),
                Document("openai", {}, "three.toml"),
                Document("one", {}, "four.toml"),
            ],
        )
    places = [(fault.source, fault.place) for fault in caught.value.faults]
    assert sorted(places) == [
        ("four.toml", "name"),
        ("one.toml", "request[0].action"),
        ("one.toml", "request[1]"),
        ("three.toml", "name"),
        ("two.json", "nmae"),
    ]
    assert "extends = 'openai'" in str(caught.value)


def test_circles_and_deep_chains_of_profiles_are_refused() -> None:
    with pytest.raises(ProfileError, match="leads back"):
        compile_profiles({}, [Document("a", {"extends": "b"}), Document("b", {"extends": "a"})])
    chain = [Document(f"p{n}", {"extends": f"p{n + 1}"} if n < 30 else {}) for n in range(31)]
    with pytest.raises(ProfileError, match="too deep"):
        compile_profiles({}, chain)


def test_a_profile_reads_the_same_from_toml_and_json() -> None:
    text = """
    name = "acme"
    extends = "openai-compatible"
    vendor = "acme"
    modelName = "requested"
    forceMode = "stream"
    [features]
    maxTokensField = "max_new_tokens"
    [[request]]
    action = "toolChoice"
    named = "required"
    why = "issue 7"
    [[request]]
    action = "clamp"
    path = "temperature"
    max = 1.0
    when = { notModel = "acme-2*" }
    """
    from_toml = tomllib.loads(text)
    for data in (from_toml, json.loads(json.dumps(from_toml))):
        profile = compiled(data, "acme").stable
        assert (profile.name, profile.vendor) == ("acme", "acme")
        assert (profile.model_name, profile.force_mode) == ("requested", "stream")
        assert profile.features["max_tokens_field"] == "max_new_tokens"
        assert profile.features["stream_usage"] is True
        assert profile.edits_requests
        assert not profile.edits_answers
        assert applied(profile, {"temperature": 2.0}, model="acme-1").body == {"temperature": 1.0}
        assert applied(profile, {"temperature": 2.0}, model="acme-2").changed == set()


def test_inherited_rules_come_first_and_features_are_overlaid() -> None:
    base = Document(
        "base", {"features": {"a": 1, "b": 1}, "request": [{"action": "set", "path": "x", "value": "base"}]}
    )
    child = Document(
        "child",
        {
            "extends": "base",
            "features": {"b": 2},
            "request": [{"action": "map", "path": "x", "values": {"base": "child"}}],
        },
    )
    profile = compile_profiles({}, [child, base])["child"].stable
    assert profile.features == {"a": 1, "b": 2}
    assert applied(profile, {}).body == {"x": "child"}


def test_without_a_canary_section_both_halves_are_one_object() -> None:
    pairs = compile_profiles(BUILT_IN)
    assert all(pair.stable is pair.canary for pair in pairs.values())
    assert rule_set(pairs, "stable") == rule_set(pairs, "canary")


def test_a_canary_section_replaces_members_of_the_canary_half_only() -> None:
    pair = compiled(
        {
            "features": {"a": 1},
            "request": [{"action": "set", "path": "x", "value": "stable"}],
            "canary": {"request": [{"action": "set", "path": "x", "value": "canary"}]},
        }
    )
    assert applied(pair.of("stable"), {}).body == {"x": "stable"}
    assert applied(pair.of("canary"), {}).body == {"x": "canary"}
    assert pair.canary.features == {"a": 1}


def test_a_canary_half_is_inherited() -> None:
    base = Document("base", {"features": {"a": 1}, "canary": {"features": {"a": 2}}})
    pairs = compile_profiles({}, [base, Document("child", {"extends": "base", "features": {"b": 1}})])
    assert pairs["child"].stable.features == {"a": 1, "b": 1}
    assert pairs["child"].canary.features == {"a": 2, "b": 1}


def test_an_empty_profile_changes_nothing() -> None:
    profile = compiled({}).stable
    assert (profile.edits_requests, profile.edits_answers, profile.checks_answers) == (False, False, False)
    assert applied(profile, {"a": 1}).changed == set()
    body = {"a": 1}
    assert profile.answer(body, context()) is body
    assert profile.failure(body, context()) is None


# --- errors inside a 200 -------------------------------------------------------------------------------


def failure_of(body: dict[str, Any], **rule: Any) -> Any:
    profile = compiled({"failure": [rule]}).stable
    assert profile.checks_answers
    return profile.failure(body, context())


def test_an_error_in_a_200_is_found_by_path_and_predicate() -> None:
    assert failure_of({"error": {"x": 1}}, path="error").kind is ErrorKind.UPSTREAM
    assert failure_of({"error": None}, path="error") is None
    assert failure_of({"ok": True}, path="error") is None
    assert failure_of({"success": False}, path="success", equals=False) is not None
    assert failure_of({"success": 0}, path="success", equals=False) is None
    assert failure_of({"code": 200}, path="code", not_equals=[200, "200"]) is None
    assert failure_of({"code": 1302}, path="code", not_equals=[200, "200"]) is not None
    assert failure_of({"choices": [{}, {"error": {}}]}, path="choices[*].error") is not None


def test_a_hidden_error_keeps_the_vendors_words_and_takes_its_kind_from_the_code() -> None:
    rule = {
        "path": "code",
        "code": "code",
        "message": "msg",
        "retry_after": "wait",
        "kinds": {"1302": "rate_limit"},
        "kind": "overloaded",
    }
    error = failure_of({"code": "1302", "msg": "too fast", "wait": 3}, **rule)
    assert (error.kind, error.status, error.code) == (ErrorKind.RATE_LIMIT, 429, "error_in_200")
    assert (error.vendor_code, error.message, error.retry_after) == ("1302", "too fast", 3.0)
    assert error.layer is Layer.UPSTREAM
    assert failure_of({"code": 401}, **rule).kind is ErrorKind.AUTHENTICATION
    assert failure_of({"code": "E7"}, **rule).kind is ErrorKind.OVERLOADED
    assert failure_of({"code": {"odd": 1}}, **rule).vendor_code is None


def test_failure_rules_have_conditions_too() -> None:
    rule = {"path": "error", "when": {"model": "other-*"}}
    assert failure_of({"error": 1}, **rule) is None


def test_a_request_is_never_altered_beyond_its_own_members() -> None:
    """`applied` compares every value that may be shared with the client's request, before and after."""
    profile = own(
        {"action": "map", "path": "messages[*].role", "values": {"a": "b"}},
        {"action": "set", "path": "messages[*].extra", "value": {"x": 1}},
        {"action": "schema", "drop": ["pattern"]},
    )
    outcome = applied(
        profile,
        {
            "messages": [{"role": "a"}],
            "tools": [{"function": {"parameters": {"properties": {"p": {"pattern": "x"}}}}}],
            "model": "m",
        },
    )
    assert outcome.changed == {"messages", "tools"}
