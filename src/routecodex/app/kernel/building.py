"""Builds a generation off-path: artifacts by the bootstrap the switches name, and the adapter that serves it.

A generation that differs from the current one in switches only shares its artifacts. Nothing here is published, no
listener and no timer is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from routecodex.app import sides
from routecodex.app.adapter_rules import rules
from routecodex.app.applying import Candidate
from routecodex.app.catalogue import Catalogue
from routecodex.app.generation import Generation, Wired
from routecodex.app.ids import new_id
from routecodex.app.kernel.generations import Current
from routecodex.app.request_flow import RequestFlow
from routecodex.blocks.control_plane import Overview
from routecodex.blocks.http_adapter import Application
from routecodex.blocks.runtime_bootstrap import RuntimeBootstrap, Surround
from routecodex.config.compiled import SwitchValue


class GenerationBuilder:
    """Makes generations of candidates."""

    def __init__(self, current: Current, surround: Surround, flow: RequestFlow, overview: Overview) -> None:
        self._current = current
        self._flow = flow
        self._overview = overview
        self._bootstraps: Mapping[SwitchValue, RuntimeBootstrap] = {
            side: make(surround) for side, make in sides.runtime_bootstraps().items()
        }

    def build(self, candidate: Candidate) -> Generation:
        """Every object constructed. Raises RoutingTableError, ProfileError, AdminTokenError."""
        config, switches = candidate.compiled, candidate.switches
        return Generation(config, switches, self._wired(candidate), self._adapter(candidate))

    def _wired(self, candidate: Candidate) -> Wired:
        before = self._current.published
        if (
            before is not None
            and before.config is candidate.compiled
            and sides.share_artifacts(before.switches, candidate.switches)
        ):
            return before.wired
        bootstrap = sides.runtime_bootstrap(candidate.switches, self._bootstraps)
        return Wired(bootstrap.build(candidate.compiled, sides.rule_set(candidate.switches)), bootstrap)

    def _adapter(self, candidate: Candidate) -> Callable[[Generation], Application]:
        switches, obeyed = candidate.switches, rules(candidate.compiled)
        make = sides.http_adapter(switches)
        control = sides.control_plane(switches)(self._overview)
        return lambda generation: make(obeyed, self._flow, Catalogue(lambda: generation), control, new_id)
