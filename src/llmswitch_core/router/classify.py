"""Features -> route, with the reasons: one small rule per built-in route, keywords for the others.

The rules look at the latest turn only. What lies in the history, and tools that are merely offered, decide nothing.
It knows features and settings; it must not know conversations, targets or health.

A user's turn is judged by what it asks for (media, size, words, thinking), a turn that answers tool calls by the last
tool used: thinking routes plan, coding and search routes carry the tool loop.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final

from llmswitch_core.globs import matches
from llmswitch_core.router.contract import DEFAULT_ROUTE, ROUTES, ClassifierSettings, Features
from llmswitch_core.router.tool_categories import WEB_TOOLS, Category

DEFAULT_KEYWORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "web_search": (
        "search the web", "search the internet", "search online", "web search", "browse the web", "google it",
        "look it up online", "联网搜索", "上网搜索", "搜索网络", "ウェブ検索",
    ),
    "thinking": ("ultrathink", "think hard", "think harder", "megathink", "深度思考", "仔细思考"),
}  # fmt: skip
"""Words that ask for a route outright; `ClassifierSettings.keywords` replaces a route's list."""

_MEDIA_ROUTES: Final = ("multimodal", "vision", "longcontext")
"""Routes of what a model must be able to take, tried before routes of what it should be good at."""

NEEDS_ROUTES: Final = frozenset(_MEDIA_ROUTES)


class Classifier:
    """Classification compiled from settings and the names of the routes that have pools.

    `classify` walks the routes in the settings' order and takes the first that applies and has pools; one that
    applies without pools is told among the reasons and passed over. `default` always applies.
    """

    __slots__ = ("_order", "_routes", "_settings", "_words")

    def __init__(self, settings: ClassifierSettings, routes_with_pools: Collection[str]) -> None:
        self._settings = settings
        self._routes = frozenset(routes_with_pools)
        words = {**DEFAULT_KEYWORDS, **settings.keywords}
        self._words = {route: _word_pattern(listed) for route, listed in words.items() if listed}
        self._order = _full_order(settings.order, tuple(words))

    def classify(self, features: Features) -> tuple[str, tuple[str, ...]]:
        """(route, reasons). Reasons are stable strings `route:cause`; the deciding one is last."""
        passed: list[str] = []
        background = is_background(features, self._settings)
        for route in self._order:
            cause = self._cause(route, features, background)
            if cause is None:
                continue
            if route in self._routes:
                return route, (*passed, f"{route}:{cause}")
            passed.append(f"{route}:{cause}:no-pools")
        return DEFAULT_ROUTE, (*passed, "default:nothing-else-applies")

    def _cause(self, route: str, features: Features, background: bool) -> str | None:
        rule = _RULES.get(route)
        cause = rule(features, self._settings) if rule is not None else None
        if cause is None and route == "multimodal" and features.latest_media and "vision" not in self._routes:
            cause = "image-without-vision-route"
        if cause is None and route == "background" and background:
            cause = "small-side-request"
        if cause is None or (route == "thinking" and background):
            cause = self._keyword(route, features.latest_text)
        return cause

    def _keyword(self, route: str, text: str) -> str | None:
        pattern = self._words.get(route)
        found = pattern.search(text) if pattern is not None and text else None
        return f"keyword={' '.join(found.group().lower().split())}" if found is not None else None


def classify(
    features: Features, settings: ClassifierSettings, routes_with_pools: Collection[str]
) -> tuple[str, tuple[str, ...]]:
    """(route, reasons) of one request; for many requests compile a `Classifier` once."""
    return Classifier(settings, routes_with_pools).classify(features)


def is_background(features: Features, settings: ClassifierSettings) -> bool:
    """Whether this is an agent's side request (a title, a routing question): small model, no tools, no media, short."""
    return (
        not features.has_tools
        and not features.has_media
        and features.estimated_tokens <= settings.background_tokens
        and any(matches(pattern, features.model) for pattern in settings.background_models)
    )


# --- one rule per route --------------------------------------------------------------------------------


def _multimodal(features: Features, _: ClassifierSettings) -> str | None:
    beyond_images = [kind for kind in features.latest_media if kind != "image"]
    return f"latest-turn-has-{beyond_images[0]}" if beyond_images else None


def _vision(features: Features, _: ClassifierSettings) -> str | None:
    return "latest-turn-has-image" if "image" in features.latest_media else None


def _longcontext(features: Features, settings: ClassifierSettings) -> str | None:
    limit = settings.long_context_tokens
    return f"tokens>={limit}" if features.estimated_tokens >= limit else None


def _web_search(features: Features, settings: ClassifierSettings) -> str | None:
    forced = features.forced_tool
    if forced is not None and forced.lower() in (settings.web_tools or WEB_TOOLS):
        return f"forced-tool={forced}"
    return _last_tool_is("web")(features, settings)


def _thinking(features: Features, _: ClassifierSettings) -> str | None:
    return "asked-to-think" if features.thinking and features.last_tool is None else None


def _tools(features: Features, _: ClassifierSettings) -> str | None:
    return f"last-tool={features.last_tool[:64]}" if features.last_tool is not None else None


def _last_tool_is(category: Category) -> Callable[[Features, ClassifierSettings], str | None]:
    def rule(features: Features, _: ClassifierSettings) -> str | None:
        if features.last_tool is None or features.last_tool_category != category:
            return None
        return f"last-tool={features.last_tool[:64]}"

    return rule


_RULES: Final[Mapping[str, Callable[[Features, ClassifierSettings], str | None]]] = {
    "multimodal": _multimodal,
    "vision": _vision,
    "longcontext": _longcontext,
    "web_search": _web_search,
    "thinking": _thinking,
    "coding": _last_tool_is("coding"),
    "search": _last_tool_is("search"),
    "tools": _tools,
}


def _full_order(order: tuple[str, ...], keyword_routes: tuple[str, ...]) -> tuple[str, ...]:
    """The routes to try, `default` left out. User-defined routes that the order does not name come right after what a
    model must be able to take: their words were written by the operator for exactly this."""
    named = [route for route in order if route != DEFAULT_ROUTE]
    own = [route for route in keyword_routes if route not in named and route not in ROUTES]
    at = max((named.index(route) + 1 for route in _MEDIA_ROUTES if route in named), default=0)
    return (*named[:at], *own, *named[at:])


def _word_pattern(words: Collection[str]) -> re.Pattern[str]:
    """Whole words, any spacing between them, any case. Edges count only where the word's own edge is a letter of a
    script that separates words: Chinese and Japanese do not."""
    parts = []
    for word in sorted(words, key=lambda each: (-len(each), each)):
        body = r"\s+".join(re.escape(piece) for piece in word.split())
        left = r"(?<![0-9A-Za-z_])" if word[:1].isascii() and word[:1].isalnum() else ""
        right = r"(?![0-9A-Za-z_])" if word[-1:].isascii() and word[-1:].isalnum() else ""
        parts.append(f"{left}{body}{right}")
    return re.compile("|".join(parts), re.IGNORECASE)
