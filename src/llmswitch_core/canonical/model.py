"""The canonical model of one request and of one answer: what all four protocols have in common, and more.

Data only. Every protocol reads into it and writes from it; governance edits it; nothing here knows a wire
format. A Part is one piece of content (the wire words are content block, content part, part). Tool results
are parts of a user turn (writers split or coalesce them as their protocol demands). System text is a turn
with role `system` in the place where the client put it; the leading run of such turns is the system prompt.
Structs are mutable on purpose (governance edits in place on a copy it owns); treat what you did not build
as read-only.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal, TypeAlias

import msgspec

JsonValue: TypeAlias = Any
"""Decoded JSON: dict, list, str, int, float, bool or None. `Any` because it is the JSON border."""


class Protocol(StrEnum):
    """A wire protocol, inbound (the client's) or outbound (the upstream's)."""

    OPENAI_CHAT = "openai-chat"
    OPENAI_RESPONSES = "openai-responses"
    ANTHROPIC_MESSAGES = "anthropic-messages"
    GEMINI = "gemini"


class Issuer(msgspec.Struct, frozen=True):
    """Who made an opaque token (signature, encrypted reasoning, call id): `vendor` and `runtime_key`.

    `vendor` is the vendor family of the target ("anthropic", "openai", "gemini", or the provider id for
    everybody else); `runtime_key` is `provider.keyAlias`; `model` the upstream model that issued it.
    """

    vendor: str
    runtime_key: str = ""
    model: str = ""


class CacheControl(msgspec.Struct, frozen=True, omit_defaults=True):
    """A prompt-cache breakpoint behind the part that carries it (Anthropic `cache_control`)."""

    type: str = "ephemeral"
    ttl: str | None = None


# --- content parts -------------------------------------------------------------------------------------


class Text(msgspec.Struct, tag="text"):
    """Plain text. `citations` holds the wire objects of the origin protocol, untranslated."""

    text: str
    cache: CacheControl | None = None
    citations: list[JsonValue] | None = None
    signature: str | None = None
    """Gemini may put a thoughtSignature on a text part."""


class Thinking(msgspec.Struct, tag="thinking"):
    """Reasoning of the model: readable `text`, or opaque, or both.

    `signature` is the token that proves it to its issuer (Anthropic signature, Gemini thoughtSignature,
    OpenAI encrypted_content, according to `origin`). `redacted` is Anthropic's redacted_thinking data.
    `summary` is true where the text is a summary, not raw reasoning (OpenAI Responses). `id` is the wire id (`rs_…`).
    """

    text: str = ""
    signature: str | None = None
    redacted: str | None = None
    summary: bool = False
    id: str | None = None
    origin: Protocol | None = None
    """The protocol whose wire form the token has; None for plain `reasoning_content` text."""
    wire: JsonValue = None
    """The whole wire object where the origin protocol has more in it than these fields (R reasoning items)."""


class Media(msgspec.Struct, tag="media"):
    """An image, document, audio or video: base64 `data`, or `url`, or a vendor's `file_id`; exactly one."""

    kind: Literal["image", "document", "audio", "video"]
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    name: str | None = None
    detail: str | None = None
    text: str | None = None
    """Text of a plain-text document source."""
    cache: CacheControl | None = None
    options: dict[str, JsonValue] | None = None
    """Further wire fields of the origin (title, context, citations.enabled, videoMetadata …), same-protocol only."""


class ToolCall(msgspec.Struct, tag="tool_call"):
    """One call the assistant made. `arguments` is JSON text (kind `function`) or free text (kind `custom`)."""

    id: str
    name: str
    arguments: str
    kind: Literal["function", "custom"] = "function"
    namespace: str | None = None
    signature: str | None = None
    """Gemini thoughtSignature that came with the call."""
    item_id: str | None = None
    """Wire id of the item around the call (R `fc_…`)."""
    cache: CacheControl | None = None
    options: dict[str, JsonValue] | None = None
    """Further wire fields of the origin, same-protocol only (M `caller`, `toolset_name`)."""


class ToolResult(msgspec.Struct, tag="tool_result"):
    """What the client answers to a ToolCall. `content` holds Text, Media and Opaque parts, in order."""

    call_id: str
    content: list[Part]
    name: str | None = None
    """The tool's name where the wire carries it (Gemini), else None."""
    is_error: bool = False
    kind: Literal["function", "custom"] = "function"
    structured: JsonValue = None
    """Gemini's `functionResponse.response` object as received; None where the result is plain content."""
    cache: CacheControl | None = None
    item_id: str | None = None
    options: dict[str, JsonValue] | None = None
    """Further wire fields of the origin, same-protocol only (M `toolset_name`)."""


class Refusal(msgspec.Struct, tag="refusal"):
    """The model declines; text for the user."""

    text: str


class Opaque(msgspec.Struct, tag="opaque"):
    """Content only its own protocol understands (hosted tool calls and results, tool_reference, item_reference …).

    Carried unchanged to the same protocol, dropped with a note elsewhere. `label` is its wire type.
    """

    protocol: Protocol
    label: str
    wire: JsonValue


Part: TypeAlias = Text | Thinking | Media | ToolCall | ToolResult | Refusal | Opaque


def tag_of(part: Part) -> str:
    """The part's kind as one word: `text`, `thinking`, `media`, `tool_call`, `tool_result`, `refusal`, `opaque`."""
    return str(part.__struct_config__.tag)


class Turn(msgspec.Struct):
    """One turn: who speaks, and the parts in order."""

    role: Literal["system", "user", "assistant"]
    parts: list[Part]
    developer: bool = False
    """For role `system`: the wire said `developer`."""
    name: str | None = None
    phase: str | None = None
    """R message `phase` (commentary | final_answer)."""
    item_id: str | None = None
    options: dict[str, JsonValue] | None = None
    """Further wire fields of the origin's message, same-protocol only (Codex's metadata passthrough)."""


# --- tools and settings --------------------------------------------------------------------------------


class FunctionTool(msgspec.Struct, tag="function"):
    """A tool with JSON-Schema parameters. `namespace` and its description are R's tool groups."""

    name: str
    description: str | None = None
    parameters: JsonValue = None
    strict: bool | None = None
    namespace: str | None = None
    namespace_description: str | None = None
    deferred: bool = False
    cache: CacheControl | None = None
    output_schema: JsonValue = None
    options: dict[str, JsonValue] | None = None
    """Further wire fields of the origin (input_examples, eager_input_streaming …), same-protocol only."""
    typed: JsonValue = None
    """R: the wire tool of a typed tool the client runs itself (tool_search, local_shell …); elsewhere this function."""


class CustomTool(msgspec.Struct, tag="custom"):
    """A freeform tool: the call carries text, optionally bound by a grammar (`format` as on the R wire)."""

    name: str
    description: str | None = None
    format: JsonValue = None
    namespace: str | None = None
    namespace_description: str | None = None
    deferred: bool = False
    options: dict[str, JsonValue] | None = None
    """Further wire fields of the origin (allowed_callers, async …), same-protocol only."""


class HostedTool(msgspec.Struct, tag="hosted"):
    """A tool the vendor runs (web search, code interpreter, tool_search …).

    `label` is the canonical name where several vendors have it (`web_search`, `web_fetch`, `code_execution`,
    `computer_use`, `file_search`, `url_context`, `tool_search`, `image_generation`, `mcp`), else the wire type.
    """

    label: str
    protocol: Protocol
    wire: JsonValue


Tool: TypeAlias = FunctionTool | CustomTool | HostedTool


class ToolItem(msgspec.Struct):
    """R: an input item that brought tools along (`additional_tools`, or a tool search's result).

    The last `sum(count)` tools of the conversation belong to its tool items, in order; other protocols send them like
    the rest. `wire` is the item, to be restored in front of turn `at` in the same protocol; None if a ToolResult
    holds it.
    """

    at: int
    count: int
    wire: JsonValue


class ToolChoice(msgspec.Struct, frozen=True):
    """`auto`, `none`, `required` (any tool), or `named`; `allowed` limits the choice to some names."""

    mode: Literal["auto", "none", "required", "named"]
    name: str | None = None
    namespace: str | None = None
    kind: Literal["function", "custom", "hosted"] = "function"
    allowed: tuple[str, ...] = ()


class Sampling(msgspec.Struct):
    """Numbers that steer generation; None = the client did not say."""

    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: list[str] | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    n: int | None = None
    logit_bias: dict[str, float] | None = None


class Reasoning(msgspec.Struct):
    """How much the model should think and what of it the client wants to see.

    `mode` off | on | adaptive; `effort` none|minimal|low|medium|high|xhigh|max as the client said;
    `budget_tokens` a hard budget (Gemini: -1 = dynamic); `summary` R's auto|concise|detailed;
    `visible` whether thoughts should be returned (G includeThoughts, M display != omitted).
    """

    mode: Literal["off", "on", "adaptive"] | None = None
    effort: str | None = None
    budget_tokens: int | None = None
    summary: str | None = None
    visible: bool | None = None
    encrypted: bool = False
    """The client asked for `reasoning.encrypted_content`."""


class OutputFormat(msgspec.Struct):
    """Structured output: `text`, `json` (any JSON object) or `json_schema`; plus verbosity and modalities."""

    type: Literal["text", "json", "json_schema"] = "text"
    schema: JsonValue = None
    name: str | None = None
    description: str | None = None
    strict: bool | None = None
    verbosity: str | None = None
    modalities: list[str] | None = None


class Conversation(msgspec.Struct):
    """One request, whole: everything the client said, in no protocol's spelling."""

    protocol: Protocol
    """The protocol it was read from (the inbound protocol)."""
    model: str
    turns: list[Turn]
    stream: bool = False
    framing: Literal["sse", "json-array"] = "sse"
    """How the client wants a stream framed: `json-array` is G's streamGenerateContent without `alt=sse`."""
    tools: list[Tool] = []
    tool_items: list[ToolItem] = []
    """Where the last of `tools` came from, if not from the tool list itself."""
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    sampling: Sampling = msgspec.field(default_factory=Sampling)
    reasoning: Reasoning | None = None
    output: OutputFormat | None = None
    include_usage: bool = False
    """C: the client asked for a usage chunk in the stream."""
    store: bool | None = None
    previous_response_id: str | None = None
    user: str | None = None
    """End-user id as the client gave it (C/R `user`/`safety_identifier`, M `metadata.user_id`)."""
    session: str | None = None
    """Explicit session or conversation id found in the body (prompt_cache_key, Claude Code's session id …)."""
    cache_key: str | None = None
    service_tier: str | None = None
    metadata: dict[str, JsonValue] | None = None
    cache: CacheControl | None = None
    """M top-level `cache_control`."""
    extensions: dict[str, JsonValue] = {}
    """Top-level members of the body without a canonical field, by wire name; elsewhere dropped with a note."""


# --- answers -------------------------------------------------------------------------------------------


class Usage(msgspec.Struct, frozen=True):
    """Token counts as disjoint counters (protocols.md MP-12).

    `input` excludes what was read from or written to a cache; `output` includes `reasoning`. None of the
    totals of a wire format: OpenAI's prompt_tokens = input + cache_read + cache_write, Anthropic's
    input_tokens = input.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    wire: JsonValue = None
    """The upstream's own usage object, for fields without a counter (same protocol only)."""


class FinishReason(StrEnum):
    """Why the answer ended. An unknown wire reason is OTHER and keeps its spelling in `Finish.wire`."""

    STOP = "stop"
    TOOL_CALLS = "tool_calls"
    LENGTH = "length"
    STOP_SEQUENCE = "stop_sequence"
    CONTENT_FILTER = "content_filter"
    REFUSAL = "refusal"
    PAUSE = "pause"
    CONTEXT_WINDOW = "context_window"
    MALFORMED_CALL = "malformed_call"
    OTHER = "other"


class Answer(msgspec.Struct):
    """One whole answer: the fold of its StreamEvents (canonical/fold.py)."""

    id: str
    model: str
    parts: list[Part]
    finish: FinishReason | None
    finish_wire: str | None = None
    stop_sequence: str | None = None
    usage: Usage | None = None
    created: int | None = None
    service_tier: str | None = None
