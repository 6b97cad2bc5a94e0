"""Which code stands behind each side of a block's switch: beside the table itself, the only place that names them.

Each function reads one row's value and gives what the row's contract asks for. A row whose second side has not landed
has one entry; the table (switches.py) refuses the value before it can be looked up here. When a side is removed with
its row, its import and its entry in here go too, and what is left is used.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from routecodex.app.switches import BY_KEY, SwitchVector
from routecodex.blocks.control_plane import v1 as control_plane_v1
from routecodex.blocks.control_plane.contract import ControlPlaneFactory
from routecodex.blocks.http_adapter import AdapterFactory
from routecodex.blocks.http_adapter import v1 as http_adapter_v1
from routecodex.blocks.http_adapter import v2 as http_adapter_v2
from routecodex.blocks.provider_runtime import v1 as provider_runtime_v1
from routecodex.blocks.provider_runtime import v2 as provider_runtime_v2
from routecodex.blocks.runtime_bootstrap import (
    BootstrapFactory,
    RuleSet,
    Runtime,
    RuntimeBootstrap,
    RuntimeFactory,
)
from routecodex.blocks.runtime_bootstrap import v1 as runtime_bootstrap_v1
from routecodex.blocks.runtime_bootstrap import v2 as runtime_bootstrap_v2
from routecodex.config.compiled import SwitchValue

_HTTP_ADAPTER: Final[Mapping[SwitchValue, AdapterFactory]] = {"v1": http_adapter_v1.build, "v2": http_adapter_v2.build}
_PROVIDER_RUNTIME: Final[Mapping[SwitchValue, RuntimeFactory]] = {
    "v1": provider_runtime_v1.build,
    "v2": provider_runtime_v2.build,
}
_RUNTIME_BOOTSTRAP: Final[Mapping[SwitchValue, BootstrapFactory]] = {
    "v1": runtime_bootstrap_v1.build,
    "v2": runtime_bootstrap_v2.build,
}
_CONTROL_PLANE: Final[Mapping[SwitchValue, ControlPlaneFactory]] = {"v1": control_plane_v1.ControlPlane}

_DECIDE_ARTIFACTS: Final = (
    "hostBlocks.runtimeBootstrap",
    "sharedmodule.hubCompatProfile",
    "sharedmodule.virtualRouterPolicy",
)


def chosen(vector: SwitchVector, key: str, sides: Collection[SwitchValue]) -> SwitchValue:
    """The name of the side this row's value is; where the row is gone, of the one that is left."""
    return vector.value(key) if key in BY_KEY else next(iter(sides))


def http_adapters() -> Mapping[SwitchValue, AdapterFactory]:
    """Every adapter there is."""
    return _HTTP_ADAPTER


def http_adapter(vector: SwitchVector) -> AdapterFactory:
    """What answers HTTP."""
    return _HTTP_ADAPTER[chosen(vector, "hostBlocks.httpAdapter", _HTTP_ADAPTER)]


def provider_runtimes() -> Mapping[SwitchValue, RuntimeFactory]:
    """Every transport there is: the row is read per request, so a generation holds them all."""
    return _PROVIDER_RUNTIME


def provider_runtime(vector: SwitchVector, runtimes: Mapping[SwitchValue, Runtime]) -> Runtime:
    """Which of a generation's runtimes new requests take."""
    return runtimes[chosen(vector, "hostBlocks.providerRuntime", runtimes)]


def runtime_bootstraps() -> Mapping[SwitchValue, BootstrapFactory]:
    """Every bootstrap there is: one that shares between generations has to outlive them."""
    return _RUNTIME_BOOTSTRAP


def runtime_bootstrap(vector: SwitchVector, bootstraps: Mapping[SwitchValue, RuntimeBootstrap]) -> RuntimeBootstrap:
    """Which of a process's bootstraps builds the next generation."""
    return bootstraps[chosen(vector, "hostBlocks.runtimeBootstrap", bootstraps)]


def control_plane(vector: SwitchVector) -> ControlPlaneFactory:
    """What the admin handlers work on."""
    return _CONTROL_PLANE[chosen(vector, "hostBlocks.controlPlane", _CONTROL_PLANE)]


def rule_set(vector: SwitchVector) -> RuleSet:
    """Which rule set of each compat profile holds."""
    return vector.hub_compat_profile


def share_artifacts(one: SwitchVector, other: SwitchVector) -> bool:
    """Whether the rows that decide over artifacts agree."""
    return all(one.value(key) == other.value(key) for key in _DECIDE_ARTIFACTS if key in BY_KEY)
