"""The vocabulary of `x-routecodex-notes`: one name per thing that may not be carried as it was, whoever speaks.

Names follow the canonical model (singular, `part.member`), never one wire: the same loss has the same name on every
target. `Loss` are the names that stand alone; in a family the second half is data (a tool's label, a member's name),
and `of` is the only way to make such a name. Both tables are what docs/reference/notes.md shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, cast

from llmswitch_core.canonical.model import Sampling

Loss: TypeAlias = Literal[
    "assistant.media",
    "assistant.tool_result",
    "cache",
    "cache_key",
    "duplicate_tool_call",
    "logprobs",
    "media.cache",
    "media.detail",
    "media.document",
    "media.name",
    "media.url",
    "messages",
    "messages.name",
    "metadata",
    "orphan_tool_result",
    "output",
    "output.schema",
    "output.verbosity",
    "parallel_tool_calls",
    "phase",
    "reasoning",
    "reasoning.budget_tokens",
    "reasoning.effort",
    "reasoning.encrypted",
    "reasoning.mode",
    "reasoning.summary",
    "refusal",
    "repeated_tool_call_id",
    "sampling",
    "sampling.logit_bias",
    "sampling.max_output_tokens",
    "sampling.stop",
    "sampling.temperature",
    "sampling.top_k",
    "service_tier",
    "store",
    "system",
    "text.cache",
    "text.citations",
    "text.signature",
    "thinking",
    "thinking.redacted",
    "thinking.signature",
    "tool.cache",
    "tool.custom",
    "tool.deferred",
    "tool.namespace_description",
    "tool.output_schema",
    "tool.parameters",
    "tool.strict",
    "tool_call.arguments",
    "tool_call.cache",
    "tool_call.id",
    "tool_call.signature",
    "tool_choice",
    "tool_choice.allowed",
    "tool_result.cache",
    "tool_result.is_error",
    "tool_result.media",
    "unanswered_tool_call",
    "user",
    "user.tool_call",
]
Place: TypeAlias = Literal["assistant", "system", "tool_result", "user"]
Family: TypeAlias = Place | Literal["extensions", "media", "member", "opaque", "sampling", "tool"]

LOSSES: Final[Mapping[Loss, str]] = {
    "assistant.media": "an image or file the assistant showed, which the target's assistant turns cannot hold",
    "assistant.tool_result": "a tool result inside an assistant turn",
    "cache": "the request's own cache breakpoint",
    "cache_key": "`prompt_cache_key`",
    "duplicate_tool_call": "the same call twice: one of them was left out",
    "logprobs": "the answer's token probabilities",
    "media.cache": "a cache breakpoint on an image or file",
    "media.detail": "how closely an image is to be looked at",
    "media.document": "a document, which the target takes as text or not at all",
    "media.name": "a file's name or title",
    "media.url": "a file by URL, which became a line of text that names it",
    "messages": "the order of turns: the target wants another one",
    "messages.name": "the name of a message's author",
    "metadata": "the request's `metadata`",
    "orphan_tool_result": "a tool result without its call became text of the user",
    "output": "the form of the answer (JSON), asked for in another way",
    "output.schema": "the schema of the answer",
    "output.verbosity": "how long the answer should be",
    "parallel_tool_calls": "whether several tools may be called at once",
    "phase": "the phase of an assistant's message",
    "reasoning": "everything said about thinking",
    "reasoning.budget_tokens": "the budget for thinking",
    "reasoning.effort": "the effort of thinking",
    "reasoning.encrypted": "the wish for encrypted reasoning",
    "reasoning.mode": "whether to think",
    "reasoning.summary": "the wish for summaries of the thinking",
    "refusal": "a refusal in the history became text",
    "repeated_tool_call_id": "two calls of one id: one got another",
    "sampling": "numbers that steer generation, several of which the target fixes",
    "sampling.logit_bias": "biases of tokens",
    "sampling.max_output_tokens": "the most tokens of the answer: outside what the target takes, or not named",
    "sampling.stop": "stop sequences: some or all",
    "sampling.temperature": "the temperature: outside what the target takes",
    "sampling.top_k": "top-k",
    "service_tier": "the service tier",
    "store": "the wish that the vendor keeps the answer",
    "system": "system text that moved, because the target has no such place for it",
    "text.cache": "a cache breakpoint on a text",
    "text.citations": "what a text cites",
    "text.signature": "a vendor's signature on a text",
    "thinking": "thinking in the history or the answer",
    "thinking.redacted": "thinking that only its vendor can read",
    "thinking.signature": "a vendor's signature on thinking",
    "tool.cache": "a cache breakpoint on a tool",
    "tool.custom": "a freeform tool, which became a function of one text",
    "tool.deferred": "that a tool is to be loaded later: it is offered from the start",
    "tool.namespace_description": "the description of a group of tools",
    "tool.output_schema": "the schema of a tool's results",
    "tool.parameters": "a tool's schema, lowered to what the target understands",
    "tool.strict": "that a tool's schema is to be kept exactly",
    "tool_call.arguments": "arguments that were no JSON object",
    "tool_call.cache": "a cache breakpoint on a call",
    "tool_call.id": "a call's id, in a form the target takes",
    "tool_call.signature": "a vendor's signature on a call",
    "tool_choice": "which tool is to be called",
    "tool_choice.allowed": "the list of tools that may be called",
    "tool_result.cache": "a cache breakpoint on a tool's result",
    "tool_result.is_error": "that a tool failed: only its text tells",
    "tool_result.media": "an image or file in a tool's result, which moved behind it",
    "unanswered_tool_call": "a call without a result got one that says so",
    "user": "the id of the end user",
    "user.tool_call": "a tool call inside a user's turn",
}
"""Names that stand alone, and what each means."""

FAMILIES: Final[Mapping[Family, str]] = {
    "assistant": "a kind of content the target's assistant turns (its answer's, or the history's) cannot hold",
    "extensions": "a member of the request the canonical model does not know, by its wire name",
    "media": "a further member of an image or file, by its wire name",
    "member": "a member of the upstream's request that a compat profile does not let through, by its wire name",
    "opaque": "content only the client's own protocol understands, by its wire type",
    "sampling": "a number that steers generation, by name: `top_p`, `seed`, `presence_penalty` …",
    "system": "a kind of content the target's system text cannot hold",
    "tool": "a hosted tool by its canonical name (`web_search` …), or a further member of a function tool",
    "tool_result": "a kind of content the target's tool results cannot hold",
    "user": "a kind of content the target's user turns cannot hold",
}
"""First halves of names whose second half is data, and what each means."""


def of(family: Family, name: str) -> Loss:
    """The family's name for this one: `of("tool", "web_search")` is `tool.web_search`."""
    return cast("Loss", f"{family}.{name}")


def of_member(name: str) -> Loss:
    """The name for a top-level member of an upstream's request: that of what it carries, where the table has it."""
    known = _CARRIED.get(name)
    if known is not None:
        return known
    return cast("Loss", name) if name in LOSSES else of("sampling" if name in _NUMBERS else "member", name)


_CARRIED: Final[Mapping[str, Loss]] = {
    "prompt_cache_key": "cache_key",
    "reasoning_effort": "reasoning.effort",
    "response_format": "output.schema",
    "verbosity": "output.verbosity",
    "max_tokens": "sampling.max_output_tokens",
    "max_completion_tokens": "sampling.max_output_tokens",
    "stop": "sampling.stop",
}
_NUMBERS: Final = frozenset(Sampling.__struct_fields__)


def in_own_words(note: str) -> Loss:
    """A name that a configured compat profile gives; the built-in ones use the table's."""
    return cast("Loss", note)


def is_known(name: str) -> bool:
    """Whether the tables have this name."""
    family, dot, rest = name.partition(".")
    return name in LOSSES or (bool(dot and rest) and family in FAMILIES)
