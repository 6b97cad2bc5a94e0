"""Broken configurations and what must be said about them: (path, line, code, a part of the message or next step)."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.host.config.texts import DEFAULT, ENVIRON, PROVIDER, SMALLEST


@dataclass(frozen=True)
class Broken:
    name: str
    text: str
    expected: tuple[tuple[str, int | None, str, str], ...]
    suffix: str = ".toml"
    environ: dict[str, str] = field(default_factory=lambda: dict(ENVIRON))


def _provider(*lines: str) -> str:
    """The usual provider, further lines (from line 6 on), a default route."""
    return PROVIDER + "\n".join(lines) + "\n" + DEFAULT


BROKEN: tuple[Broken, ...] = (
    Broken(
        "unknown_section_names_the_nearest",
        SMALLEST + "[telemtry]\nlogLevel = 'info'\n",
        (("$.telemtry", 19, "unknown_key", 'Did you mean "telemetry"?'),),
    ),
    Broken(
        "unknown_key_deep_inside",
        _provider("contextwindow = 3"),
        (("$.virtualrouter.providers.acme.contextwindow", 6, "unknown_key", "Unknown key"),),
    ),
    Broken(
        "misspelt_key_is_named_and_the_missing_one_too",
        SMALLEST.replace("protocol =", "protocl ="),
        (
            ("$.virtualrouter.providers.acme.protocl", 5, "unknown_key", 'Did you mean "protocol"?'),
            ("$.virtualrouter.providers.acme", 4, "missing_key", '"protocol" is missing'),
        ),
    ),
    Broken(
        "literal_key_says_how_to_write_it",
        SMALLEST.replace("${ACME_API_KEY}", "sk-literal-1234567890"),
        (("$.virtualrouter.providers.acme.keys.main", 7, "literal_secret", "${NAME}"),),
    ),
    Broken(
        "literal_server_key_in_a_list",
        '[server]\napiKeys = [\n  "${ACME_API_KEY}",\n  "sk-literal-1234567890",\n]\n' + PROVIDER + DEFAULT,
        (("$.server.apiKeys[1].key", 4, "literal_secret", "file:/path"),),
    ),
    Broken(
        "literal_authorization_header",
        _provider('headers = { Authorization = "Bearer sk-literal-1234567890" }'),
        (("$.virtualrouter.providers.acme.headers.Authorization", 6, "literal_secret", "${NAME}"),),
    ),
    Broken(
        "credentials_in_a_url",
        SMALLEST.replace("https://api", "https://me:sk-literal-1234567890@api"),
        (("$.virtualrouter.providers.acme.baseUrl", 6, "literal_secret", "credentials"),),
    ),
    Broken(
        "password_of_a_proxy",
        _provider('proxy = "http://me:sk-literal-1234567890@proxy:3128"'),
        (("$.virtualrouter.providers.acme.proxy", 6, "literal_secret", "password"),),
    ),
    Broken(
        "key_in_the_query",
        _provider('endpoint = { query = { key = "sk-literal-1234567890" } }'),
        (("$.virtualrouter.providers.acme.endpoint.query.key", 6, "literal_secret", 'auth type "query"'),),
    ),
    Broken(
        "missing_environment_variable",
        SMALLEST,
        (("$.virtualrouter.providers.acme.keys.main", 7, "unresolved_reference", "ACME_API_KEY is not set"),),
        environ={},
    ),
    Broken(
        "empty_environment_variable",
        SMALLEST,
        (("$.virtualrouter.providers.acme.keys.main", 7, "unresolved_reference", "is empty"),),
        environ={"ACME_API_KEY": "  "},
    ),
    Broken(
        "missing_secret_file",
        SMALLEST.replace("${ACME_API_KEY}", "file:/nowhere/at/all"),
        (("$.virtualrouter.providers.acme.keys.main", 7, "unresolved_reference", "does not exist"),),
    ),
    Broken(
        "provider_id_with_a_dot",
        SMALLEST.replace("providers.acme]", 'providers."ac.me"]').replace("acme.large", "x.y"),
        (('$.virtualrouter.providers["ac.me"]', 4, "dotted_name", "no dots"),),
    ),
    Broken(
        "key_alias_with_a_dot",
        SMALLEST.replace("{ main =", '{ "ma.in" ='),
        (('$.virtualrouter.providers.acme.keys["ma.in"]', 7, "dotted_name", "no dots"),),
    ),
    Broken(
        "target_of_an_unknown_provider",
        SMALLEST.replace('default = ["acme.large"]', 'default = ["acne.large"]'),
        (("$.virtualrouter.routing.default[0]", 12, "unknown_target", 'Did you mean "acme"?'),),
    ),
    Broken(
        "target_of_an_unlisted_model",
        SMALLEST.replace('default = ["acme.large"]', 'default = [\n  "acme.small",\n  "acme.lagre",\n]'),
        (("$.virtualrouter.routing.default[1]", 14, "unknown_target", 'Did you mean "large"?'),),
    ),
    Broken(
        "target_without_a_model",
        SMALLEST.replace('default = ["acme.large"]', 'default = ["acme"]'),
        (("$.virtualrouter.routing.default[0]", 12, "unknown_target", "names a provider but no model"),),
    ),
    Broken(
        "target_inside_an_array_of_tables",
        PROVIDER
        + '[[virtualrouter.routing.default]]\ntarget = "acme.large"\n'
        + '[[virtualrouter.routing.default]]\ntargets = ["acme.small", { target = "acme.tiny", weight = 2 }]\n',
        (("$.virtualrouter.routing.default[1].targets[1]", 9, "unknown_target", "lists no model"),),
    ),
    Broken(
        "alias_to_nowhere",
        SMALLEST.replace('"gpt-*" = "acme.large"', '"gpt-*" = "codng"'),
        (('$.virtualrouter.aliases["gpt-*"]', 15, "unknown_target", 'Did you mean "coding"?'),),
    ),
    Broken(
        "unknown_profile",
        SMALLEST.replace('compatProfile = "openai"', 'compatProfile = "opnai"'),
        (("$.virtualrouter.providers.acme.compatProfile", 9, "unknown_profile", 'Did you mean "openai"?'),),
    ),
    Broken(
        "open_server_without_keys",
        '[server]\nhost = "0.0.0.0"\n' + PROVIDER + DEFAULT,
        (("$.server.host", 2, "open_server", "server.apiKeys"),),
    ),
    Broken(
        "no_default_route",
        PROVIDER + '[virtualrouter.routing]\nthinking = ["acme.large"]\n',
        (("$.virtualrouter.routing", 6, "missing_default", 'unknownModel = "404"'),),
    ),
    Broken(
        "empty_route",
        PROVIDER + DEFAULT + "thinking = []\n",
        (("$.virtualrouter.routing.thinking", 8, "empty_route", "no targets"),),
    ),
    Broken(
        "route_nobody_reaches",
        PROVIDER + DEFAULT + 'special = ["acme.small"]\n\n[virtualrouter.hints]\nheader = false\n',
        (("$.virtualrouter.routing.special", 8, "unreachable_route", "classifier.keywords"),),
    ),
    Broken(
        "route_only_a_header_reaches_is_a_warning",
        PROVIDER + DEFAULT + 'special = ["acme.small"]\n',
        (("$.virtualrouter.routing.special", 8, "unreachable_route", "x-routecodex-route"),),
    ),
    Broken(
        "unknown_route_in_the_classifier",
        PROVIDER
        + DEFAULT
        + "[virtualrouter.classifier]\norder = ['thinkin', 'default']\nkeywords = { fish = ['cod'] }\n",
        (
            ("$.virtualrouter.classifier.order[0]", 9, "unknown_route", 'Did you mean "thinking"?'),
            ("$.virtualrouter.classifier.keywords.fish", 10, "unknown_route", "is no route"),
        ),
    ),
    Broken(
        "target_named_twice_in_a_pool",
        SMALLEST.replace('default = ["acme.large"]', 'default = ["acme.large", "acme.main.large"]'),
        (("$.virtualrouter.routing.default[0]", 12, "duplicate", "twice"),),
    ),
    Broken(
        "model_listed_twice",
        SMALLEST.replace('"large", "small"', '"large", "large"'),
        (("$.virtualrouter.providers.acme.models[1]", 8, "duplicate", "listed twice"),),
    ),
    Broken(
        "pool_that_is_both",
        PROVIDER + '[virtualrouter.routing]\ndefault = [{ target = "acme.large", targets = ["acme.small"] }]\n',
        (("$.virtualrouter.routing.default[0]", 7, "bad_pool", "either target"),),
    ),
    Broken(
        "wrong_types_everywhere",
        '[server]\nport = "5555"\naccessLog = "yes"\napiKeys = "x"\n' + PROVIDER + DEFAULT,
        (
            ("$.server.port", 2, "wrong_type", "whole number"),
            ("$.server.accessLog", 3, "wrong_type", "true or false"),
            ("$.server.apiKeys", 4, "wrong_type", "list"),
        ),
    ),
    Broken(
        "out_of_range",
        "[server]\nport = 70000\nheadWait = -1.0\n" + PROVIDER + DEFAULT,
        (
            ("$.server.port", 2, "out_of_range", "at most 65535"),
            ("$.server.headWait", 3, "out_of_range", "more than 0"),
        ),
    ),
    Broken(
        "unknown_choice",
        SMALLEST.replace('"openai-chat"', '"openai"'),
        (("$.virtualrouter.providers.acme.protocol", 5, "bad_value", "'openai-responses'"),),
    ),
    Broken(
        "breaker_that_opens_longer_than_its_maximum",
        PROVIDER + DEFAULT + "[virtualrouter.health]\nopenSeconds = 100\nmaxOpenSeconds = 10\n",
        (("$.virtualrouter.health.maxOpenSeconds", 10, "out_of_range", "less than openSeconds"),),
    ),
    Broken(
        "second_side_is_refused_by_name",
        SMALLEST.replace('controlBus = "v1"', 'controlBus = "v2"'),
        (("$.architecture.controlBus", 18, "refused_switch", "the second side lands with the ControlBus"),),
    ),
    Broken(
        "senseless_combination_tells_its_reason",
        SMALLEST + "[architecture.controlWs]\nenabled = true\n",
        (
            ("$.architecture.controlWs.enabled", 20, "refused_switch", "lands with /daemon/ws"),
            ("$.architecture.controlWs.enabled", 20, "refused_switch", "controlBus v1 has no events to push"),
        ),
    ),
    Broken(
        "section_to_come",
        SMALLEST + "[rollout]\nshare = 5\n",
        (("$.rollout.share", 20, "unknown_key", "not a setting of rollout yet"),),
    ),
    Broken(
        "vertex_without_a_project",
        _provider("endpoint = { kind = 'vertex', location = 'global' }"),
        (("$.virtualrouter.providers.acme.endpoint", 6, "incomplete_endpoint", "project and location"),),
    ),
    Broken(
        "oauth_without_an_endpoint",
        _provider("auth = { type = 'oauth2', clientId = 'me' }"),
        (("$.virtualrouter.providers.acme.auth", 6, "incomplete_auth", "tokenUrl"),),
    ),
    Broken(
        "service_account_key_that_is_none",
        _provider("auth = { type = 'serviceAccount' }"),
        (("$.virtualrouter.providers.acme.keys.main", 4, "bad_secret", "client_email"),),
    ),
    Broken(
        "token_file_without_a_file",
        _provider("auth = { type = 'tokenFile' }"),
        (("$.virtualrouter.providers.acme.keys.main", 4, "bad_reference", "file:"),),
    ),
    Broken(
        "unknown_placeholder_in_a_template",
        _provider("endpoint = { kind = 'custom', path = '/x/{modle}' }"),
        (("$.virtualrouter.providers.acme.endpoint.path", 6, "unknown_placeholder", 'Did you mean "model"?'),),
    ),
    Broken(
        "missing_ca_file",
        _provider("caFile = '/nowhere/ca.pem'"),
        (("$.virtualrouter.providers.acme.caFile", 6, "missing_file", "PEM"),),
    ),
    Broken(
        "unverified_tls_is_a_warning",
        _provider("verify = false"),
        (("$.virtualrouter.providers.acme.verify", 6, "unverified_tls", "caFile"),),
    ),
    Broken(
        "provider_without_keys_is_a_warning",
        SMALLEST.replace("keys     = { main = ", "# keys   = { main = "),
        (("$.virtualrouter.providers.acme", 4, "no_credential", "without a credential"),),
    ),
    Broken(
        "no_provider_at_all",
        "[virtualrouter]\nunknownModel = '404'\n",
        (("$.virtualrouter.providers", 1, "missing_provider", "routecodex init"),),
    ),
    Broken(
        "overlay_names_its_own_place",
        SMALLEST + "[virtualrouterCanary.routing]\ndefault = ['acme.tiny']\n",
        (("$.virtualrouterCanary.routing.default[0]", 20, "unknown_target", "lists no model"),),
    ),
    Broken(
        "overlay_may_not_move_a_provider",
        SMALLEST + "[virtualrouterCanary.providers.acme]\nbaseUrl = 'https://other.example/v1'\n",
        (("$.virtualrouterCanary.providers.acme", 19, "canary_provider", "id of its own"),),
    ),
    Broken(
        "environment_names_the_variable",
        SMALLEST,
        (("$.server.port", None, "wrong_type", "whole number"),),
        environ={**ENVIRON, "ROUTECODEX_SERVER__PORT": "high"},
    ),
    Broken(
        "environment_with_an_unknown_key",
        SMALLEST,
        (("$.server.PRT", None, "unknown_key", 'Did you mean "port"?'),),
        environ={**ENVIRON, "ROUTECODEX_SERVER__PRT": "1"},
    ),
    Broken("broken_toml", "[server]\nport = \n", (("$", 2, "bad_syntax", "not valid TOML"),)),
    Broken("toml_key_twice", "[server]\nport = 1\nport = 2\n", (("$", 3, "bad_syntax", "not valid TOML"),)),
    Broken("broken_json", '{\n  "server": {,}\n}', (("$", 2, "bad_syntax", "not valid JSON"),), ".json"),
    Broken("json_that_is_no_object", "[]", (("$", 1, "wrong_type", "one JSON object"),), ".json"),
    Broken("json_nan", '{"server": {"headWait": NaN}}', (("$", None, "bad_syntax", "NaN"),), ".json"),
    Broken(
        "json_key_twice_and_unknown",
        '{\n "server": {\n  "port": 1,\n  "prt": 2,\n  "port": 3\n },\n'
        ' "virtualrouter": {"unknownModel": "404", "providers": {"a": {"protocol": "gemini",\n'
        '  "baseUrl": "http://127.0.0.1:1"}}}}',
        (
            ("$.server.port", 5, "duplicate_key", "twice"),
            ("$.server.prt", 4, "unknown_key", 'Did you mean "port"?'),
        ),
        ".json",
    ),
    Broken("unknown_format", "server: 1", (("$", None, "unknown_format", "TOML or JSON"),), ".yaml"),
    Broken("nested_too_deeply", '{"a":' * 80 + "1" + "}" * 80, (("$", None, "too_deep", "64"),), ".json"),
    Broken("bottomless", '{"a":' * 100_000, (("$", None, "bad_syntax", "not valid JSON"),), ".json"),
    Broken("too_large", "# " + "x" * 1_100_000, (("$", None, "too_large", "1024 KiB"),)),
    Broken(
        "both_spellings_of_a_key",
        SMALLEST.replace("baseUrl  =", "base_url = 'https://other.example/v1'\nbaseUrl  ="),
        (("$.virtualrouter.providers.acme.baseUrl", 7, "duplicate_key", "the same key"),),
    ),
)
