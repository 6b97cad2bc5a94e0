"""Thinking, sampling and output settings of a request, and the conflicts between them.

What must hold upstream (platform.claude.com: "Extended thinking", "Adaptive thinking", "Effort"): a budget is at least
1024 and below max_tokens; with thinking on, temperature stays 1, top_k unset and top_p at 0.95 or more, and no tool may
be forced (MP-23); a model that thinks by budget refuses a tool loop whose assistant message does not begin with its
thinking. A Messages client's own settings are sent as they are, only moved to the form of thinking the target knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.model import Conversation, JsonValue, Reasoning
from llmswitch_core.canonical.reasoning import budget_of, effort_of, nearest_effort
from llmswitch_core.protocols.anthropic_messages.models import Abilities, is_claude
from llmswitch_core.protocols.anthropic_messages.schemas import output_schema
from llmswitch_core.protocols.contract import Notes
from llmswitch_core.protocols.losses import of

DEFAULT_MAX_TOKENS: Final = 32000
MIN_BUDGET: Final = 1024

JSON_ORDER: Final = "Answer with one JSON object and nothing else: no prose, no code fence."
SCHEMA_ORDER: Final = "Answer with JSON that matches this JSON Schema and nothing else: no prose, no code fence.\n"

Wanted = Literal["off", "on", "adaptive"] | None


class Settings(msgspec.Struct):
    """The members this module decides; `order` is text to put behind the system prompt, `thinks`: thinking is on."""

    body: dict[str, JsonValue]
    order: str | None = None
    thinks: bool = False


class SettingsWriter:
    """Decides the settings of one request."""

    __slots__ = ("_abilities", "_conversation", "_features", "_model", "_native", "_notes")

    def __init__(
        self,
        conversation: Conversation,
        model: str,
        abilities: Abilities,
        features: Mapping[str, Any],
        native: bool,
        notes: Notes,
    ) -> None:
        self._conversation = conversation
        self._model = model
        self._abilities = abilities
        self._features = features
        self._native = native
        self._notes = notes

    def settings(self, forced_tool: bool, unthought_loop: bool) -> Settings:
        """`forced_tool`: tool_choice demands a call. `unthought_loop`: the open tool loop lacks its thinking block."""
        out = Settings({})
        budget = self._thinking(out, forced_tool, unthought_loop)
        self._max_tokens(out, budget)
        self._sampling(out)
        self._output(out)
        return out

    # --- thinking ---------------------------------------------------------------------------------

    def _thinking(self, out: Settings, forced_tool: bool, unthought_loop: bool) -> int:
        """Puts `thinking` and `output_config.effort`; answers the budget, 0 without one."""
        reasoning = self._conversation.reasoning
        if reasoning is None:
            return 0
        wanted = _wanted(reasoning, self._native)
        if wanted in ("on", "adaptive") and not self._possible(forced_tool, unthought_loop):
            self._notes.dropped("reasoning")
            if not self._native and self._abilities.thinking_style != "none":
                out.body["thinking"] = {"type": "disabled"}
            return 0
        effort = self._effort(reasoning, wanted)
        if effort is not None:
            out.body["output_config"] = {"effort": effort}
        if wanted is None or self._abilities.thinking_style == "none":
            return 0
        if wanted == "off":
            out.body["thinking"] = {"type": "disabled"}
            return 0
        out.thinks = True
        display = self._display(reasoning)
        if self._budgeted(wanted):
            budget = max(self._budget(reasoning, wanted), MIN_BUDGET)
            out.body["thinking"] = {"type": "enabled", "budget_tokens": budget, **display}
            return budget
        if wanted == "on" and reasoning.budget_tokens:
            self._notes.mapped("reasoning.budget_tokens")
        out.body["thinking"] = {"type": "adaptive", **display}
        return 0

    def _possible(self, forced_tool: bool, unthought_loop: bool) -> bool:
        if self._abilities.thinking_style == "none":
            return False
        if self._native:
            return True
        by_budget = self._abilities.thinking_style == "budget" and not self._abilities.unsigned_thinking
        return not forced_tool and not (by_budget and unthought_loop)

    def _budgeted(self, wanted: Wanted) -> bool:
        style = self._abilities.thinking_style
        return style == "budget" or (style == "both" and wanted == "on")

    def _budget(self, reasoning: Reasoning, wanted: Wanted) -> int:
        if reasoning.budget_tokens is not None and reasoning.budget_tokens > 0:
            return reasoning.budget_tokens
        if wanted == "adaptive" or reasoning.effort is not None:
            self._notes.mapped("reasoning.effort")
        return budget_of(reasoning.effort or "medium")

    def _effort(self, reasoning: Reasoning, wanted: Wanted) -> str | None:
        word = reasoning.effort.lower() if reasoning.effort else None
        if word == "none":
            return None
        words = self._abilities.efforts
        if word is None:
            by_budget = wanted == "on" and self._abilities.thinking_style == "adaptive"
            if not by_budget or not reasoning.budget_tokens or not words:
                return None
            return nearest_effort(effort_of(reasoning.budget_tokens), words)
        if not words:
            if wanted not in ("on", "adaptive"):
                self._notes.dropped("reasoning.effort")
            return None
        nearest = nearest_effort(word, words)
        if nearest != word:
            self._notes.mapped("reasoning.effort")
        return nearest

    def _display(self, reasoning: Reasoning) -> dict[str, JsonValue]:
        visible = reasoning.visible
        if visible is None and reasoning.summary not in (None, "none"):
            visible = True
        if visible is None or not (self._native or is_claude(self._model)):
            return {}
        return {"display": "summarized" if visible else "omitted"}

    # --- numbers ----------------------------------------------------------------------------------

    def _max_tokens(self, out: Settings, budget: int) -> None:
        """max_tokens, and the budget below it. Without a client's word the default leaves room beside the budget."""
        default = int(self._features.get("default_max_tokens") or DEFAULT_MAX_TOKENS)
        said = self._conversation.sampling.max_output_tokens
        tokens = said if said is not None else default if budget * 2 <= default else budget + default
        cap = self._abilities.max_output_tokens
        if cap is not None and tokens > cap:
            tokens = int(cap)
            if said is not None:
                self._notes.mapped("sampling.max_output_tokens")
        out.body["max_tokens"] = tokens
        if budget and budget >= tokens:
            fitting = tokens * 4 // 5
            if fitting < MIN_BUDGET:
                out.body["thinking"] = {"type": "disabled"}
                out.thinks = False
                self._notes.dropped("reasoning")
            else:
                out.body["thinking"]["budget_tokens"] = fitting
                self._notes.mapped("reasoning.budget_tokens")

    def _sampling(self, out: Settings) -> None:
        sampling = self._conversation.sampling
        self._stop(out)
        for name in _WITHOUT_EQUAL:
            if getattr(sampling, name) is not None:
                self._notes.dropped(of("sampling", name))
        if sampling.n is not None and sampling.n > 1:
            raise invalid(
                "The Messages protocol gives one answer per request.",
                code="unsupported_n",
                param="n",
                next_step="Send n requests, or leave n out.",
            )
        values = {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": sampling.top_k}
        temperature = sampling.temperature
        if temperature is not None and temperature > 1 and not self._native:
            values["temperature"] = 1.0
            self._notes.mapped("sampling.temperature")
        for name in self._unusable(values, out.thinks):
            if values[name] is not None:
                values[name] = None
                self._notes.dropped(of("sampling", name))
        out.body.update({name: value for name, value in values.items() if value is not None})

    def _unusable(self, values: Mapping[str, float | None], thinks: bool) -> list[str]:
        temperature, top_p = values["temperature"], values["top_p"]
        if not self._abilities.sampling:
            return [name for name, value in values.items() if value != _DEFAULTS.get(name)]
        if self._native:
            return []
        out: list[str] = []
        if thinks and not self._abilities.unsigned_thinking:
            out.append("top_k")
            if temperature != 1:
                out.append("temperature")
            if top_p is not None and top_p < 0.95:
                out.append("top_p")
        if self._abilities.single_sampler and temperature is not None and "temperature" not in out:
            out.append("top_p")
        return out

    def _stop(self, out: Settings) -> None:
        stop = self._conversation.sampling.stop
        if not stop:
            return
        # The API refuses sequences of nothing but white space.
        usable = stop if self._native else [item for item in stop if item.strip()]
        if len(usable) < len(stop):
            self._notes.dropped("sampling.stop")
        if usable:
            out.body["stop_sequences"] = usable

    # --- output -----------------------------------------------------------------------------------

    def _output(self, out: Settings) -> None:
        output = self._conversation.output
        if output is None:
            return
        if output.verbosity is not None:
            self._notes.dropped("output.verbosity")
        if output.modalities and any(item.lower() not in ("text",) for item in output.modalities):
            raise invalid(
                "The Messages protocol answers in text only.",
                code="unsupported_modality",
                param="modalities",
                next_step="Ask for text, or route the request to a model that makes other media.",
            )
        if output.type == "json":
            out.order = JSON_ORDER
            self._notes.mapped("output")
        elif output.type == "json_schema":
            self._json_schema(out, output.schema)

    def _json_schema(self, out: Settings, schema: JsonValue) -> None:
        if not self._native and not self._abilities.structured_outputs:
            out.order = SCHEMA_ORDER + jsonio.encode(schema).decode()
            self._notes.mapped("output")
            return
        lowered, changed = (schema, False) if self._native else output_schema(schema)
        if changed:
            self._notes.mapped("output.schema")
        config = dict(out.body.get("output_config") or {})
        out.body["output_config"] = {**config, "format": {"type": "json_schema", "schema": lowered}}


_WITHOUT_EQUAL: Final = (
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "top_logprobs",
    "logit_bias",
)
_DEFAULTS: Final = {"temperature": 1}


def _wanted(reasoning: Reasoning, native: bool) -> Wanted:
    """What the client asked of thinking. An effort alone means "think" to every protocol but Messages itself."""
    if native:
        return reasoning.mode
    if reasoning.mode == "off" or (reasoning.effort or "").lower() == "none" or reasoning.budget_tokens == 0:
        return "off"
    if reasoning.budget_tokens is not None:
        return "on" if reasoning.budget_tokens > 0 else "adaptive"
    if reasoning.mode is not None:
        return "adaptive"
    said = reasoning.effort is not None or reasoning.visible or reasoning.summary not in (None, "none")
    return "adaptive" if said else None
