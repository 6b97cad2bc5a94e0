"""The switch table: one typed source for the configuration's schema, the CLI, the UI, the API and the README.

Adding a switch is adding a row. A row that has only its first side refuses the second by name, with what it waits
for. In here: the rows, which combinations make sense, and who wins when several set a value. It must not know how
a side works nor what a configuration file looks like; the environment, the ledger and the sentinel are arguments.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from routecodex.config.compiled import Setting, SwitchValue

Source: TypeAlias = Literal["default", "file", "environment", "ledger", "force_stable"]
"""Who set a value, weakest first."""

FORCE_STABLE_VARIABLE: Final = "ROUTECODEX_FORCE_STABLE"


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the matrix: what can be chosen, for whom it holds, and what it takes to change it."""

    key: str
    """Dotted, under `architecture`."""
    field: str
    """Its name in `SwitchVector`."""
    values: tuple[SwitchValue, ...]
    """All choices, default first. `()` as default means: any list of names."""
    scope: Literal["process", "connection", "request", "command"]
    effect: Literal["hot", "drain", "restart"]
    description: str
    sides: Mapping[SwitchValue, str]
    """What each choice is, for people."""
    symbols: Mapping[SwitchValue, str] = {}
    """Where a side is built: `module:attribute`; empty where the row is a setting and no code is chosen."""
    available: tuple[SwitchValue, ...]
    """The choices that exist today."""
    pending: str = ""
    """With what the others land; empty once they are there."""

    @property
    def default(self) -> SwitchValue:
        return self.values[0]

    @property
    def has_both_sides(self) -> bool:
        return len(self.available) > 1


class Combination(msgspec.Struct, frozen=True):
    """`key = value` makes sense only with `needs_key = needs_value`."""

    key: str
    value: SwitchValue
    needs_key: str
    needs_value: SwitchValue
    reason: str

    @property
    def explanation(self) -> str:
        """The rule as one sentence with its reason."""
        return f"{self.key} = {_shown(self.value)} needs {self.needs_key} = {_shown(self.needs_value)}: {self.reason}."


def _row(
    key: str,
    field: str,
    values: tuple[SwitchValue, ...],
    scope: Literal["process", "connection", "request", "command"],
    effect: Literal["hot", "drain", "restart"],
    description: str,
    sides: tuple[str, str],
    *,
    first: str = "",
    second: str = "",
    pending: str = "",
) -> Switch:
    names: tuple[SwitchValue, ...] = values if len(values) > 1 else (values[0], "names")
    return Switch(
        key=key,
        field=field,
        values=values,
        scope=scope,
        effect=effect,
        description=description,
        sides=dict(zip(names, sides, strict=True)),
        symbols={value: symbol for value, symbol in zip(values, (first, second), strict=False) if symbol},
        available=values[:1] if pending else values,
        pending=pending,
    )


SWITCHES: Final[tuple[Switch, ...]] = (
    _row(
        "appKernel",
        "app_kernel",
        ("v1", "v2"),
        "process",
        "restart",
        "Who builds, starts and stops the parts of the gateway.",
        (
            "one boot function: build, serve, stop",
            "AppKernel: dependency-ordered lifecycle, injected blocks, generations, drain",
        ),
        first="routecodex.app.boot:serve",
        second="routecodex.app.kernel:serve",
    ),
    _row(
        "controlBus",
        "control_bus",
        ("v1", "v2"),
        "process",
        "drain",
        "How control actions travel.",
        (
            "the CLI and the app call plain functions, no events",
            "every control action is a typed command on one bus, every change a typed event",
        ),
        pending="the ControlBus (phase 3)",
    ),
    _row(
        "controlWs.enabled",
        "control_ws_enabled",
        (False, True),
        "process",
        "hot",
        "Whether /daemon/ws is served.",
        ("HTTP polling only", "/daemon/ws"),
        pending="/daemon/ws (phase 4)",
    ),
    _row(
        "controlWs.mode",
        "control_ws_mode",
        ("observe", "active"),
        "connection",
        "hot",
        "What a connection to /daemon/ws may do.",
        ("pushes state, accepts no command", "accepts commands, answers with receipts"),
        pending="/daemon/ws (phase 4)",
    ),
    _row(
        "controlWs.allow",
        "control_ws_allow",
        ((),),
        "connection",
        "hot",
        "Who may use /daemon/ws.",
        ("nobody", "list of accounts / serverIds (and `dev`) that may use the WS"),
        pending="/daemon/ws (phase 4)",
    ),
    _row(
        "hostBlocks.runtimeBootstrap",
        "runtime_bootstrap",
        ("v1", "v2"),
        "process",
        "drain",
        "How a generation's artifacts are made: routing tables, compiled profiles, provider instances.",
        (
            "all artifacts built from scratch",
            "by content hash: unchanged ones reused with their pools, new ones validated off-path, swapped whole",
        ),
        first="routecodex.blocks.runtime_bootstrap.v1",
        second="routecodex.blocks.runtime_bootstrap.v2",
    ),
    _row(
        "hostBlocks.providerRuntime",
        "provider_runtime",
        ("v1", "v2"),
        "request",
        "hot",
        "Which transport carries requests upstream.",
        (
            "aiohttp transport",
            "own HTTP/1.1 transport: asyncio.Protocol + httptools, exact cancel and per-phase time-outs",
        ),
        first="routecodex.blocks.provider_runtime.v1",
        second="routecodex.blocks.provider_runtime.v2",
    ),
    _row(
        "hostBlocks.controlPlane",
        "control_plane",
        ("v1", "v2"),
        "command",
        "hot",
        "What the admin HTTP handlers work on.",
        ("the admin HTTP handlers work on the stores", "the same handlers over the ControlBus"),
        first="routecodex.blocks.control_plane.v1",
        pending="control-plane v2 (phase 2)",
    ),
    _row(
        "hostBlocks.httpAdapter",
        "http_adapter",
        ("v1", "v2"),
        "process",
        "drain",
        "What answers HTTP; both sides over one policy module.",
        ("Starlette application", "raw ASGI data plane, Starlette for the rest"),
        first="routecodex.blocks.http_adapter.v1",
        second="routecodex.blocks.http_adapter.v2",
    ),
    _row(
        "sharedmodule.hubCompatProfile",
        "hub_compat_profile",
        ("stable", "canary"),
        "request",
        "hot",
        "Which rule set of each compat profile is used.",
        ("the stable rule set of each profile", "the canary rule set"),
        pending="the shared module canary (phase 5)",
    ),
    _row(
        "sharedmodule.virtualRouterPolicy",
        "virtual_router_policy",
        ("stable", "canary"),
        "request",
        "hot",
        "Which routing policy is used.",
        ("`virtualrouter` policy", "`virtualrouterCanary` policy"),
        pending="the shared module canary (phase 5)",
    ),
)

_BLOCKS_NEED_KERNEL: Final = (
    "under appKernel v2 each block is switched alone; appKernel v1 builds all of them in one function"
)

COMBINATIONS: Final[tuple[Combination, ...]] = (
    Combination("controlWs.enabled", True, "controlBus", "v2", "controlBus v1 has no events to push"),
    Combination(
        "hostBlocks.controlPlane", "v2", "controlBus", "v2", "its handlers speak to the ControlBus, which v1 has not"
    ),
    *(
        Combination(row.key, "v2", "appKernel", "v2", _BLOCKS_NEED_KERNEL)
        for row in SWITCHES
        if row.key.startswith("hostBlocks.")
    ),
)


class SwitchVector(msgspec.Struct, frozen=True, kw_only=True):
    """Every row's value in force, and who set it. One per generation; rows of scope request may differ per request."""

    app_kernel: Literal["v1", "v2"] = "v1"
    control_bus: Literal["v1", "v2"] = "v1"
    control_ws_enabled: bool = False
    control_ws_mode: Literal["observe", "active"] = "observe"
    control_ws_allow: tuple[str, ...] = ()
    runtime_bootstrap: Literal["v1", "v2"] = "v1"
    provider_runtime: Literal["v1", "v2"] = "v1"
    control_plane: Literal["v1", "v2"] = "v1"
    http_adapter: Literal["v1", "v2"] = "v1"
    hub_compat_profile: Literal["stable", "canary"] = "stable"
    virtual_router_policy: Literal["stable", "canary"] = "stable"
    sources: Mapping[str, Source] = {}
    """By key; a key that is absent has its default."""

    def value(self, key: str) -> SwitchValue:
        """The value of the row `key`. Raises KeyError for a key that is no row."""
        value: SwitchValue = getattr(self, BY_KEY[key].field)
        return value

    def values(self) -> dict[str, SwitchValue]:
        """All rows by key, in the table's order."""
        return {row.key: self.value(row.key) for row in SWITCHES}

    def brief(self) -> str:
        """The rows not at their default, `key=value` joined by blanks; empty where all are."""
        return " ".join(
            f"{row.key}={_shown(self.value(row.key))}" for row in SWITCHES if self.value(row.key) != row.default
        )

    def source(self, key: str) -> Source:
        return self.sources.get(BY_KEY[key].key, "default")


BY_KEY: Final[Mapping[str, Switch]] = {row.key: row for row in SWITCHES}


class SwitchTable:
    """The table as the configuration sees it (`config.contract.SwitchTable`)."""

    rows: Sequence[Switch] = SWITCHES

    def refusals(self, values: Mapping[str, SwitchValue]) -> list[tuple[str, str]]:
        """Choices that do not exist yet, and combinations that make no sense: (key, reason)."""
        refused = [(row.key, _unavailable(row, values[row.key])) for row in SWITCHES if row.key in values]
        found = [(key, reason) for key, reason in refused if reason]
        found.extend(
            (rule.key, rule.explanation)
            for rule in COMBINATIONS
            if values.get(rule.key) == rule.value and values.get(rule.needs_key) != rule.needs_value
        )
        return found


TABLE: Final = SwitchTable()


def forced_keys(environ: Mapping[str, str], sentinel: str | None = None) -> frozenset[str]:
    """The rows that must take their first side whatever is set: from ROUTECODEX_FORCE_STABLE and the sentinel file.

    Both hold keys separated by commas or blanks; `*`, `1`, `true` and an empty sentinel mean all. A word that is no
    key forces everything: in an emergency a typing error must not leave a canary running.
    """
    texts = [text for text in (environ.get(FORCE_STABLE_VARIABLE), sentinel) if text is not None]
    forced: set[str] = set()
    for index, text in enumerate(texts):
        is_sentinel = sentinel is not None and index == len(texts) - 1
        words = text.replace(",", " ").split()
        if not words and not is_sentinel:
            continue
        if [word.lower() for word in words] in (["0"], ["false"], ["no"]) and not is_sentinel:
            continue
        if not words or any(word not in BY_KEY for word in words):
            return frozenset(BY_KEY)
        forced.update(words)
    return frozenset(forced)


def resolve(
    configured: Mapping[str, Setting],
    *,
    ledger: Mapping[str, SwitchValue] | None = None,
    forced: Collection[str] = (),
) -> SwitchVector:
    """Who wins: forced > ledger > environment > file > default (the last three are decided in `configured`).

    A forced row takes its dependants with it, so that no senseless combination is left behind. Raises KeyError for
    a key that is no row; values are those the configuration or the ledger has already accepted.
    """
    values: dict[str, SwitchValue] = {row.key: row.default for row in SWITCHES}
    sources: dict[str, Source] = {}
    for key, setting in configured.items():
        values[BY_KEY[key].key] = setting.value
        sources[key] = setting.source
    for key, value in (ledger or {}).items():
        values[BY_KEY[key].key] = value
        sources[key] = "ledger"
    pending = list(forced)
    while pending:
        row = BY_KEY[pending.pop()]
        values[row.key] = row.default
        sources[row.key] = "force_stable"
        pending.extend(
            rule.key
            for rule in COMBINATIONS
            if rule.needs_key == row.key and values[rule.key] == rule.value and values[row.key] != rule.needs_value
        )
    chosen = {row.field: values[row.key] for row in SWITCHES}
    return msgspec.convert({**chosen, "sources": sources}, SwitchVector)


def _unavailable(row: Switch, value: SwitchValue) -> str:
    if value in row.available:
        return ""
    return f"{row.key} = {_shown(value)} is not there yet: the second side lands with {row.pending}."


def _shown(value: SwitchValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{name}"' for name in value) + "]"
    return value
