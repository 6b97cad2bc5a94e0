"""The kinds of field a configuration is made of: the base section, references, names, durations, sizes, addresses.

It knows what one field may look like on its own. It must not know which section a field stands in; what depends
on other fields or on the environment is checked where the configuration is compiled.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from routecodex.config.references import HOW_TO_WRITE, has_variable, is_reference, without_variables

NAME_PATTERN: Final = r"^[A-Za-z0-9_-]+$"
REFERENCE_PATTERN: Final = r"^(\$\{[A-Za-z_][A-Za-z0-9_]*\}|file:.+)$"
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class Section(BaseModel):
    """A table of the configuration: camelCase on the outside, no unknown keys, no guessing of types."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
    )


def _secret(value: str) -> str:
    if not is_reference(value):
        raise PydanticCustomError("literal_secret", "A secret stands here in the clear. " + HOW_TO_WRITE)
    return value


def _url(value: str) -> str:
    literal = without_variables(value)
    if not has_variable(value):
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError:
            raise PydanticCustomError("bad_url", "This is not a URL.") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise PydanticCustomError("bad_url", "A URL starts with http:// or https:// and a host.")
        if parts.query or parts.fragment:
            raise PydanticCustomError(
                "bad_url", "A base URL has no query and no fragment: write them under endpoint.query."
            )
    if "@" in literal:
        raise PydanticCustomError("literal_secret", "A URL must not carry credentials. " + HOW_TO_WRITE)
    if any(character.isspace() for character in literal):
        raise PydanticCustomError("bad_url", "A URL has no blanks.")
    return value


def _proxy(value: str) -> str:
    if is_reference(value):
        return value
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in ("http", "https"):
        raise PydanticCustomError("bad_url", "A proxy is written http://host:port or https://host:port.")
    credentials, at, _ = rest.rpartition("@")
    if at:
        password = credentials.partition(":")[2]
        if not password or without_variables(password):
            raise PydanticCustomError(
                "literal_secret", "The proxy's password stands here in the clear. " + HOW_TO_WRITE
            )
    return value


def _header_name(value: str) -> str:
    if not _HEADER_NAME.fullmatch(value):
        raise PydanticCustomError("bad_header", "This is not the name of a header.")
    return value


def _header_text(value: str) -> str:
    if any(ord(character) < 32 and character != "\t" for character in value) or not value.isascii():
        raise PydanticCustomError("bad_header", "A header's value is one line of ASCII text.")
    return value


def _name(value: str) -> str:
    if "." in value:
        raise PydanticCustomError(
            "dotted_name", "A name has no dots: a dot separates provider, keyAlias and model. Use - or _."
        )
    if not re.fullmatch(NAME_PATTERN, value):
        raise PydanticCustomError("bad_name", "A name is made of letters, digits, - and _.")
    return value


SecretReference: TypeAlias = Annotated[
    str,
    AfterValidator(_secret),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": REFERENCE_PATTERN,
            "description": "A reference to a secret: ${ENVIRONMENT_VARIABLE} or file:/path.",
        }
    ),
]
Name: TypeAlias = Annotated[str, AfterValidator(_name), WithJsonSchema({"type": "string", "pattern": NAME_PATTERN})]
Url: TypeAlias = Annotated[str, AfterValidator(_url)]
ProxyUrl: TypeAlias = Annotated[str, AfterValidator(_proxy)]
HeaderName: TypeAlias = Annotated[str, AfterValidator(_header_name)]
HeaderText: TypeAlias = Annotated[str, AfterValidator(_header_text)]
Seconds: TypeAlias = Annotated[float, Field(gt=0, le=7 * 86_400, allow_inf_nan=False)]
SecondsOrOff: TypeAlias = Annotated[float, Field(ge=0, le=7 * 86_400, allow_inf_nan=False)]
LongSeconds: TypeAlias = Annotated[float, Field(gt=0, le=3_660 * 86_400, allow_inf_nan=False)]
Weight: TypeAlias = Annotated[int, Field(ge=1, le=10_000)]
Priority: TypeAlias = Annotated[int, Field(ge=0, le=1_000_000)]
Text: TypeAlias = Annotated[str, Field(min_length=1, max_length=4096)]
