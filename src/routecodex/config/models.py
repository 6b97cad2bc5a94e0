"""The shape of the whole file: its sections, and the root model that takes `architecture` from the switch table.

It knows sections and their fields. The rows of `architecture` are given to it; what is not built yet has a section
without settings, so that a key written too early is refused by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, create_model, model_validator
from pydantic.alias_generators import to_snake

from routecodex.config.contract import SwitchRow
from routecodex.config.fields import LongSeconds, Name, Seconds, SecondsOrOff, SecretReference, Section, Text
from routecodex.config.routing_models import VirtualRouter


class ServerKey(Section):
    """One key clients may present: a bare reference, or a table naming the account it belongs to."""

    key: SecretReference
    account: Name | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_reference(cls, value: object) -> object:
        return {"key": value} if isinstance(value, str) else value


class Admin(Section):
    enabled: bool = True
    token_file: Text | None = None
    """Default: `run/admin-token` in the gateway's home."""


class ServerLimits(Section):
    max_body_bytes: int = Field(default=32 * 1024 * 1024, ge=1024, le=1024**3)
    max_json_depth: int = Field(default=256, ge=8, le=900)
    max_header_bytes: int = Field(default=64 * 1024, ge=4096, le=1024**2)
    max_concurrent_requests: int = Field(default=2048, ge=1, le=1_000_000)
    max_websocket_connections: int = Field(default=512, ge=0, le=1_000_000)
    write_buffer_bytes: int = Field(default=256 * 1024, ge=1024, le=64 * 1024**2)


class ResponsesSurface(Section):
    done_marker: bool = False
    """End Responses streams with `data: [DONE]`; the vendor's API does not."""


class Server(Section):
    host: Text = "127.0.0.1"
    port: int = Field(default=5555, ge=0, le=65_535)
    backlog: int = Field(default=2048, ge=1, le=65_535)
    api_keys: list[ServerKey] = Field(default_factory=list)
    admin: Admin = Admin()
    limits: ServerLimits = ServerLimits()
    keepalive: SecondsOrOff = 15.0
    head_wait: Seconds = 15.0
    drain: SecondsOrOff = 30.0
    hard_stop: Seconds = 3600.0
    allowed_hosts: list[Text] = Field(default_factory=list)
    allowed_origins: list[Text] = Field(default_factory=list)
    responses: ResponsesSurface = ResponsesSurface()
    access_log: bool = True


class Compat(Section):
    """Compat profiles of the user's own, one file each (TOML or JSON)."""

    files: list[Text] = Field(default_factory=list)
    directories: list[Text] = Field(default_factory=list)


class Store(Section):
    path: Text | None = None
    """SQLite file; default `state.sqlite3` in the gateway's home; ":memory:" keeps nothing."""
    responses_ttl: LongSeconds = 30 * 24 * 3600.0
    max_bytes: int = Field(default=1024**3, ge=1024**2)


class Telemetry(Section):
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    metrics: bool = True


class Rollout(Section):
    """No settings yet: rollouts land with the switches' second sides."""


class Snapshots(Section):
    """No settings yet: records and snapshots land with replay."""


class ConfigurationBase(Section):
    """Everything but `architecture`."""

    server: Server = Server()
    virtualrouter: VirtualRouter = VirtualRouter()
    virtualrouter_canary: VirtualRouter | None = None
    """What the canary routing policy changes; tables are merged key by key, lists replaced."""
    compat: Compat = Compat()
    rollout: Rollout = Rollout()
    snapshots: Snapshots = Snapshots()
    telemetry: Telemetry = Telemetry()
    store: Store = Store()


SECTIONS_TO_COME = {
    "rollout": "rollouts land with the switches' second sides",
    "snapshots": "snapshots land with recording and replay",
}
"""Sections that exist without settings, and why."""


def configuration_model(rows: Sequence[SwitchRow]) -> type[ConfigurationBase]:
    """The root model, `architecture` built from the switch table's rows."""
    architecture = _architecture_model(rows, "")
    return create_model(
        "Configuration",
        __base__=ConfigurationBase,
        architecture=(architecture, Field(default_factory=architecture)),
    )


def _architecture_model(rows: Sequence[SwitchRow], prefix: str) -> type[Section]:
    """A section for the rows under `prefix` ("" or "hostBlocks."), nested tables for deeper keys."""
    fields: dict[str, Any] = {}
    for row in rows:
        name, dot, _ = row.key.removeprefix(prefix).partition(".")
        if dot:
            group = prefix + name + "."
            if to_snake(name) not in fields:
                inner = _architecture_model([row for row in rows if row.key.startswith(group)], group)
                fields[to_snake(name)] = (inner, Field(default_factory=inner))
        else:
            fields[to_snake(name)] = _row_field(row)
    title = prefix.rstrip(".")
    return create_model("Architecture" + title[:1].upper() + title[1:], __base__=Section, __doc__=None, **fields)


def _row_field(row: SwitchRow) -> tuple[Any, Any]:
    default = row.values[0]
    if isinstance(default, tuple):
        return list[Text], Field(default_factory=lambda: list(default), description=row.description)
    if isinstance(default, bool):
        return bool, Field(default=default, description=row.description)
    sides: Any = Literal.__getitem__(row.values)
    return sides, Field(default=default, description=row.description)


__all__ = ["Compat", "ConfigurationBase", "Server", "ServerKey", "configuration_model"]
