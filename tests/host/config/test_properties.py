"""Whatever the file says: it compiles to a table the router takes, or its faults are named; nothing else happens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmswitch_core.router.policy import VirtualRouter
from routecodex.app.switches import TABLE
from routecodex.config.compiling import compile_config
from routecodex.config.faults import ConfigError, Fault
from routecodex.config.loading import load, load_text
from routecodex.config.models import configuration_model
from routecodex.config.shape import fields_of, inner_kind
from tests.host.config.texts import ENVIRON, SECRET, SMALLEST

_LITERAL = "sk-generated-literal-secret"
_NAMES = st.sampled_from(["acme", "main", "large", "default", "coding", "a.b", "*", "gpt-*", "", "é"])
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 100_000),
    st.floats(),
    st.sampled_from(
        [
            "acme.large",
            "acme.main.large",
            "acme",
            "nobody.large",
            "${ACME_API_KEY}",
            "${MISSING}",
            "file:/nowhere",
            "file:",
            "https://api.acme.example/v1",
            "http://[::1",
            "//x",
            "openai-chat",
            "anthropic-messages",
            "gemini",
            "v1",
            "v2",
            "\x00",
            "~nobody/x",
            _LITERAL,
            "\ud800",
        ]
    ),
)
_TREES = st.recursive(
    _VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3), max_leaves=8
)


def _values_for(annotation: Any, depth: int) -> st.SearchStrategy[Any]:
    """Mostly what fits a field's kind, sometimes anything."""
    kind, inner = inner_kind(annotation)
    if depth <= 0 or kind == "value":
        return _VALUES
    if kind == "section":
        fields = fields_of(inner)
        fitting = st.fixed_dictionaries(
            {}, optional={name: st.deferred(lambda a=a: _values_for(a, depth - 1)) for name, a in fields.items()}
        )
    elif kind == "table":
        fitting = st.dictionaries(_NAMES, _values_for(inner, depth - 1), max_size=2)
    else:
        fitting = st.lists(_values_for(inner, depth - 1), max_size=2)
    return st.one_of(fitting, fitting, fitting, _TREES)


_MODEL = configuration_model(TABLE.rows)
_CONFIGURATIONS = st.fixed_dictionaries(
    {}, optional={name: _values_for(annotation, 4) for name, annotation in fields_of(_MODEL).items()}
)
_SOUND: dict[str, Any] = {
    "virtualrouter": {
        "providers": {
            "acme": {
                "protocol": "openai-chat",
                "baseUrl": "https://api.acme.example/v1",
                "keys": {"main": "${ACME_API_KEY}"},
                "models": ["large", "*"],
            }
        },
        "routing": {"default": ["acme.large"]},
    }
}


def _check(text: str, path: Path) -> None:
    found = load_text(text, ENVIRON, TABLE, path=path)
    try:
        compiled = compile_config(found, ENVIRON)
    except ConfigError as error:
        _are_told_well(error)
    else:
        VirtualRouter(compiled.routing)
        if compiled.canary_routing is not None:
            VirtualRouter(compiled.canary_routing)
        assert SECRET not in repr(compiled)


def _are_told_well(error: ConfigError) -> None:
    assert {"error"} <= {fault.severity for fault in error.faults}
    for fault in error.faults:
        _is_told_well(fault)


def _is_told_well(fault: Fault) -> None:
    assert fault.message
    assert fault.code
    assert SECRET not in fault.text
    assert fault.line is None or fault.line >= 1


def _merged(base: Any, over: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    return {**base, **{key: _merged(base.get(key), value) for key, value in over.items()}}


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(_CONFIGURATIONS, st.booleans())
def test_any_configuration_compiles_or_has_its_faults_named(tree: dict[str, Any], on_sound: bool) -> None:
    _check(json.dumps(_merged(_SOUND, tree) if on_sound else tree), Path("config.json"))


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=60), st.integers(0, len(SMALLEST)), st.sampled_from([".toml", ".json", ""]))
def test_any_bytes_are_read_or_refused(tmp_path_factory: Any, noise: bytes, at: int, suffix: str) -> None:
    path = tmp_path_factory.mktemp("noise") / f"config{suffix}"
    path.write_bytes(SMALLEST[:at].encode() + noise + SMALLEST[at:].encode())
    found = load(path, ENVIRON, TABLE)
    try:
        compile_config(found, ENVIRON)
    except ConfigError as error:
        for fault in error.faults:
            _is_told_well(fault)


@settings(deadline=None, max_examples=100)
@given(
    st.dictionaries(
        st.lists(
            st.sampled_from(["SERVER", "PORT", "VIRTUALROUTER", "ROUTING", "X", "", "MODELS"]), min_size=2, max_size=4
        ).map("__".join),
        st.sampled_from(["1", "x", "[", '{"a": 1}', "[1e999]", '["acme.large"]', "[" * 5000]),
        max_size=3,
    )
)
def test_any_override_is_taken_or_told_with_its_variable(overrides: dict[str, str]) -> None:
    environ = {**ENVIRON, **{f"ROUTECODEX_{name}": value for name, value in overrides.items()}}
    found = load_text(SMALLEST, environ, TABLE)
    try:
        compile_config(found, environ)
    except ConfigError as error:
        for fault in error.faults:
            _is_told_well(fault)
            if fault.code in ("unknown_key", "bad_override"):
                assert fault.origin in environ
