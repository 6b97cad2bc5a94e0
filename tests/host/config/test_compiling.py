"""What a sound configuration compiles to: credentials, endpoints, pools, aliases, defaults by vendor."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import msgspec
import pytest

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.compat import BUILT_IN, ProfileError
from llmswitch_core.router.contract import (
    Alias,
    ClassifierSettings,
    ContextSettings,
    HealthSettings,
    PoolEntry,
    StickySettings,
)
from llmswitch_core.router.policy import VirtualRouter
from routecodex.app.switches import TABLE
from routecodex.config import AuthSpec, EndpointSpec, ProviderSpec, Secret, Timeouts, profiles
from routecodex.config.compiling import compile_config
from routecodex.config.faults import ConfigError
from routecodex.config.fields import Section
from routecodex.config.loading import config_path, gateway_home, load_text
from routecodex.config.routing_models import Classifier, ContextRouting, Health, Sticky
from routecodex.config.vendors import VENDORS, family_of, key_header_of, profile_of
from tests.host.config.texts import DEFAULT, ENVIRON, PROVIDER, SECRET, SMALLEST, compiled, faults, loaded


def test_the_smallest_useful_file() -> None:
    found = compiled(SMALLEST)

    spec = found.providers["acme"]
    assert (spec.base_url, spec.protocol, spec.profile, spec.vendor) == (
        "https://api.acme.example/v1",
        Protocol.OPENAI_CHAT,
        "openai",
        "acme",
    )
    assert spec.auth == {"main": AuthSpec("static", secret=Secret(SECRET, "${ACME_API_KEY}"))}
    assert spec.timeouts == Timeouts(connect=10, first_byte=300, idle=300, total=3600)
    assert list(found.routing.targets) == ["acme.main.large", "acme.main.small"]
    assert found.routing.routes["default"].pools[0].entries == (PoolEntry("acme.main.large"),)
    assert found.routing.aliases == (Alias("gpt-*", "acme.large"),)
    assert (found.server.host, found.server.port, found.server.limits.max_body_bytes) == (
        "127.0.0.1",
        5555,
        32 * 1024 * 1024,
    )
    assert (found.retry.attempts, found.retry.lone_retry_after) == (3, 5.0)
    assert found.canary_routing is None


def test_snake_case_says_the_same_as_camel_case() -> None:
    snake = SMALLEST.replace("baseUrl ", "base_url ").replace("compatProfile", "compat_profile")
    snake = snake.replace("controlBus", "control_bus")

    assert faults(snake) == []
    assert compiled(snake).hash == compiled(SMALLEST).hash


def test_json_says_the_same_as_toml() -> None:
    as_json = compiled(json.dumps(tomllib.loads(SMALLEST)), path=Path("config.json"))

    assert as_json.hash == compiled(SMALLEST).hash
    assert as_json.routing == compiled(SMALLEST).routing


def test_the_hash_knows_the_meaning_and_not_the_layout_or_the_secret() -> None:
    base = compiled(SMALLEST).hash

    assert compiled("# comment\n" + SMALLEST.replace("port = 5555", "port =    5_555")).hash == base
    assert compiled(SMALLEST, {**ENVIRON, "ACME_API_KEY": "another"}).hash == base
    assert compiled(SMALLEST.replace("5555", "5556")).hash != base
    assert compiled(SMALLEST.replace("${ACME_API_KEY}", "${HOME}")).hash != base
    assert compiled(SMALLEST, {**ENVIRON, "ROUTECODEX_SERVER__PORT": "5556"}).hash != base


def _with(*lines: str, environ: dict[str, str] | None = None) -> ProviderSpec:
    return compiled(PROVIDER + "\n".join(lines) + "\n" + DEFAULT, environ or ENVIRON).providers["acme"]


@pytest.mark.parametrize(
    ("auth", "header", "prefix", "query"),
    [
        ("{ type = 'apiKey' }", "authorization", "Bearer ", None),
        ("{ type = 'bearer' }", "authorization", "Bearer ", None),
        ("{ type = 'x-api-key' }", "x-api-key", "", None),
        ("{ type = 'header', header = 'X-Custom', prefix = 'Key ' }", "x-custom", "Key ", None),
        ("{ type = 'query' }", "authorization", "Bearer ", "key"),
        ("{ type = 'query', parameter = 'token' }", "authorization", "Bearer ", "token"),
    ],
)
def test_where_a_key_goes(auth: str, header: str, prefix: str, query: str | None) -> None:
    spec = _with(f"auth = {auth}").auth["main"]

    assert (spec.kind, spec.header, spec.prefix, spec.query) == ("static", header, prefix, query)
    assert spec.secret.reveal() == SECRET


@pytest.mark.parametrize(
    ("protocol", "url", "header"),
    [
        ("anthropic-messages", "https://api.anthropic.com", "x-api-key"),
        ("gemini", "https://generativelanguage.googleapis.com", "x-goog-api-key"),
        ("openai-responses", "https://api.openai.com/v1", "authorization"),
        ("openai-chat", "https://x.openai.azure.com/openai/v1", "api-key"),
    ],
)
def test_the_key_goes_where_the_vendors_own_sdk_puts_it(protocol: str, url: str, header: str) -> None:
    text = SMALLEST.replace("openai-chat", protocol).replace("https://api.acme.example/v1", url)

    assert compiled(text).providers["acme"].auth["main"].header == header


def test_oauth_client_credentials_and_refresh() -> None:
    base = "type = 'oauth2', tokenUrl = 'https://id.example/token', clientId = 'me', scopes = ['a', 'b']"
    by_client = _with(f"auth = {{ {base}, audience = 'api', clientAuth = 'basic' }}").auth["main"]
    by_refresh = _with(
        f"auth = {{ {base}, grant = 'refresh_token', clientSecret = '${{OTHER}}' }}",
        environ={**ENVIRON, "OTHER": "client-secret"},
    ).auth["main"]

    assert by_client.kind == "oauth2"
    assert by_client.oauth.client_secret.reveal() == SECRET
    assert by_client.oauth.refresh_token is None
    assert (by_client.oauth.scopes, by_client.oauth.audience) == (("a", "b"), "api")
    assert by_client.oauth.client_auth == "basic"
    assert by_refresh.oauth.refresh_token.reveal() == SECRET
    assert by_refresh.oauth.client_secret.reveal() == "client-secret"


def test_a_service_account_on_vertex_needs_no_base_url(tmp_path: Path) -> None:
    key = tmp_path / "account.json"
    key.write_text(json.dumps({"client_email": "a@b", "private_key": "PEM\nPEM", "token_uri": "https://t"}))
    text = f"""
[virtualrouter.providers.vertex]
protocol = "gemini"
keys = {{ main = "file:{key}" }}
models = ["gemini-pro"]
endpoint = {{ kind = "vertex", project = "my project", location = "europe-west4" }}
[virtualrouter.routing]
default = ["vertex.gemini-pro"]
"""
    spec = compiled(text).providers["vertex"]

    assert spec.base_url == "https://europe-west4-aiplatform.googleapis.com"
    assert spec.auth["main"].kind == "service_account"
    assert spec.vendor == "gemini"
    assert spec.endpoint == EndpointSpec(
        "vertex",
        "/v1/projects/{project}/locations/{location}/publishers/google/models/{model}:{verb}",
        {},
        {},
        {"project": "my%20project", "location": "europe-west4"},
    )


def test_claude_on_vertex_counts_tokens_elsewhere_and_keeps_its_signatures_vendor(tmp_path: Path) -> None:
    key = tmp_path / "account.json"
    key.write_text(json.dumps({"client_email": "a@b", "private_key": "PEM", "token_uri": "https://t"}))
    text = """
[virtualrouter.providers.vertex]
protocol = "anthropic-messages"
keys = { main = "file:account.json" }
endpoint = { kind = "vertex", project = "p", location = "global" }
[virtualrouter.routing]
default = ["vertex.claude"]
"""
    spec = compiled(text, path=tmp_path / "config.toml").providers["vertex"]

    assert spec.base_url == "https://aiplatform.googleapis.com"
    assert spec.vendor == "anthropic"
    assert spec.endpoint.path.endswith("/publishers/anthropic/models/{model}:{verb}")
    assert spec.endpoint.paths["count_tokens"].endswith("/count-tokens:rawPredict")


@pytest.mark.parametrize(
    ("protocol", "url", "endpoint", "path", "query"),
    [
        (
            "openai-chat",
            "https://x.openai.azure.com",
            "apiVersion = '2024-10-21'",
            "/openai/deployments/{model}{path}",
            {"api-version": "2024-10-21"},
        ),
        ("openai-chat", "https://x.openai.azure.com/openai/v1/", "", "/openai/v1{path}", {}),
        ("openai-responses", "https://x.openai.azure.com", "", "/openai/v1{path}", {}),
        ("anthropic-messages", "https://x.services.ai.azure.com", "", "/anthropic{path}", {}),
    ],
)
def test_azure(protocol: str, url: str, endpoint: str, path: str, query: dict[str, str]) -> None:
    kind = "endpoint = { kind = 'azure'" + (", " + endpoint if endpoint else "") + " }\n"
    text = PROVIDER.replace("openai-chat", protocol).replace("https://api.acme.example/v1", url) + kind + DEFAULT
    spec = compiled(text).providers["acme"]

    assert (spec.endpoint.path, spec.endpoint.query) == (path, query)
    assert spec.base_url == url.split("/openai")[0]
    assert spec.auth["main"].header == "api-key"


def test_a_custom_endpoint_says_it_all() -> None:
    spec = _with(
        "endpoint = { kind = 'custom', path = '/{tenant}{path}', paths = { embed = '/e/{model}' },"
        " query = { v = '1' }, variables = { tenant = 'me' }, keyHeader = 'X-Key' }"
    )

    assert spec.endpoint == EndpointSpec(
        "custom", "/{tenant}{path}", {"embed": "/e/{model}"}, {"v": "1"}, {"tenant": "me"}
    )
    assert (spec.auth["main"].header, spec.auth["main"].prefix) == ("x-key", "")


def test_a_token_file_stays_a_path_because_it_changes(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first\n")
    text = SMALLEST.replace("${ACME_API_KEY}", "file:token").replace(
        'compatProfile = "openai"', 'auth = { type = "tokenFile" }'
    )
    spec = compiled(text, path=tmp_path / "config.toml").providers["acme"].auth["main"]

    assert (spec.kind, spec.token_file, spec.secret) == ("token_file", str(tmp_path / "token"), None)


def test_headers_and_proxy_may_hold_references_inside() -> None:
    spec = _with(
        'headers = { X-Team = "blue", Authorization = "Token ${ACME_API_KEY}" }',
        'proxy = "http://me:${ACME_API_KEY}@proxy:3128"',
    )

    assert {name: value.reveal() for name, value in spec.headers.items()} == {
        "x-team": "blue",
        "authorization": f"Token {SECRET}",
    }
    assert spec.proxy.reveal() == f"http://me:{SECRET}@proxy:3128"
    assert SECRET not in repr(spec)


def test_a_header_that_would_break_the_request_is_refused() -> None:
    text = PROVIDER + 'headers = { X-Team = "${BAD}" }\n' + DEFAULT

    assert [fault.code for fault in faults(text, {**ENVIRON, "BAD": "a\nHost: evil"})] == ["bad_header"]
    assert [fault.code for fault in faults(SMALLEST, {"ACME_API_KEY": "a\nb"})] == ["bad_secret"]


def test_a_local_server_needs_no_key() -> None:
    text = """
[virtualrouter.providers.local]
protocol = "openai-chat"
baseUrl = "http://localhost:1234/v1"
[virtualrouter.routing]
default = ["local.qwen3"]
"""
    found = compiled(text)

    assert faults(text) == []
    assert found.providers["local"].auth == {"default": AuthSpec("none")}
    assert found.providers["local"].profile == "lmstudio"
    assert list(found.routing.targets) == ["local.default.qwen3"]


def test_pools_in_every_way_they_can_be_written() -> None:
    text = """
[virtualrouter.providers.two]
protocol = "openai-chat"
baseUrl = "https://two.example/v1"
keys = { a = "${ACME_API_KEY}", b = "${ACME_API_KEY}" }
models = ["m", "n.1", { name = "k", contextWindow = 1000, maxOutputTokens = 10, options = { thinking = "off" } }]
weight = 3
[virtualrouter.providers.one]
protocol = "openai-chat"
baseUrl = "https://one.example/v1"
keys = { a = "${ACME_API_KEY}" }
models = ["m"]
[[virtualrouter.routing.default]]
target = "two.m"
[[virtualrouter.routing.default]]
target = "one.m"
weight = 2
[[virtualrouter.routing.default]]
id = "spare"
mode = "priority"
targets = ["two.b.n.1", { target = "one.m", priority = 7 }, "two.a.k"]
[[virtualrouter.routing.default]]
targets = ["one.m"]
priority = 0
"""
    found = compiled(text).routing
    first, spare, urgent = found.routes["default"].pools

    assert (first.mode, first.priority) == ("weighted", 0)
    assert first.entries == (PoolEntry("two.a.m", 3), PoolEntry("two.b.m", 3), PoolEntry("one.a.m", 4))
    assert (spare.id, spare.mode, spare.priority) == ("spare", "priority", 1)
    assert [(entry.provider_key, entry.priority) for entry in spare.entries] == [
        ("two.b.n.1", 0),
        ("one.a.m", 7),
        ("two.a.k", 2),
    ]
    assert urgent.priority == 0
    target = found.targets["two.a.k"]
    assert (target.context_window, target.max_output_tokens, target.options) == (1000, 10, {"thinking": "off"})
    VirtualRouter(found)


def test_the_canary_overlay_changes_only_what_it_names() -> None:
    text = (
        SMALLEST
        + """
[virtualrouterCanary]
unknownModel = "404"
[virtualrouterCanary.routing]
default = [{ targets = ["acme.small"] }]
[virtualrouterCanary.health]
openSeconds = 5
"""
    )
    found = compiled(text)
    assert found.canary_routing is not None

    assert found.canary_routing.policy == "canary"
    assert found.canary_routing.unknown_model == "404"
    assert found.canary_routing.health.open_seconds == 5
    assert found.canary_routing.aliases == found.routing.aliases
    assert found.canary_routing.routes["default"].pools[0].entries[0].provider_key == "acme.main.small"
    assert found.routing.policy == "stable"
    assert found.routing.routes["default"].pools[0].entries[0].provider_key == "acme.main.large"


def test_user_profiles_are_found_and_may_be_named(tmp_path: Path) -> None:
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "house.toml").write_text('extends = "openai"\n')
    (folder / "note.txt").write_text("not a profile")
    (tmp_path / "other.json").write_text('{"name": "special"}')
    text = SMALLEST.replace('"openai" ', '"house"').replace('compatProfile = "openai"', 'compatProfile = "house"')
    text += '[compat]\nfiles = ["other.json"]\ndirectories = ["profiles"]\n'

    found = compiled(text, path=tmp_path / "config.toml")

    assert [(each.name, each.data) for each in found.profiles] == [
        ("special", {"name": "special"}),
        ("house", {"extends": "openai"}),
    ]
    assert found.providers["acme"].profile == "house"


def test_a_users_profile_may_state_the_vendor_family(tmp_path: Path) -> None:
    (tmp_path / "house.toml").write_text('extends = "openai"\nvendor = "house"\n')
    text = (
        SMALLEST.replace('compatProfile = "openai"', 'compatProfile = "house"') + '[compat]\nfiles = ["house.toml"]\n'
    )

    assert compiled(text, path=tmp_path / "config.toml").providers["acme"].vendor == "house"


def test_a_profile_with_rules_that_make_no_sense_is_told_with_the_rule(tmp_path: Path) -> None:
    (tmp_path / "house.toml").write_text('extends = "opnai"\n[[request]]\naction = "removee"\npath = "x"\n')
    told = faults(SMALLEST + '[compat]\nfiles = ["house.toml"]\n', path=tmp_path / "config.toml")

    assert {(fault.code, fault.line) for fault in told} == {("bad_profile", 20)}
    assert any("house.toml: request[0]" in fault.message for fault in told)
    assert all(fault.message.endswith(("did you mean 'openai'?", "did you mean 'remove'?")) for fault in told)
    assert any("extends" in fault.message and "openai" in fault.message for fault in told)


def test_a_broken_built_in_profile_is_no_fault_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = {"name": "odd", "request": [{"action": "clampp", "path": "x"}]}
    monkeypatch.setattr(profiles, "BUILT_IN", {**BUILT_IN, "odd": odd})

    with pytest.raises(ProfileError, match=r"built-in profile 'odd': request\[0\]\.action: .*did you mean 'clamp'"):
        compiled(SMALLEST)


def test_an_unusable_configuration_says_in_its_own_words_what_is_wrong() -> None:
    found = load_text(SMALLEST.replace("baseUrl", "baseUrll"), ENVIRON, TABLE, path=Path("config.toml"))

    with pytest.raises(ConfigError, match=r"(?s)faults? in the configuration\n  config\.toml:\d+: .*baseUrl"):
        compile_config(found, ENVIRON)


def test_every_built_in_default_exists() -> None:
    hosts = [host.replace("*", "x") for vendor in VENDORS for host in vendor.hosts] + ["unknown.example"]

    assert {profile_of(f"https://{host}/v1", protocol) for host in hosts for protocol in Protocol} <= set(BUILT_IN)


def test_broken_profiles_are_told_where_they_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("x = ")
    (tmp_path / "b.json").write_text('{"name": "same"}')
    (tmp_path / "c.json").write_text('{"name": "same"}')
    text = SMALLEST + '[compat]\nfiles = ["a.toml", "b.json", "c.json", "d.json"]\n'

    told = faults(text, path=tmp_path / "config.toml")

    assert [(fault.code, fault.path[-1], fault.line) for fault in told] == [
        ("bad_profile", 0, 20),
        ("duplicate", 2, 20),
        ("missing_file", 3, 20),
    ]


@pytest.mark.parametrize(
    ("url", "protocol", "family", "profile"),
    [
        ("https://api.openai.com/v1", Protocol.OPENAI_RESPONSES, "openai", "openai"),
        ("https://me.openai.azure.com", Protocol.OPENAI_CHAT, "id", "openai"),
        ("https://api.anthropic.com", Protocol.ANTHROPIC_MESSAGES, "anthropic", "anthropic"),
        ("https://generativelanguage.googleapis.com", Protocol.GEMINI, "gemini", "gemini"),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai",
            Protocol.OPENAI_CHAT,
            "gemini",
            "openai-compatible",
        ),
        ("https://us-east5-aiplatform.googleapis.com", Protocol.ANTHROPIC_MESSAGES, "anthropic", "anthropic"),
        ("https://us-east5-aiplatform.googleapis.com", Protocol.OPENAI_CHAT, "id", "openai-compatible"),
        ("https://API.DeepSeek.com/v1", Protocol.OPENAI_CHAT, "deepseek", "deepseek"),
        ("https://api.deepseek.com/anthropic", Protocol.ANTHROPIC_MESSAGES, "deepseek", "anthropic"),
        ("https://open.bigmodel.cn/api/paas/v4", Protocol.OPENAI_CHAT, "glm", "glm"),
        ("https://api.z.ai/api/anthropic", Protocol.ANTHROPIC_MESSAGES, "glm", "anthropic"),
        ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", Protocol.OPENAI_CHAT, "qwen", "qwen"),
        ("https://api.moonshot.ai/v1", Protocol.OPENAI_CHAT, "kimi", "kimi"),
        ("https://openrouter.ai/api/v1", Protocol.OPENAI_CHAT, "openrouter", "openrouter"),
        ("http://localhost:1234/v1", Protocol.OPENAI_CHAT, "id", "lmstudio"),
        ("http://localhost:1234/v1", Protocol.OPENAI_RESPONSES, "id", "openai-compatible"),
        ("http://localhost:8080/v1", Protocol.OPENAI_CHAT, "id", "llamacpp"),
        ("http://localhost:9999/v1", Protocol.OPENAI_CHAT, "id", "openai-compatible"),
        ("https://api.openai.com.evil.example/v1", Protocol.OPENAI_CHAT, "id", "openai-compatible"),
    ],
)
def test_family_and_profile_by_host(url: str, protocol: Protocol, family: str, profile: str) -> None:
    assert (family_of(url, protocol, "id"), profile_of(url, protocol)) == (family, profile)


def test_an_explicit_vendor_and_profile_win_over_the_table() -> None:
    spec = _with("vendor = 'openai'", "compatProfile = 'deepseek'")

    assert (spec.vendor, spec.profile) == ("openai", "deepseek")
    assert key_header_of("https://x.example", Protocol.GEMINI) == "x-goog-api-key"


@pytest.mark.parametrize(
    ("struct", "model"),
    [
        (ClassifierSettings, Classifier),
        (HealthSettings, Health),
        (ContextSettings, ContextRouting),
        (StickySettings, Sticky),
    ],
)
def test_the_routers_settings_can_all_be_configured(struct: type[msgspec.Struct], model: type[Section]) -> None:
    fields = {field.name: field.default for field in msgspec.structs.fields(struct)}
    configured = model().model_dump()

    assert set(configured) == set(fields)
    for name, default in fields.items():
        if default is not msgspec.NODEFAULT:
            assert configured[name] == (list(default) if isinstance(default, tuple) else default)


def test_server_keys_have_accounts() -> None:
    text = (
        '[server]\nhost = "0.0.0.0"\napiKeys = ["${ACME_API_KEY}", { key = "${TWO}", account = "team" }]\n'
        + PROVIDER
        + DEFAULT
    )
    keys = compiled(text, {**ENVIRON, "TWO": "second"}).server.api_keys

    assert [(key.account, key.secret.reveal()) for key in keys] == [("key-1", SECRET), ("team", "second")]
    assert [fault.code for fault in faults(text, {**ENVIRON, "TWO": SECRET})] == ["duplicate"]


def test_paths_are_the_homes_or_the_configurations(tmp_path: Path) -> None:
    text = SMALLEST + '[store]\npath = "here.db"\n'
    found = compiled(text, {**ENVIRON, "ROUTECODEX_HOME": "/srv/gateway"}, path=tmp_path / "config.toml")

    assert (found.paths.run, found.paths.logs) == ("/srv/gateway/run", "/srv/gateway/logs")
    assert found.server.admin.token_file == "/srv/gateway/run/admin-token"
    assert found.store.path == str(tmp_path / "here.db")


def test_the_file_is_looked_for_in_order(tmp_path: Path) -> None:
    home = gateway_home({"HOME": str(tmp_path)})
    home.mkdir()
    assert home == tmp_path / ".routecodex"
    assert config_path(None, {}, home) == home / "config.toml"
    (home / "config.json").write_text("{}")
    assert config_path(None, {}, home) == home / "config.json"
    (home / "config.toml").write_text("")
    assert config_path(None, {}, home) == home / "config.toml"
    assert config_path(None, {"ROUTECODEX_CONFIG": "/x.toml"}, home) == Path("/x.toml")
    assert config_path(Path("/y.toml"), {"ROUTECODEX_CONFIG": "/x.toml"}, home) == Path("/y.toml")


def test_the_environment_reaches_every_level_and_keeps_its_source() -> None:
    environ = {
        **ENVIRON,
        "ROUTECODEX_SERVER__LIMITS__MAXBODYBYTES": "2048",
        "ROUTECODEX_SERVER__ALLOWED_HOSTS": '["gw.example"]',
        "ROUTECODEX_VIRTUALROUTER__PROVIDERS__ACME__BASEURL": "https://two.example/v1",
        "ROUTECODEX_VIRTUALROUTER__ROUTING__BACKGROUND": '["acme.small"]',
        "ROUTECODEX_VIRTUALROUTER__HEALTH__WINDOW": "5",
        "ROUTECODEX_CONFIG": "not an override",
        "ROUTECODEX_FORCE_STABLE": "1",
    }
    found = compiled(SMALLEST, environ)

    assert faults(SMALLEST, environ) == []
    assert found.server.limits.max_body_bytes == 2048
    assert found.server.allowed_hosts == ("gw.example",)
    assert found.providers["acme"].base_url == "https://two.example/v1"
    assert found.routing.routes["background"].pools[0].entries[0].provider_key == "acme.main.small"
    assert found.routing.health.window == 5
    source = loaded(SMALLEST, environ)
    assert source.source(("server", "limits", "maxBodyBytes")) == "environment"
    assert source.source(("server", "port")) == "file"
    assert source.source(("server", "host")) == "default"


def test_a_secret_is_shown_by_its_reference_only() -> None:
    secret = Secret("value", "${NAME}")

    for shown in (str(secret), repr(secret), f"{secret}", f"{secret!r:>30}", "%s" % secret, str([secret])):  # noqa: UP031
        assert "value" not in shown
        assert "${NAME}" in shown
    assert secret.reveal() == "value"
    assert secret.matches("value")
    assert not secret.matches("valué")
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)
    assert SECRET not in repr(compiled(SMALLEST))
