"""anthropic-python over Messages, with extended thinking."""

from __future__ import annotations

from typing import Any

import anthropic

from .conversation import ADD_DESCRIPTION, ADD_SCHEMA, Call, Conversation, Order, Reply, main


class Messages:
    """`client.messages`; assistant turns are replayed as they came, thinking and signatures included."""

    def __init__(self, client: anthropic.Anthropic, order: Order, streamed: bool) -> None:
        self.client = client
        self.model = order.model
        self.streamed = streamed
        content: list[Any] = [{"type": "text", "text": order.prompt}]
        if order.image:
            source = {"type": "base64", "media_type": "image/png", "data": order.image_base64()}
            content.append({"type": "image", "source": source})
        self.messages: list[Any] = [{"role": "user", "content": content}]

    def ask(self) -> Reply:
        asked: dict[str, Any] = {
            "model": self.model,
            "max_tokens": 4096,
            "system": "You are terse.",
            "thinking": {"type": "enabled", "budget_tokens": 1024},
            "messages": self.messages,
            "tools": [{"name": "add", "description": ADD_DESCRIPTION, "input_schema": ADD_SCHEMA}],
        }
        if self.streamed:
            with self.client.messages.stream(**asked) as stream:
                for _ in stream:
                    pass
                answer: Any = stream.get_final_message()
        else:
            answer = self.client.messages.create(**asked)
        self.messages.append({"role": "assistant", "content": [b.to_dict() for b in answer.content]})
        text = "".join(b.text for b in answer.content if b.type == "text")
        calls = [Call(b.id, b.name, dict(b.input)) for b in answer.content if b.type == "tool_use"]
        return Reply(text, answer.stop_reason, (answer.usage.input_tokens, answer.usage.output_tokens), calls)

    def tell(self, results: list[tuple[Call, str]]) -> None:
        blocks = [{"type": "tool_result", "tool_use_id": call.id, "content": output} for call, output in results]
        self.messages.append({"role": "user", "content": blocks})


def begin(order: Order, streamed: bool) -> Conversation:
    """A conversation with a client that retries nothing."""
    client = anthropic.Anthropic(base_url=order.url, api_key=order.key, max_retries=0, timeout=60)
    return Messages(client, order, streamed)


if __name__ == "__main__":
    main(begin)
