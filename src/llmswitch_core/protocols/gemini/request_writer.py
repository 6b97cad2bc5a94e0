"""A Conversation -> an upstream generateContent / streamGenerateContent request, from scratch.

Knows the shape of `contents`; tools and settings are `settings_writer`'s. Turns of one speaker become one content
(except when the client spoke G: its contents are kept), function responses stand first in theirs and in call order,
empty parts and empty contents are left out. Features: `call_ids` (default true; the public API takes
`functionCall.id`, older Vertex revisions refuse it), `result_parts` (media inside functionResponse; default from
Gemini 3 on), `dummy_signature` (default true: see wire.SKIP_SIGNATURE; used from Gemini 3 on).
"""

from __future__ import annotations

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.custom import wrap_input
from llmswitch_core.canonical.ids import portable
from llmswitch_core.canonical.model import (
    Conversation,
    JsonValue,
    Media,
    Opaque,
    Part,
    Protocol,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from llmswitch_core.canonical.names import WireNames
from llmswitch_core.protocols.contract import Notes, WireRequest, WireTarget
from llmswitch_core.protocols.gemini.media import media_part
from llmswitch_core.protocols.gemini.settings_writer import write_settings
from llmswitch_core.protocols.gemini.wire import (
    COUNT,
    GENERATE,
    INVENTED,
    SKIP_SIGNATURE,
    STREAM,
    generation,
    resource_path,
)
from llmswitch_core.protocols.losses import Place, of

WirePart = dict[str, JsonValue]


def write_request(conversation: Conversation, target: WireTarget, notes: Notes) -> WireRequest:
    """The whole upstream request. Raises invalid_request for what Gemini cannot be asked."""
    return WireRequest(
        path=resource_path(target.model, STREAM if target.stream else GENERATE),
        body=write_body(conversation, target, notes),
        query={"alt": "sse"} if target.stream else {},
    )


def count_request(conversation: Conversation, target: WireTarget, notes: Notes) -> WireRequest | None:
    """countTokens. Feature `count_form`: `generateContentRequest` (default, the public API), `contents` (Vertex: the
    members at the top), or `none` where the upstream has no such call."""
    form = target.features.get("count_form", "generateContentRequest")
    if form == "none":
        return None
    body = write_body(conversation, target, notes)
    if form == "contents":
        body = {key: body[key] for key in ("contents", "systemInstruction", "tools") if key in body}
    else:
        path = resource_path(target.model, "").removeprefix("/").removesuffix(":")
        body = {"generateContentRequest": {"model": path, **body}}
    return WireRequest(path=resource_path(target.model, COUNT), body=body)


def write_body(conversation: Conversation, target: WireTarget, notes: Notes) -> dict[str, JsonValue]:
    """The body of a generateContent request."""
    names = WireNames(conversation.tools, letter_first=True)
    writer = _Contents(conversation, target, names, notes)
    system, contents = writer.write()
    body: dict[str, JsonValue] = {"contents": contents}
    if system:
        body["systemInstruction"] = {"parts": system}
    write_settings(body, conversation, target, names, notes)
    return body


class _Contents:
    """The turns of one conversation, becoming contents."""

    def __init__(self, conversation: Conversation, target: WireTarget, names: WireNames, notes: Notes) -> None:
        features = target.features
        known = generation(target.model)
        modern = known is not None and known >= (3, 0)
        self._conversation = conversation
        self._own = conversation.protocol is Protocol.GEMINI
        self._names = names
        self._notes = notes
        self._call_ids = bool(features.get("call_ids", True))
        self._result_parts = bool(features.get("result_parts", modern))
        self._dummy = modern and bool(features.get("dummy_signature", True))
        self._called: dict[str, ToolCall] = {}

    def write(self) -> tuple[list[WirePart], list[JsonValue]]:
        """Parts of `systemInstruction`, and `contents`."""
        turns = self._conversation.turns
        leading = next((i for i, turn in enumerate(turns) if turn.role != "system"), len(turns))
        system = [part for turn in turns[:leading] for part in self._parts(turn.parts, "system")]
        contents: list[JsonValue] = []
        for turn in turns[leading:]:
            self._add(contents, turn)
        if not contents and system:
            # Gemini demands contents: a request that is all system prompt is asked as the user's words.
            self._notes.mapped("system")
            return [], [{"role": "user", "parts": system}]
        if not self._own:
            for content in contents:
                if content["role"] == "user":
                    content["parts"].sort(key=_is_no_response)
        if self._dummy:
            for content in contents:
                _sign_first_call(content["parts"])
        return system, contents

    def _add(self, contents: list[JsonValue], turn: Turn) -> None:
        role = "model" if turn.role == "assistant" else "user"
        if turn.role == "system":
            self._notes.mapped("system")
        if turn.name is not None:
            self._notes.dropped("messages.name")
        if turn.phase is not None:
            self._notes.dropped("phase")
        parts = self._model_parts(turn.parts) if role == "model" else self._user_parts(turn.parts)
        if not parts:
            return
        if contents and contents[-1]["role"] == role and not self._own:
            contents[-1]["parts"].extend(parts)
        else:
            contents.append({"role": role, "parts": parts})

    def _parts(self, parts: list[Part], where: Place) -> list[WirePart]:
        """Parts of a system prompt or user turn that are no tool results."""
        out: list[WirePart] = []
        for part in parts:
            if isinstance(part, Text):
                self._note_text(part)
                if part.text or (part.signature and self._own):
                    out.append(_signed({"text": part.text}, part.signature if self._own else None))
            elif isinstance(part, Media):
                self._note_media(part)
                out.append(media_part(part, self._conversation.protocol))
            elif isinstance(part, Refusal):
                if part.text:
                    out.append({"text": part.text})
            elif isinstance(part, Opaque):
                if part.protocol is Protocol.GEMINI and isinstance(part.wire, dict):
                    out.append(part.wire)
                else:
                    self._notes.dropped(of("opaque", part.label))
            elif isinstance(part, Thinking):
                self._notes.dropped(of(where, "thinking"))
        return out

    def _note_media(self, media: Media) -> None:
        """What inlineData and fileData have no member for."""
        if media.cache is not None:
            self._notes.dropped("media.cache")
        if self._own:
            return
        if media.detail not in (None, "auto"):
            self._notes.dropped("media.detail")
        if media.name is not None:
            self._notes.dropped("media.name")
        for name in media.options or ():
            self._notes.dropped(of("media", name))

    def _user_parts(self, parts: list[Part]) -> list[WirePart]:
        responses: list[WirePart] = []
        rehomed: list[WirePart] = []
        others: list[Part] = []
        for part in parts:
            if isinstance(part, ToolResult):
                responses.append(self._response(part, rehomed))
            elif isinstance(part, ToolCall):
                self._notes.dropped("user.tool_call")
            else:
                others.append(part)
        return responses + rehomed + self._parts(others, "user")

    def _model_parts(self, parts: list[Part]) -> list[WirePart]:
        """An assistant turn. A signature that came on a thought goes to the call (or text) after it: Gemini wants
        it there, and other protocols can only bring it back on the thought."""
        out: list[WirePart] = []
        held: str | None = None
        for part in parts:
            if isinstance(part, Thinking):
                thought, held = self._thought(part, held)
                out.extend(thought)
            elif isinstance(part, ToolCall):
                out.append(self._call(part, part.signature or held))
                held = None
            elif isinstance(part, ToolResult):
                self._notes.dropped("assistant.tool_result")
            elif isinstance(part, Text) and held is not None and part.text and not part.signature:
                self._note_text(part)
                out.append(_signed({"text": part.text}, held))
                held = None
            elif isinstance(part, Text):
                self._note_text(part)
                if part.text or part.signature:
                    out.append(_signed({"text": part.text}, part.signature))
            else:
                out.extend(self._parts([part], "assistant"))
        if held is not None:
            out.append(_signed({"text": ""}, held))
        return out

    def _thought(self, part: Thinking, held: str | None) -> tuple[list[WirePart], str | None]:
        """Wire parts of a thought and the signature still to be placed. Thoughts of other vendors stay at home."""
        if part.redacted is not None:
            self._notes.dropped("thinking.redacted")
            return [], held
        if self._own:
            if not part.text and not part.signature:
                return [], held
            return [_signed({"text": part.text, "thought": True}, part.signature)], held
        if part.text and part.origin is Protocol.GEMINI:
            return [{"text": part.text, "thought": True}], part.signature or held
        if part.text:
            self._notes.dropped("thinking")
        return [], part.signature or held

    def _call(self, call: ToolCall, signature: str | None) -> WirePart:
        self._called[call.id] = call
        if call.cache is not None:
            self._notes.dropped("tool_call.cache")
        body: WirePart = {"name": self._names.wire(call.name, call.namespace), "args": self._args(call)}
        self._identify(body, call.id)
        return _signed({"functionCall": body}, signature)

    def _args(self, call: ToolCall) -> dict[str, JsonValue]:
        text = wrap_input(call.arguments) if call.kind == "custom" else call.arguments
        if not text.strip():
            return {}
        try:
            args = jsonio.decode(text)
        except ValueError:
            args = text
        if isinstance(args, dict):
            return args
        # Gemini's args are an object; what a model once wrote instead is still told, under a name of its own.
        self._notes.mapped("tool_call.arguments")
        return {"arguments": args}

    def _response(self, result: ToolResult, rehomed: list[WirePart]) -> WirePart:
        called = self._called.get(result.call_id)
        if called is not None:
            name = self._names.wire(called.name, called.namespace)
        else:
            name = self._names.wire(result.name or "unknown_tool")
        if result.cache is not None:
            self._notes.dropped("tool_result.cache")
        media: list[WirePart] = []
        texts: list[str] = []
        for part in result.content:
            text = _plain_text(part)
            if text is None:
                media.extend(self._parts([part], "tool_result"))
            elif text:
                texts.append(text)
            if isinstance(part, Text):
                self._note_text(part)
        response = result.structured
        if not isinstance(response, dict):
            response = {"error" if result.is_error else "output": "\n".join(texts)}
        body: WirePart = {"name": name, "response": response}
        self._identify(body, result.call_id)
        if media and (self._result_parts or self._own):
            body["parts"] = media
        elif media:
            self._notes.mapped("tool_result.media")
            rehomed.extend(media)
        if self._own and result.options:
            body.update(result.options)
        return {"functionResponse": body}

    def _identify(self, body: WirePart, call_id: str) -> None:
        if self._call_ids and call_id and not call_id.startswith(INVENTED):
            body["id"] = portable(call_id)

    def _note_text(self, part: Text) -> None:
        if part.cache is not None:
            self._notes.dropped("text.cache")
        if part.citations:
            self._notes.dropped("text.citations")


def _plain_text(part: Part) -> str | None:
    """The text of a part that is nothing else; None for all others."""
    if isinstance(part, Text | Refusal):
        return part.text
    return part.text if isinstance(part, Media) and not (part.data or part.url) else None


def _signed(part: WirePart, signature: str | None) -> WirePart:
    if signature:
        part["thoughtSignature"] = signature
    return part


def _is_no_response(part: WirePart) -> bool:
    """Sort key: the responses of a content stand first in it."""
    return "functionResponse" not in part


def _sign_first_call(parts: list[WirePart]) -> None:
    """The first call of a step needs a signature; one that Gemini did not make gets the documented dummy."""
    for part in parts:
        if "functionCall" in part:
            part.setdefault("thoughtSignature", SKIP_SIGNATURE)
            return
