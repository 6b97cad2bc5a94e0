"""The Virtual Router's face: one table, compiled; features and a name in, a decision out.

It composes names, classification, pools and selection and holds no state of its own: the caller passes the
`RouterState` and every clock reading. A stable and a canary policy are two of these over two tables.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import msgspec

from llmswitch_core.canonical.model import Conversation
from llmswitch_core.globs import is_pattern
from llmswitch_core.router import health
from llmswitch_core.router.classify import Classifier
from llmswitch_core.router.contract import DEFAULT_ROUTE, Decision, Features, RoutingTable, Target
from llmswitch_core.router.features import features_of
from llmswitch_core.router.names import Names, Resolution
from llmswitch_core.router.pools import Chain, chains_of, direct_chain, faults_of
from llmswitch_core.router.select import Asked, choose
from llmswitch_core.router.state import RouterState
from llmswitch_core.router.tool_categories import ToolCategories


class RoutingTableError(ValueError):
    """A routing table that makes no sense; `faults` names every one with its place."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class VirtualRouter:
    """One policy: `features` and `route` for requests, `report` for their outcomes. Immutable, shared by requests."""

    __slots__ = ("_categories", "_chains", "_classifier", "_direct", "_names", "table")

    def __init__(self, table: RoutingTable) -> None:
        """Raises RoutingTableError naming every pool entry, alias and id that makes no sense."""
        self.table = table
        self._names = Names(table)
        faults = faults_of(table) + tuple(
            f"aliases.{alias.pattern}: {alias.ref!r} is neither a route nor a provider key"
            for alias in table.aliases
            if not self._names.is_route(alias.ref) and self._names.address(alias.ref) is None
        )
        if faults:
            raise RoutingTableError(faults)
        settings = table.classifier
        self._chains = chains_of(table)
        self._direct = self._direct_names()
        self._classifier = Classifier(
            settings, [route.name for route in table.routes.values() if _has_pools(self._chains[route.name])]
        )
        self._categories = ToolCategories(settings.coding_tools, settings.search_tools, settings.web_tools)

    def features(self, conversation: Conversation) -> Features:
        """The features of a conversation, with this table's tool lists."""
        return features_of(conversation, self._categories)

    def resolve(self, model: str, hint: str | None = None) -> Resolution:
        """What a model name and a route hint address. Raises GatewayError (400 hint, 404 model)."""
        return self._names.resolve(model, hint)

    def holder(self, provider_key: str) -> Target | None:
        """The target that a stored response names as its issuer; None where its provider or key is gone."""
        return self._names.holder(provider_key)

    def known_names(self) -> tuple[str, ...]:
        """Names a client may use, for the models endpoints."""
        return tuple(self._names.known())

    def route(
        self,
        features: Features | Callable[[], Features] | None,
        model: str,
        hint: str | None,
        conversation_key: str | None,
        state: RouterState,
        excluded: Collection[str],
        now: float,
        *,
        prefer: str | None = None,
    ) -> Decision:
        """The target of one attempt.

        `features`, or a function that measures them, called only where they decide something; None where there is no
        conversation: such requests are not classified. `excluded`:
        provider_keys already tried for this request. `prefer`: the provider_key that issued what the request continues
        (`previous_response_id`); it is taken while it may be asked, unless the client addressed other targets.
        Raises GatewayError: see `resolve` and `select.choose`.
        """
        known = self._direct.get(model) if hint is None else None
        resolution = self._names.resolve(model, hint) if known is None else known[0]
        reasons = resolution.reasons
        if known is not None:
            chain = known[1]
        elif resolution.targets:
            chain = direct_chain(resolution.address, resolution.targets)
        elif resolution.route is not None:
            chain, told = self._chain(resolution.route)
            reasons += told
        else:
            features = features() if callable(features) else features
            route, causes = (
                self._classifier.classify(features) if features else (DEFAULT_ROUTE, ("default:not-classified",))
            )
            chain, told = self._chain(route)
            reasons += causes + told
        if (chain.windowed or prefer is not None) and callable(features):
            features = features()
        asked = Asked(
            how=resolution.how,
            requested=model,
            reasons=reasons,
            tokens=0 if features is None or callable(features) else features.estimated_tokens,
            conversation_key=conversation_key,
            excluded=excluded,
            now=now,
        )
        if prefer is not None and prefer not in excluded:
            preferred = self._preferred(chain, prefer, resolution, asked, state)
            if preferred is not None:
                return preferred
        return choose(self.table, state, chain, asked)

    def _direct_names(self) -> dict[str, tuple[Resolution, Chain]]:
        """The names that address configured targets, resolved once: most requests come with one of these."""
        found = {}
        for name in self._names.known():
            if not is_pattern(name):
                resolution = self._names.resolve(name)
                if resolution.targets:
                    found[name] = resolution, direct_chain(resolution.address, resolution.targets)
        return found

    def _chain(self, route: str) -> tuple[Chain, tuple[str, ...]]:
        """The chain of a route; of `default` where the route has no pools of its own."""
        chain = self._chains.get(route)
        if chain is not None and _has_pools(chain):
            return chain, ()
        fallback = self._chains.get(DEFAULT_ROUTE)
        if fallback is None or route == DEFAULT_ROUTE:
            return Chain(route, route, (), {}, False), ()
        return fallback, (f"default:{route}-has-no-pools",)

    def _preferred(
        self, chain: Chain, prefer: str, resolution: Resolution, asked: Asked, state: RouterState
    ) -> Decision | None:
        """A decision for the issuer, if it is among the chain's targets or the client left the choice to us."""
        place = chain.places.get(prefer)
        if place is not None:
            targets: tuple[Target, ...] = (place[1].target,)
        elif resolution.targets:
            return None
        else:
            addressed = self._names.address(prefer)
            targets = addressed[1] if addressed is not None else ()
        if len(targets) != 1:
            return None
        verdict = health.judge(state, self.table.health, targets[0], asked.now)
        if verdict.standing == "blocked":
            return None
        issuer = direct_chain("issuer", targets)
        reasons = (*asked.reasons, "issuer:previous-response")
        decision = choose(
            self.table, state, issuer, msgspec.structs.replace(asked, reasons=reasons, conversation_key=None)
        )
        return msgspec.structs.replace(decision, route=chain.route, how="sticky", sticky=True)

    def report(self, state: RouterState, decision: Decision, outcome: health.Outcome, now: float) -> None:
        """Take in how the attempt of `decision` ended. Every attempt is reported exactly once."""
        since = decision.decided_at if decision.probe else None
        health.report(state, self.table.health, decision.target, outcome, now, probe_since=since)

    def standings(self, state: RouterState, now: float) -> tuple[health.Standing, ...]:
        """The health of every listed target, for status pages."""
        return tuple(health.standing(state, self.table.health, target, now) for target in self.table.targets.values())


def _has_pools(chain: Chain) -> bool:
    return any(stage.own for stage in chain.stages)


def explain(decision: Decision) -> dict[str, Any]:
    """A decision as plain data for records and the CLI, in camelCase as all JSON of ours."""
    return {
        "target": decision.target.provider_key,
        "route": decision.route,
        "pool": decision.pool,
        "how": decision.how,
        "requestedModel": decision.requested_model,
        "sticky": decision.sticky,
        "probe": decision.probe,
        "reasons": list(decision.reasons),
        "candidates": [
            {
                "target": each.provider_key,
                "pool": each.pool,
                "eligible": each.eligible,
                "reason": each.reason,
                "weight": each.weight,
            }
            for each in decision.candidates
        ],
    }
