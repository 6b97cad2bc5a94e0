"""The `thinking` action: how much to think, from whatever member the body says it in to the one the upstream knows.

Chat Completions servers have four dialects, and clients send any of them:

    effort    reasoning_effort: "high"                                          OpenAI, LM Studio, Kimi K3
    object    reasoning: {effort | max_tokens | enabled}                        OpenRouter
    type      thinking: {type: enabled | disabled} (+ reasoning_effort)         GLM, DeepSeek, Kimi K2.x
    switch    enable_thinking: true, thinking_budget: 4096                      Qwen
    none      nothing of the kind

A body that says nothing stays as it is; so does one that says it in the upstream's own way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias

import msgspec

from llmswitch_core.canonical.reasoning import budget_of, effort_of, nearest_effort
from llmswitch_core.compat.edits import Edit, Moment, Tree

Style: TypeAlias = Literal["effort", "object", "type", "switch", "none"]

MEMBERS: Final = ("reasoning_effort", "reasoning", "thinking", "enable_thinking", "thinking_budget")
"""Every member that says how much to think, in any dialect."""


class ThinkingRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`efforts` words the upstream knows ([]: in style `type` none at all, else any); `map` client's word ->
    upstream's; `budget` whether it takes a budget in tokens; `always_on`: thinking cannot be switched off."""

    style: Style
    efforts: list[str] = []
    map: dict[str, str] = {}
    budget: bool = True
    always_on: bool = False


class Asked(msgspec.Struct, frozen=True):
    """What a body asks for: `on` None = it does not say."""

    on: bool | None = None
    effort: str | None = None
    budget: int | None = None


def build(rule: ThinkingRule) -> Edit:
    write = _WRITERS[rule.style]

    def edit(tree: Tree, moment: Moment) -> Tree:
        if not any(name in tree for name in MEMBERS):
            return tree
        asked = read(tree)
        if asked.on is False and rule.always_on:
            moment.notes.dropped("reasoning.mode")
            asked = Asked()
        wanted = write(rule, asked, tree, moment)
        if {name: tree[name] for name in MEMBERS if name in tree} == wanted:
            return tree
        new = {name: value for name, value in tree.items() if name not in MEMBERS}
        new.update(wanted)
        return new

    return edit


def read(tree: Tree) -> Asked:
    """What `tree` asks for, in whichever dialects. A budget is taken from the first that names one."""
    on: bool | None = None
    effort: str | None = None
    budget: int | None = None
    word = tree.get("reasoning_effort")
    if isinstance(word, str):
        effort = word.lower()
    box = tree.get("reasoning")
    if isinstance(box, dict):
        effort = box["effort"].lower() if isinstance(box.get("effort"), str) else effort
        budget = _tokens(box.get("max_tokens"))
        on = box["enabled"] if isinstance(box.get("enabled"), bool) else on
    thinking = tree.get("thinking")
    if isinstance(thinking, dict):
        kind = thinking.get("type")
        on = kind != "disabled" if isinstance(kind, str) else on
        budget = _tokens(thinking.get("budget_tokens")) if budget is None else budget
    switch = tree.get("enable_thinking")
    if isinstance(switch, bool):
        on = switch
    budget = _tokens(tree.get("thinking_budget")) if budget is None else budget
    if effort == "none":
        on, effort = (False if on is None else on), None
    elif on is None and (effort is not None or budget is not None):
        on = True
    return Asked(on, effort, budget)


def _tokens(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _effort(rule: ThinkingRule, asked: Asked, moment: Moment) -> str | None:
    """The upstream's word for the effort asked for, or for the budget."""
    word = asked.effort
    if word is None and asked.budget is not None:
        word = effort_of(asked.budget)
        moment.notes.mapped("reasoning.budget_tokens")
    if word is None:
        return None
    told = rule.map.get(word, word)
    if rule.efforts and told not in rule.efforts:
        told = nearest_effort(told, tuple(rule.efforts))
    if told != word:
        moment.notes.mapped("reasoning.effort")
    return told


# --- one writer per style ------------------------------------------------------------------------------


def _write_effort(rule: ThinkingRule, asked: Asked, _: Tree, moment: Moment) -> Tree:
    if asked.on is False:
        if rule.efforts and "none" not in rule.efforts:
            moment.notes.dropped("reasoning.mode")
            return {}
        return {"reasoning_effort": "none"}
    word = _effort(rule, asked, moment)
    return {} if word is None else {"reasoning_effort": word}


def _write_object(rule: ThinkingRule, asked: Asked, tree: Tree, moment: Moment) -> Tree:
    own = tree.get("reasoning")
    box = {name: value for name, value in own.items() if name not in {"effort", "max_tokens", "enabled"}} if (
        isinstance(own, dict)
    ) else {}  # fmt: skip
    if asked.on is False:
        box["enabled"] = False
    elif asked.effort is not None:
        box["effort"] = _effort(rule, asked, moment)
    elif asked.budget is not None and rule.budget:
        box["max_tokens"] = asked.budget
    elif asked.on:
        box["enabled"] = True
    return {"reasoning": box} if box else {}


def _write_type(rule: ThinkingRule, asked: Asked, tree: Tree, moment: Moment) -> Tree:
    own = tree.get("thinking")
    box = {name: value for name, value in own.items() if name not in {"type", "budget_tokens"}} if (
        isinstance(own, dict)
    ) else {}  # fmt: skip
    if asked.on is not None:
        box = {"type": "enabled" if asked.on else "disabled", **box}
    out: Tree = {"thinking": box} if box else {}
    if asked.on is False:
        return out
    if rule.efforts:
        word = _effort(rule, asked, moment)
        if word is not None:
            out["reasoning_effort"] = word
    elif asked.effort is not None:
        moment.notes.dropped("reasoning.effort")
    elif asked.budget is not None:
        moment.notes.dropped("reasoning.budget_tokens")
    return out


def _write_switch(rule: ThinkingRule, asked: Asked, _: Tree, moment: Moment) -> Tree:
    out: Tree = {} if asked.on is None else {"enable_thinking": asked.on}
    if not asked.on:
        return out
    if rule.budget and asked.budget is not None:
        out["thinking_budget"] = asked.budget
    elif rule.budget and asked.effort is not None:
        out["thinking_budget"] = budget_of(rule.map.get(asked.effort, asked.effort))
        moment.notes.mapped("reasoning.effort")
    elif asked.effort is not None or asked.budget is not None:
        moment.notes.dropped("reasoning.effort" if asked.effort is not None else "reasoning.budget_tokens")
    return out


def _write_nothing(_: ThinkingRule, asked: Asked, __: Tree, moment: Moment) -> Tree:
    if asked != Asked():
        moment.notes.dropped("reasoning")
    return {}


_WRITERS: Final[dict[Style, Callable[[ThinkingRule, Asked, Tree, Moment], Tree]]] = {
    "effort": _write_effort,
    "object": _write_object,
    "type": _write_type,
    "switch": _write_switch,
    "none": _write_nothing,
}
