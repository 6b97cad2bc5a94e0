"""Every side of `hostBlocks.providerRuntime` there is, found by its file: tests hold on each of them.

A side is a module with `build` (the provider runtime) and `transport` (one provider's connections).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from routecodex.blocks import provider_runtime
from routecodex.blocks.provider_runtime import ProviderRuntime
from routecodex.config.compiled import ProviderSpec
from routecodex.providers.transport import Transport

Build: TypeAlias = Callable[[dict[str, ProviderSpec], Callable[[], float]], ProviderRuntime]
Make: TypeAlias = Callable[[ProviderSpec], Transport]


def _sides() -> dict[str, ModuleType]:
    folder = Path(provider_runtime.__file__ or "").parent
    return {
        path.stem: import_module(f"{provider_runtime.__name__}.{path.stem}")
        for path in sorted(folder.glob("v[0-9].py"))
    }


SIDES: dict[str, Any] = _sides()
