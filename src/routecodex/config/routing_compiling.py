"""From `virtualrouter` as written to the Virtual Router's `RoutingTable`: targets, pools, aliases, settings.

It knows how references between routing, aliases and providers are written and names the ones that lead nowhere.
It must not know credentials or endpoints, nor choose a target: the router does, from what is made here.
"""

from __future__ import annotations

from math import lcm

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.router.contract import (
    DEFAULT_ROUTE,
    ROUTES,
    Alias,
    ClassifierSettings,
    ContextSettings,
    HealthSettings,
    Pool,
    PoolEntry,
    ProviderModels,
    Route,
    RoutingTable,
    StickySettings,
    Target,
)
from llmswitch_core.router.names import Names
from routecodex.config.compiled import ProviderSpec
from routecodex.config.faults import Path, did_you_mean
from routecodex.config.loading import Loaded
from routecodex.config.provider_models import Provider
from routecodex.config.routing_models import Classifier, Health, PoolTarget, RouteItem, VirtualRouter


def compile_routing(
    loaded: Loaded, router: VirtualRouter, specs: dict[str, ProviderSpec], path: Path, policy: str
) -> RoutingTable:
    """The routing table of one policy; faults go to `loaded` at places under `path`."""
    return _RoutingCompiler(loaded, router, specs, path).compile(policy)


class _RoutingCompiler:
    def __init__(self, loaded: Loaded, router: VirtualRouter, specs: dict[str, ProviderSpec], path: Path) -> None:
        self.loaded = loaded
        self.router = router
        self.specs = specs
        self.path = path
        self.targets: dict[str, Target] = {}
        self.providers: dict[str, ProviderModels] = {}
        self.names = Names(RoutingTable(targets={}, routes={}, providers={}))

    def compile(self, policy: str) -> RoutingTable:
        for provider_id, provider in self.router.providers.items():
            if provider_id in self.specs:
                self._provider(self.specs[provider_id], provider)
        self.names = Names(RoutingTable(targets=self.targets, routes={}, providers=self.providers))
        routes = {name: Route(name, self._pools(name, items)) for name, items in self.router.routing.items()}
        self._check_default(routes)
        self._check_classifier(routes)
        return RoutingTable(
            targets=self.targets,
            routes={name: route for name, route in routes.items() if route.pools},
            providers=self.providers,
            aliases=self._aliases(),
            unknown_model=self.router.unknown_model,
            classifier=_classifier(self.router.classifier),
            health=self._health(self.router.health),
            context=ContextSettings(
                warn_ratio=self.router.context_routing.warn_ratio,
                hard_limit=self.router.context_routing.hard_limit,
            ),
            sticky=StickySettings(
                enabled=self.router.sticky.enabled,
                ttl=self.router.sticky.ttl,
                max_entries=self.router.sticky.max_entries,
            ),
            policy=policy,
        )

    # --- providers -------------------------------------------------------------------------------------

    def _provider(self, spec: ProviderSpec, provider: Provider) -> None:
        seen: set[str] = set()
        for index, model in enumerate(provider.models):
            if model.name in seen:
                self._fault(
                    "duplicate", ("providers", spec.id, "models", index), "The model is listed twice.", "Keep one."
                )
                continue
            seen.add(model.name)
            if model.name == "*":
                continue
            for alias in spec.auth:
                self._add(
                    Target(
                        provider=spec.id,
                        key_alias=alias,
                        model=model.name,
                        protocol=spec.protocol,
                        profile=spec.profile,
                        vendor=spec.vendor,
                        context_window=model.context_window,
                        max_output_tokens=model.max_output_tokens,
                        options=model.options,
                    )
                )
        self.providers[spec.id] = ProviderModels(
            id=spec.id,
            key_aliases=tuple(spec.auth),
            models=tuple(dict.fromkeys(model.name for model in provider.models)),
            vendor=spec.vendor,
            protocol=Protocol(spec.protocol),
            profile=spec.profile,
        )

    def _add(self, target: Target) -> None:
        self.targets.setdefault(target.provider_key, target)

    # --- pools -----------------------------------------------------------------------------------------

    def _pools(self, route: str, items: list[RouteItem]) -> tuple[Pool, ...]:
        where: Path = ("routing", route)
        if not items:
            self._fault("empty_route", where, "The route has no targets.", "Name one, or leave the route out.")
        pools: list[Pool] = []
        ids: set[str] = set()
        for group in _grouped(items):
            index, first = group[0]
            pool_id = first.id or f"{route}-{len(pools)}"
            if pool_id in ids:
                self._fault("duplicate", (*where, index, "id"), "The route has two pools of this id.", "Rename one.")
            ids.add(pool_id)
            entries = self._entries(group, where)
            if entries:
                is_pool = first.targets is not None
                priority = first.priority if is_pool and first.priority is not None else len(pools)
                pools.append(Pool(pool_id, entries, first.mode if is_pool else "weighted", priority))
        return tuple(pools)

    def _entries(self, group: list[tuple[int, RouteItem]], where: Path) -> tuple[PoolEntry, ...]:
        """A pool's entries; a target without keyAlias stands for each of the provider's keys, its weight shared."""
        found: list[tuple[tuple[Target, ...], int, int]] = []
        for place, listed, by_order in _listed(group, where):
            targets = self._resolve(listed.target, place)
            if targets:
                weight = listed.weight or self.router.providers[targets[0].provider].weight
                priority = listed.priority if listed.priority is not None else by_order
                found.append((targets, weight, priority))
        shares = lcm(*(len(targets) for targets, _, _ in found)) if found else 1
        entries: dict[str, PoolEntry] = {}
        for targets, weight, priority in found:
            for target in targets:
                self._add(target)
                if target.provider_key in entries:
                    self._fault(
                        "duplicate",
                        (*where, group[0][0]),
                        f"The pool names {target.provider_key} twice.",
                        "Keep one, with the weight that is meant.",
                    )
                entries[target.provider_key] = PoolEntry(target.provider_key, weight * shares // len(targets), priority)
        return tuple(entries.values())

    def _resolve(self, reference: str, place: Path) -> tuple[Target, ...]:
        addressed = self.names.address(reference)
        if addressed is not None and not reference.endswith(".*"):
            return addressed[1]
        provider_id = reference.partition(".")[0]
        if provider_id in self.specs or provider_id not in self.router.providers:  # else its own faults are told
            self._fault("unknown_target", place, *self._why_unknown(reference))
        return ()

    def _why_unknown(self, reference: str) -> tuple[str, str]:
        """What is wrong with a target reference, and what was probably meant."""
        prefix, dot, rest = reference.partition(".")
        if reference.endswith(".*"):
            return f'"{reference}" names no model.', "Name one: a target is one model, written out."
        if prefix not in self.router.providers:
            known = sorted(self._references())
            if not dot:
                return f'"{reference}" is no target.', f"Write provider.model. {did_you_mean(reference, known)}".strip()
            return f'There is no provider "{prefix}".', did_you_mean(prefix, self.router.providers)
        if not dot or not rest:
            return f'"{reference}" names a provider but no model.', f"Write {prefix}.model."
        models = [model for model in self.providers[prefix].models if model != "*"]
        return f'The provider "{prefix}" lists no model "{rest}".', did_you_mean(rest, models)

    def _references(self) -> list[str]:
        return [f"{provider.id}.{model}" for provider in self.providers.values() for model in provider.models]

    # --- aliases, default, classifier ------------------------------------------------------------------

    def _aliases(self) -> tuple[Alias, ...]:
        aliases: list[Alias] = []
        for pattern, reference in self.router.aliases.items():
            place: Path = ("aliases", pattern)
            if reference in self.router.routing or reference in ROUTES:
                aliases.append(Alias(pattern, reference))
            elif "." in reference:
                for target in self._resolve(reference, place):
                    self._add(target)
                aliases.append(Alias(pattern, reference))
            else:
                self._fault(
                    "unknown_target",
                    place,
                    f'The alias leads nowhere: "{reference}" is neither a route nor a target.',
                    did_you_mean(reference, [*self.router.routing, *ROUTES, *self._references()]),
                )
        return tuple(aliases)

    def _check_default(self, routes: dict[str, Route]) -> None:
        if DEFAULT_ROUTE in routes:
            return
        classified = self.router.unknown_model == "classify"
        aliased = [ref for ref in self.router.aliases.values() if ref in ROUTES and ref not in routes]
        if not classified and not aliased:
            return
        self._fault(
            "missing_default",
            ("routing",),
            'There is no route "default", and requests may end there.',
            'Write default = ["provider.model"] under virtualrouter.routing'
            + (', or set unknownModel = "404".' if classified and not aliased else "."),
        )

    def _check_classifier(self, routes: dict[str, Route]) -> None:
        classifier = self.router.classifier
        known = [*ROUTES, *(name for name in routes if name not in ROUTES)]
        for index, name in enumerate(classifier.order):
            if name not in known:
                self._fault(
                    "unknown_route", ("classifier", "order", index), f'"{name}" is no route.', did_you_mean(name, known)
                )
            if name in classifier.order[:index]:
                self._fault("duplicate", ("classifier", "order", index), "The route is named twice.", "Keep one.")
        for name in classifier.keywords:
            if name not in known:
                self._fault(
                    "unknown_route",
                    ("classifier", "keywords", name),
                    f'"{name}" is no route.',
                    did_you_mean(name, known),
                )
        reached = {DEFAULT_ROUTE, *self.router.aliases.values()}
        if self.router.unknown_model == "classify":
            reached |= {name for name in classifier.order if name in ROUTES} | set(classifier.keywords)
        for name in routes:
            if name not in reached:
                self._unreachable(name)

    def _unreachable(self, route: str) -> None:
        by_hint = self.router.hints.header
        self._fault(
            "unreachable_route",
            ("routing", route),
            (
                "Only the header x-routecodex-route reaches this route."
                if by_hint
                else "No request can reach this route."
            ),
            "Let an alias lead to it, or give it words under classifier.keywords.",
            warning=by_hint,
        )

    def _health(self, health: Health) -> HealthSettings:
        if health.max_open_seconds < health.open_seconds:
            self._fault(
                "out_of_range",
                ("health", "maxOpenSeconds"),
                "maxOpenSeconds is less than openSeconds.",
                "Make it at least as long.",
            )
        return HealthSettings(
            failure_threshold=health.failure_threshold,
            window=health.window,
            open_seconds=health.open_seconds,
            max_open_seconds=health.max_open_seconds,
            half_open_probes=health.half_open_probes,
            rate_limit_cooldown=health.rate_limit_cooldown,
            auth_cooldown=health.auth_cooldown,
            billing_cooldown=health.billing_cooldown,
        )

    def _fault(self, code: str, place: Path, message: str, next_step: str, *, warning: bool = False) -> None:
        self.loaded.fault(code, (*self.path, *place), message, next_step, severity="warning" if warning else "error")


def _grouped(items: list[RouteItem]) -> list[list[tuple[int, RouteItem]]]:
    """The pools of a route: each `targets` table alone, bare targets that stand beside each other together."""
    groups: list[list[tuple[int, RouteItem]]] = []
    joinable = False
    for index, item in enumerate(items):
        if item.targets is None and joinable:
            groups[-1].append((index, item))
        else:
            groups.append([(index, item)])
        joinable = item.targets is None
    return groups


def _listed(group: list[tuple[int, RouteItem]], where: Path) -> list[tuple[Path, PoolTarget, int]]:
    """(place, target, priority if none is written) of each entry of one pool."""
    index, first = group[0]
    if first.targets is not None:
        by_order = first.mode == "priority"
        return [
            ((*where, index, "targets", place), target, place if by_order else 0)
            for place, target in enumerate(first.targets)
        ]
    return [
        ((*where, place), PoolTarget(target=item.target or "", weight=item.weight, priority=item.priority), 0)
        for place, item in group
    ]


def _classifier(classifier: Classifier) -> ClassifierSettings:
    return ClassifierSettings(
        long_context_tokens=classifier.long_context_tokens,
        background_tokens=classifier.background_tokens,
        background_models=tuple(classifier.background_models),
        coding_tools=tuple(classifier.coding_tools),
        search_tools=tuple(classifier.search_tools),
        web_tools=tuple(classifier.web_tools),
        keywords={route: tuple(words) for route, words in classifier.keywords.items()},
        order=tuple(classifier.order),
    )
