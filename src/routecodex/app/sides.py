"""Which code stands behind each side of a block's switch: beside the table itself, the only place that names them.

Each function reads one row's value and gives what the row's contract asks for. A row whose second side has not landed
has one entry; the table (switches.py) refuses the value before it can be looked up here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from routecodex.app.switches import SwitchVector
from routecodex.blocks.control_plane import v1 as control_plane_v1
from routecodex.blocks.control_plane.contract import ControlPlaneFactory
from routecodex.blocks.http_adapter import AdapterFactory
from routecodex.blocks.http_adapter import v1 as http_adapter_v1
from routecodex.blocks.provider_runtime import v1 as provider_runtime_v1
from routecodex.blocks.runtime_bootstrap import BootstrapFactory, RuntimeFactory
from routecodex.blocks.runtime_bootstrap import v1 as runtime_bootstrap_v1
from routecodex.blocks.runtime_bootstrap import v2 as runtime_bootstrap_v2
from routecodex.config.compiled import SwitchValue

_HTTP_ADAPTER: Final[Mapping[str, AdapterFactory]] = {"v1": http_adapter_v1.build}
_PROVIDER_RUNTIME: Final[Mapping[SwitchValue, RuntimeFactory]] = {"v1": provider_runtime_v1.build}
_RUNTIME_BOOTSTRAP: Final[Mapping[str, BootstrapFactory]] = {
    "v1": runtime_bootstrap_v1.build,
    "v2": runtime_bootstrap_v2.build,
}
_CONTROL_PLANE: Final[Mapping[str, ControlPlaneFactory]] = {"v1": control_plane_v1.ControlPlane}


def http_adapter(vector: SwitchVector) -> AdapterFactory:
    """What answers HTTP."""
    return _HTTP_ADAPTER[vector.http_adapter]


def provider_runtimes() -> Mapping[SwitchValue, RuntimeFactory]:
    """Every transport there is: the row is read per request, so a generation holds them all."""
    return _PROVIDER_RUNTIME


def runtime_bootstraps() -> Mapping[str, BootstrapFactory]:
    """Every bootstrap there is: one that shares between generations has to outlive them."""
    return _RUNTIME_BOOTSTRAP


def control_plane(vector: SwitchVector) -> ControlPlaneFactory:
    """What the admin handlers work on."""
    return _CONTROL_PLANE[vector.control_plane]
