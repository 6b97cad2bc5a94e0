"""google-genai over generateContent, with thoughts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google import genai
from google.genai import types

from .conversation import ADD_DESCRIPTION, ADD_SCHEMA, Call, Conversation, Order, Reply, main


class Contents:
    """`client.models`; model turns are replayed with every part and signature they had."""

    def __init__(self, client: genai.Client, order: Order, streamed: bool) -> None:
        self.client = client
        self.model = order.model
        self.streamed = streamed
        parts = [types.Part.from_text(text=order.prompt)]
        if order.image:
            parts.append(types.Part.from_bytes(data=Path(order.image).read_bytes(), mime_type="image/png"))
        self.contents: list[Any] = [types.Content(role="user", parts=parts)]
        declaration = types.FunctionDeclaration(
            name="add", description=ADD_DESCRIPTION, parameters_json_schema=ADD_SCHEMA
        )
        self.config = types.GenerateContentConfig(
            system_instruction="You are terse.",
            tools=[types.Tool(function_declarations=[declaration])],
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
            thinking_config=types.ThinkingConfig(include_thoughts=True),
        )

    def ask(self) -> Reply:
        asked: dict[str, Any] = {"model": self.model, "contents": self.contents, "config": self.config}
        if self.streamed:
            chunks = list(self.client.models.generate_content_stream(**asked))
        else:
            chunks = [self.client.models.generate_content(**asked)]
        parts: list[Any] = []
        finish, usage = "", (0, 0)
        for chunk in chunks:
            candidate = (chunk.candidates or [None])[0]
            if candidate is not None and candidate.content is not None:
                parts.extend(p for p in candidate.content.parts or [] if p.text != "" or p.thought_signature)
            if candidate is not None and candidate.finish_reason is not None:
                finish = candidate.finish_reason.value
            counted = chunk.usage_metadata
            if counted is not None:
                usage = (counted.prompt_token_count or 0, counted.candidates_token_count or 0)
        if not finish:
            raise EOFError("the answer ended without a finish reason")
        self.contents.append(types.Content(role="model", parts=parts))
        text = "".join(p.text for p in parts if p.text and not p.thought)
        called = [p.function_call for p in parts if p.function_call]
        return Reply(text, finish, usage, [Call(c.id or "", c.name, dict(c.args or {}), c) for c in called])

    def tell(self, results: list[tuple[Call, str]]) -> None:
        parts = [
            types.Part(
                function_response=types.FunctionResponse(id=call.source.id, name=call.name, response={"output": output})
            )
            for call, output in results
        ]
        self.contents.append(types.Content(role="user", parts=parts))


def begin(order: Order, streamed: bool) -> Conversation:
    """A conversation with a client that retries nothing (the SDK's default)."""
    options = types.HttpOptions(base_url=order.url, timeout=60_000)
    return Contents(genai.Client(api_key=order.key, http_options=options), order, streamed)


if __name__ == "__main__":
    main(begin)
