"""From a provider as written to the `ProviderSpec` Provider V2 is made of: credentials, endpoint, TLS, proxy.

Every reference is resolved here, every fault noted with its place; a provider with faults compiles to None and the
walk goes on, so that one check names them all. It must not know routing.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Final, Literal, TypeAlias
from urllib.parse import quote, urlsplit

from llmswitch_core.canonical.model import Protocol
from routecodex.config.compiled import (
    AuthSpec,
    EndpointSpec,
    OAuthSpec,
    ProviderSpec,
    ServiceAccountSpec,
    Timeouts,
    TlsSpec,
)
from routecodex.config.faults import Path, did_you_mean
from routecodex.config.loading import Loaded
from routecodex.config.provider_models import Auth, Endpoint, Provider
from routecodex.config.references import (
    HOW_TO_WRITE,
    SECRET_HEADERS,
    SECRET_PARAMETERS,
    References,
    UnresolvedReferenceError,
    has_variable,
    reference_path,
    without_variables,
)
from routecodex.config.secret import Secret
from routecodex.config.vendors import family_of, key_header_of, profile_of

LONE_ALIAS: Final = "default"
"""keyAlias of a provider that needs no key."""

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_BUILT_IN_PLACEHOLDERS: Final = ("path", "model", "verb")
_GOOGLE_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_AZURE_V1: Final = "/openai/v1"
_OWN_HEADERS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te"})

AuthKind: TypeAlias = Literal["none", "static", "token_file", "oauth2", "service_account"]


class ProviderCompiler:
    """Compiles the providers of one configuration; faults go to its `Loaded`."""

    def __init__(self, loaded: Loaded, references: References, profiles: Mapping[str, str]) -> None:
        """`profiles`: every profile's name, with the vendor family a user's own profile states or ""."""
        self.loaded = loaded
        self.references = references
        self.profiles = profiles

    def compile(self, provider_id: str, provider: Provider, path: Path) -> ProviderSpec | None:
        """The spec, or None where faults were noted."""
        before = len(self.loaded.faults)
        protocol = Protocol(provider.protocol)
        base_url = self._base_url(provider, path)
        profile = provider.compat_profile or profile_of(base_url, protocol)
        if profile not in self.profiles:
            self.loaded.fault(
                "unknown_profile",
                (*path, "compatProfile"),
                f'There is no compat profile "{profile}".',
                did_you_mean(profile, self.profiles),
            )
        spec = ProviderSpec(
            id=provider_id,
            protocol=protocol,
            base_url=base_url,
            vendor=provider.vendor or self.profiles.get(profile) or family_of(base_url, protocol, provider_id),
            profile=profile,
            auth=self._credentials(provider, base_url, protocol, path),
            endpoint=self._endpoint(provider.endpoint, protocol, path),
            timeouts=Timeouts(
                connect=provider.timeouts.connect,
                first_byte=provider.timeouts.first_byte,
                idle=provider.timeouts.idle,
                total=provider.timeouts.total,
            ),
            tls=TlsSpec(verify=provider.verify, ca_file=self._ca_file(provider, path)),
            proxy=self._text(provider.proxy, (*path, "proxy")) if provider.proxy else None,
            headers=self._headers(provider, path),
            max_connections=provider.max_connections,
        )
        if not provider.verify:
            self.loaded.fault(
                "unverified_tls",
                (*path, "verify"),
                "Certificates are not verified: anyone on the way can read the requests.",
                "Name the upstream's CA with caFile instead.",
                severity="warning",
            )
        errors = [fault for fault in self.loaded.faults[before:] if fault.severity == "error"]
        return None if errors else spec

    def _base_url(self, provider: Provider, path: Path) -> str:
        if provider.base_url is None:
            location = provider.endpoint.location or ""
            host = "aiplatform.googleapis.com" if location == "global" else f"{location}-aiplatform.googleapis.com"
            return f"https://{host}"
        if not has_variable(provider.base_url):
            return _bare(provider.base_url, provider.endpoint)
        value = self._text(provider.base_url, (*path, "baseUrl"))
        url = value.reveal() if value is not None else ""
        if value is not None and not re.match(r"https?://[^/?#@\s]+(?:/[^?#\s]*)?$", url):
            self.loaded.fault(
                "bad_url",
                (*path, "baseUrl"),
                "The variables make no base URL.",
                "It must start with http:// or https:// and have no credentials, query or fragment.",
            )
        return _bare(url, provider.endpoint)

    # --- credentials -----------------------------------------------------------------------------------

    def _credentials(self, provider: Provider, base_url: str, protocol: Protocol, path: Path) -> dict[str, AuthSpec]:
        auth = self._auth_of_endpoint(provider)
        if auth.type == "none":
            return {alias: AuthSpec("none") for alias in provider.keys or {LONE_ALIAS: ""}}
        if not provider.keys:
            if "auth" in provider.model_fields_set or provider.endpoint.kind == "vertex":
                self.loaded.fault(
                    "missing_key",
                    path,
                    f'auth type "{auth.type}" needs at least one entry under keys.',
                    'Write keys = { main = "${NAME}" }.',
                )
            elif not _is_local(base_url):
                self.loaded.fault(
                    "no_credential",
                    path,
                    "The provider has no keys: requests go out without a credential.",
                    'Write keys = { main = "${NAME}" }, or auth = { type = "none" } if that is meant.',
                    severity="warning",
                )
            return {LONE_ALIAS: AuthSpec("none")}
        specs = {
            alias: self._credential(auth, reference, provider, base_url, protocol, (*path, "keys", alias))
            for alias, reference in provider.keys.items()
        }
        return {alias: spec for alias, spec in specs.items() if spec is not None}

    @staticmethod
    def _auth_of_endpoint(provider: Provider) -> Auth:
        """Vertex knows no API keys: there a service account is what is meant unless something is said."""
        if "auth" not in provider.model_fields_set and provider.endpoint.kind == "vertex":
            return Auth(type="serviceAccount")
        return provider.auth

    def _credential(
        self, auth: Auth, reference: str, provider: Provider, base_url: str, protocol: Protocol, path: Path
    ) -> AuthSpec | None:
        header, prefix = _placement(auth, provider.endpoint, base_url, protocol)
        query = (auth.parameter or "key") if auth.type == "query" else None
        if auth.type == "tokenFile":
            return self._token_file(reference, header, prefix, path)
        secret = self._secret(reference, path)
        if secret is None:
            return None
        if auth.type == "oauth2":
            return AuthSpec("oauth2", header, prefix, oauth=self._oauth(auth, secret, path))
        if auth.type == "serviceAccount":
            if not self._is_service_account(secret, path):
                return None
            scopes = tuple(auth.scopes) or (_GOOGLE_SCOPE,)
            return AuthSpec("service_account", header, prefix, service_account=ServiceAccountSpec(secret, scopes))
        if not _is_header_text(secret.reveal()):
            self.loaded.fault(
                "bad_secret",
                path,
                f"What {secret.reference} holds is no key: it has line breaks, control or non-ASCII characters.",
                "Store the bare key.",
            )
            return None
        return AuthSpec("static", header, prefix, query, secret)

    def _token_file(self, reference: str, header: str, prefix: str, path: Path) -> AuthSpec | None:
        if not reference.startswith("file:"):
            self.loaded.fault(
                "bad_reference", path, 'auth type "tokenFile" needs a file: reference.', "Write file:/path/to/token."
            )
            return None
        if self._secret(reference, path) is None:
            return None
        file = reference_path(reference, self.references.folder)
        return AuthSpec("token_file", header, prefix, token_file=str(file))

    def _oauth(self, auth: Auth, secret: Secret, path: Path) -> OAuthSpec:
        refreshes = auth.grant == "refresh_token"
        client_secret = None if refreshes else secret
        if auth.client_secret is not None:
            client_secret = self._secret(auth.client_secret, (*path[:-2], "auth", "clientSecret"))
        return OAuthSpec(
            token_url=auth.token_url or "",
            client_id=auth.client_id or "",
            grant=auth.grant,
            client_secret=client_secret,
            refresh_token=secret if refreshes else None,
            scopes=tuple(auth.scopes),
            audience=auth.audience,
            client_auth=auth.client_auth,
        )

    def _is_service_account(self, secret: Secret, path: Path) -> bool:
        try:
            data = json.loads(secret.reveal())
        except (ValueError, RecursionError):
            data = None
        needed = ("client_email", "private_key", "token_uri")
        missing = [name for name in needed if not isinstance(data, dict) or not isinstance(data.get(name), str)]
        if missing:
            self.loaded.fault(
                "bad_secret",
                path,
                f"What {secret.reference} holds is no service account key: {', '.join(missing)} missing.",
                "Point to the JSON key file Google Cloud made for the service account.",
            )
        return not missing

    # --- endpoint, TLS, headers ------------------------------------------------------------------------

    def _endpoint(self, endpoint: Endpoint, protocol: Protocol, path: Path) -> EndpointSpec:
        where = (*path, "endpoint")
        templates, query, variables = _KINDS[endpoint.kind](endpoint, protocol)
        templates.update({str(operation): text for operation, text in endpoint.paths.items()})
        if endpoint.path is not None:
            templates["*"] = endpoint.path
        query.update(endpoint.query)
        variables.update(endpoint.variables)
        known = (*_BUILT_IN_PLACEHOLDERS, *variables)
        written: dict[tuple[str, ...], str] = {("path",): endpoint.path or ""}
        written.update({("paths", operation): text for operation, text in endpoint.paths.items()})
        for name, value in endpoint.query.items():
            written["query", name] = value
            if name.lower() in SECRET_PARAMETERS and without_variables(value):
                self.loaded.fault(
                    "literal_secret",
                    (*where, "query", name),
                    "A secret stands here in the clear.",
                    'Write it under keys, with auth type "query".',
                )
        for steps, text in written.items():
            for placeholder in _PLACEHOLDER.findall(text):
                if placeholder not in known:
                    self.loaded.fault(
                        "unknown_placeholder",
                        (*where, *steps),
                        f"The template has an unknown placeholder {{{placeholder}}}.",
                        did_you_mean(placeholder, known),
                    )
        default = templates.pop("*", "{path}")
        return EndpointSpec(endpoint.kind, default, templates, query, variables)

    def _headers(self, provider: Provider, path: Path) -> Mapping[str, Secret]:
        headers: dict[str, Secret] = {}
        for name, value in provider.headers.items():
            where = (*path, "headers", name)
            lower = name.lower()
            if lower in _OWN_HEADERS:
                self.loaded.fault("bad_header", where, f"The header {lower} is the transport's own.", "Leave it out.")
            elif lower in headers:
                self.loaded.fault("duplicate_key", where, "The header is written twice.", "Keep one of them.")
            elif lower in SECRET_HEADERS and not has_variable(value) and not value.startswith("file:"):
                self.loaded.fault("literal_secret", where, "A secret stands here in the clear.", HOW_TO_WRITE)
            else:
                secret = self._text(value, where)
                if secret is not None and not _is_header_text(secret.reveal()):
                    self.loaded.fault("bad_header", where, "The value is no header text.", "Use one line of ASCII.")
                elif secret is not None:
                    headers[lower] = secret
        return headers

    def _ca_file(self, provider: Provider, path: Path) -> str | None:
        if provider.ca_file is None:
            return None
        try:
            file = (self.references.folder / FilePath(provider.ca_file).expanduser()).resolve()
            exists = file.is_file()
        except (OSError, RuntimeError, ValueError):
            exists = False
        if not exists:
            self.loaded.fault(
                "missing_file", (*path, "caFile"), "There is no such file.", "Name a PEM file with the CA."
            )
            return None
        return str(file)

    def _secret(self, reference: str, path: Path) -> Secret | None:
        try:
            return self.references.secret(reference)
        except UnresolvedReferenceError as error:
            self.loaded.fault("unresolved_reference", path, error.message, error.next_step)
            return None

    def _text(self, template: str, path: Path) -> Secret | None:
        try:
            return self.references.text(template)
        except UnresolvedReferenceError as error:
            self.loaded.fault("unresolved_reference", path, error.message, error.next_step)
            return None


def _bare(url: str, endpoint: Endpoint) -> str:
    """The base URL without its trailing slash and, for azure, without what the template adds."""
    bare = url.rstrip("/")
    return bare.removesuffix(_AZURE_V1).removesuffix("/openai") if endpoint.kind == "azure" else bare


def _placement(auth: Auth, endpoint: Endpoint, base_url: str, protocol: Protocol) -> tuple[str, str]:
    """(header in lower case, text before the credential)."""
    if auth.type == "x-api-key":
        header = "x-api-key"
    elif auth.type == "apiKey":
        by_kind = {"azure": "api-key", "vertex": "x-goog-api-key"}
        header = by_kind.get(endpoint.kind) or key_header_of(base_url, protocol)
    else:
        header = "authorization"
    header = (auth.header or endpoint.key_header or header).lower()
    if auth.prefix is not None:
        return header, auth.prefix
    return header, "Bearer " if header == "authorization" else ""


def _is_local(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    return is_loopback(host)


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be reached from this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_header_text(value: str) -> bool:
    return value.isascii() and value.isprintable()


_Parts: TypeAlias = tuple[dict[str, str], dict[str, str], dict[str, str]]
"""Templates by operation ("*" = all others), query, variables."""


def _standard(_: Endpoint, __: Protocol) -> _Parts:
    return {}, {}, {}


def _azure(endpoint: Endpoint, protocol: Protocol) -> _Parts:
    """Azure OpenAI: deployments with api-version, or the versionless /openai/v1 surface.

    https://learn.microsoft.com/azure/ai-services/openai/reference
    """
    if protocol is Protocol.OPENAI_CHAT and endpoint.api_version:
        return {"*": "/openai/deployments/{model}{path}"}, {"api-version": endpoint.api_version}, {}
    if protocol is Protocol.ANTHROPIC_MESSAGES:
        return {"*": "/anthropic{path}"}, {}, {}
    query = {"api-version": endpoint.api_version} if endpoint.api_version else {}
    return {"*": _AZURE_V1 + "{path}"}, query, {}


def _vertex(endpoint: Endpoint, protocol: Protocol) -> _Parts:
    """Vertex AI: publishers' models under project and location.

    https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
    """
    place = "/v1/projects/{project}/locations/{location}"
    variables = {
        "project": quote(endpoint.project or "", safe=":"),
        "location": quote(endpoint.location or "", safe=""),
    }
    if protocol is Protocol.GEMINI:
        return {"*": place + "/publishers/google/models/{model}:{verb}"}, {}, variables
    if protocol is Protocol.ANTHROPIC_MESSAGES:
        models = place + "/publishers/anthropic/models"
        return (
            {"*": models + "/{model}:{verb}", "count_tokens": models + "/count-tokens:rawPredict"},
            {},
            variables,
        )
    return {"*": place + "/endpoints/openapi{path}"}, {}, variables


_KINDS: Final = {"standard": _standard, "azure": _azure, "vertex": _vertex, "custom": _standard}
