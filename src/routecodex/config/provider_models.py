"""The shape of `virtualrouter.providers`: protocol, address, keys, models, endpoint, time-outs, TLS, proxy.

It knows how a provider is written. It must not know vendors' defaults (vendors.py) nor what a key resolves to.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from llmswitch_core.hub.upstream import Operation
from routecodex.config.fields import (
    HeaderName,
    HeaderText,
    Name,
    ProxyUrl,
    Seconds,
    SecretReference,
    Section,
    Text,
    Url,
    Weight,
)

ProtocolName = Literal["openai-chat", "openai-responses", "anthropic-messages", "gemini"]


def or_text(schema: JsonSchemaValue) -> JsonSchemaValue:
    """The schema of a table that may be written as a bare string."""
    return {"anyOf": [{"type": "string", "minLength": 1}, schema]}


class Model(Section):
    """One model of a provider: a bare name, or a table with what is known of it."""

    model_config = ConfigDict(json_schema_extra={"description": "A model; a bare name is enough."})

    name: Text
    """What the upstream calls it; "*" accepts any name."""
    context_window: int | None = Field(default=None, ge=1)
    max_output_tokens: int | None = Field(default=None, ge=1)
    options: dict[str, Any] = Field(default_factory=dict)
    """Facts and settings the compat profile may read."""

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return or_text(handler.resolve_ref_schema(handler(core)))


class Auth(Section):
    """How the credential under `keys` is used. Without it: what the vendor's own SDK does for the protocol."""

    type: Literal[
        "apiKey",
        "bearer",
        "x-api-key",
        "header",
        "query",
        "oauth2",
        "serviceAccount",
        "tokenFile",
        "none",
    ] = "apiKey"
    header: HeaderName | None = None
    """Header that carries the credential (types header, tokenFile, oauth2)."""
    prefix: HeaderText | None = None
    """Text before the credential in that header, blank included."""
    parameter: Text | None = None
    """Query parameter of type `query`; default `key`."""
    token_url: Url | None = None
    client_id: Text | None = None
    client_secret: SecretReference | None = None
    """With grant refresh_token, where the endpoint asks for one: there the key is the refresh token."""
    grant: Literal["client_credentials", "refresh_token"] = "client_credentials"
    scopes: list[Text] = Field(default_factory=list)
    audience: Text | None = None
    client_auth: Literal["post", "basic"] = "post"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.type == "oauth2" and (self.token_url is None or self.client_id is None):
            raise PydanticCustomError("incomplete_auth", "oauth2 needs tokenUrl and clientId.")
        if self.type != "oauth2" and (self.token_url or self.client_id or self.client_secret):
            raise PydanticCustomError("incomplete_auth", 'tokenUrl, clientId and clientSecret belong to type "oauth2".')
        if self.type == "header" and self.header is None:
            raise PydanticCustomError("incomplete_auth", 'Type "header" needs the name of the header.')
        return self


class Endpoint(Section):
    """How the URL is made where it is not simply base URL + protocol path."""

    kind: Literal["standard", "azure", "vertex", "custom"] = "standard"
    path: Text | None = None
    """Template with {path}, {model}, {verb} and the names under `variables`."""
    paths: dict[Operation, Text] = Field(default_factory=dict)
    """Templates by operation, where one differs."""
    query: dict[str, HeaderText] = Field(default_factory=dict)
    variables: dict[Name, Text] = Field(default_factory=dict)
    key_header: HeaderName | None = None
    api_version: Text | None = None
    """azure: the api-version parameter; without it the /openai/v1 surface is used."""
    project: Text | None = None
    location: Text | None = None
    """vertex: where the model runs; `global` is one."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "vertex" and not (self.project and self.location):
            raise PydanticCustomError("incomplete_endpoint", "vertex needs project and location.")
        if self.kind != "vertex" and (self.project or self.location):
            raise PydanticCustomError("incomplete_endpoint", 'project and location belong to kind "vertex".')
        if self.kind != "azure" and self.api_version:
            raise PydanticCustomError("incomplete_endpoint", 'apiVersion belongs to kind "azure".')
        if self.kind == "custom" and not (self.path or self.paths):
            raise PydanticCustomError("incomplete_endpoint", 'Kind "custom" needs path or paths.')
        return self


class ProviderTimeouts(Section):
    connect: Seconds = 10.0
    first_byte: Seconds = 300.0
    idle: Seconds = 300.0
    total: Seconds = 3600.0


class Provider(Section):
    """One upstream account or server. Its id is the key it stands under."""

    protocol: ProtocolName
    base_url: Url | None = None
    """What the vendor's own SDK takes: with /v1 for the two OpenAI protocols, without for Anthropic and Gemini."""
    keys: dict[Name, SecretReference] = Field(default_factory=dict)
    """keyAlias -> reference."""
    models: list[Model] = Field(default_factory=lambda: [Model(name="*")], min_length=1)
    compat_profile: Text | None = None
    vendor: Name | None = None
    """Vendor family: providers of one family may exchange signatures."""
    headers: dict[HeaderName, HeaderText] = Field(default_factory=dict)
    """Static headers; values may contain ${NAME}."""
    auth: Auth = Auth()
    endpoint: Endpoint = Endpoint()
    timeouts: ProviderTimeouts = ProviderTimeouts()
    proxy: ProxyUrl | None = None
    ca_file: Text | None = None
    verify: bool = True
    max_connections: int = Field(default=1024, ge=1, le=65_535)
    weight: Weight = 1
    """Of this provider's targets in pools that name no weight."""

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.base_url is None and self.endpoint.kind != "vertex":
            raise PydanticCustomError("missing_base_url", "baseUrl is missing.")
        return self
