"""The names clients may use, as the model list shows them: from the current generation's routing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from routecodex.app.generation import Generation
from routecodex.blocks.http_adapter import ModelEntry


class Catalogue:
    """A `ModelCatalogue` over whatever generation is current."""

    def __init__(self, generation: Callable[[], Generation]) -> None:
        self._generation = generation

    def models(self) -> Sequence[ModelEntry]:
        """Aliases and targets; patterns are no names."""
        generation = self._generation()
        table = generation.config.routing
        entries: list[ModelEntry] = []
        for name in generation.artifacts.router.known_names():
            if "*" in name:
                continue
            provider, _, model = name.partition(".")
            known = table.providers.get(provider)
            target = None
            if known is not None and known.key_aliases:
                target = table.targets.get(f"{provider}.{known.key_aliases[0]}.{model}")
            entries.append(
                ModelEntry(
                    name,
                    provider if known is not None else "routecodex",
                    target.context_window if target is not None else None,
                    target.max_output_tokens if target is not None else None,
                )
            )
        return entries
