"""What the target can take: the compat profile's features with this wire's own defaults.

Knows the feature names the request writer asks for (docstring table) and their defaults; not what they are used for.

    feature                     default and meaning
    max_tokens_field            max_tokens; name of the output limit (or max_completion_tokens)
    stream_usage                true; `stream_options.include_usage` may be sent
    developer_role              false; role `developer` may be sent, else `system`
    merge_system                foreign client and no developer_role; the leading system messages go out as one
    mid_system                  true; `system` may stand after the first other message, else it becomes a user message
    text_parts                  own; several texts of one message go out as a part list, else joined to one string
    reasoning_content           false (own: echo); `echo`: thinking goes back on every assistant message,
                                `after_tool_call`: between two words of the user where tools were called
    reasoning_content_field     reasoning_content; its name
    reasoning_content_placeholder  absent; text for a message with calls and no thinking, where the vendor demands some
    reasoning_details           own; OpenRouter's `reasoning_details` go back with their signatures
    thought_signatures          own; Gemini's `extra_content.google.thought_signature` goes back on tool calls
    reasoning_field             reasoning_effort; dialect: that, `reasoning`, `thinking`, `enable_thinking`, or false
    reasoning_efforts           low, medium, high (vendor: all); the effort words the target knows
    cache_control               own; true: on parts and tools, `prompt_cache_breakpoint`: OpenAI's form, false: dropped
    custom_tools                vendor; `type: custom` tools, else wrapped as functions
    allowed_tools               vendor; `tool_choice.allowed_tools`, else the tool list is cut down
    parallel_tool_calls         true; the member may be sent
    hosted_tools                {}; `drop`, or label (`*`: any other) -> a tool object, `web_search_options`, or `drop`
    json_schema                 true; `response_format: json_schema`, else `json_object`
    refusal                     vendor; `refusal` on assistant messages, else their text
    assistant_images            vendor; `images` on assistant messages, else they move to the next user message
    image_output                false; the target can answer with images (`modalities`)
    file_parts, file_url, video true, false, own; `file` parts, URLs in `file_data`, `video_url` parts
    openai_extras               vendor; default of the next row
    verbosity, prompt_cache_key, store, metadata, service_tier, user   openai_extras; the top-level member may be sent
    top_k                       own; the member may be sent
    max_stop                    no limit; stop sequences the target takes

`own`: the client speaks this protocol too. `vendor`: `own`, or the target belongs to the client's vendor.
"""

from __future__ import annotations

from typing import Any

from llmswitch_core.canonical.model import CacheControl, Conversation, JsonValue, Protocol
from llmswitch_core.protocols.contract import Notes, WireTarget
from llmswitch_core.protocols.losses import Loss


class Features:
    """Answers questions about one target, for one conversation."""

    __slots__ = ("_features", "own_protocol", "own_vendor")

    def __init__(self, conversation: Conversation, target: WireTarget) -> None:
        self._features = target.features
        self.own_protocol = conversation.protocol is Protocol.OPENAI_CHAT
        """The client speaks this protocol too."""
        self.own_vendor = self.own_protocol or target.same_vendor
        """What is OpenAI's own in the conversation means something to the target."""

    def get(self, name: str, default: Any) -> Any:
        value = self._features.get(name)
        return default if value is None else value

    def flag(self, name: str, default: bool) -> bool:
        return bool(self.get(name, default))

    def own(self, name: str) -> bool:
        """A feature whose default is `own_vendor`."""
        return self.flag(name, self.own_vendor)

    def sends(self, name: str) -> bool:
        """Whether the top-level member `name` of OpenAI's own may be sent."""
        return self.flag(name, self.flag("openai_extras", self.own_vendor))

    def add_cache(self, part: dict[str, JsonValue], cache: CacheControl, field: Loss, notes: Notes) -> None:
        """Put a cache breakpoint on a part or tool, in the form the target knows, or note that it is gone."""
        form = self.get("cache_control", self.own_protocol)
        if form == "prompt_cache_breakpoint":
            part["prompt_cache_breakpoint"] = {"mode": "explicit"}
            notes.mapped(field)
        elif form:
            wire = {"type": cache.type}
            if cache.ttl is not None:
                wire["ttl"] = cache.ttl
            part["cache_control"] = wire
        else:
            notes.dropped(field)
