"""openai-python over Chat Completions and Responses."""

from __future__ import annotations

import json
from typing import Any

import openai

from .conversation import ADD_DESCRIPTION, ADD_SCHEMA, Call, Conversation, Order, Reply, main


class Chat:
    """`client.chat.completions`, streamed by the SDK's own accumulator."""

    def __init__(self, client: openai.OpenAI, order: Order, streamed: bool) -> None:
        self.client = client
        self.model = order.model
        self.streamed = streamed
        content: Any = order.prompt
        if order.image:
            url = f"data:image/png;base64,{order.image_base64()}"
            content = [{"type": "text", "text": order.prompt}, {"type": "image_url", "image_url": {"url": url}}]
        self.messages: list[Any] = [
            {"role": "system", "content": "You are terse."},
            {"role": "user", "content": content},
        ]

    def ask(self) -> Reply:
        tool = {"name": "add", "description": ADD_DESCRIPTION, "parameters": ADD_SCHEMA, "strict": True}
        asked: dict[str, Any] = {
            "model": self.model,
            "messages": self.messages,
            "tools": [{"type": "function", "function": tool}],
        }
        if self.streamed:
            with self.client.chat.completions.stream(**asked, stream_options={"include_usage": True}) as stream:
                for _ in stream:
                    pass
                answer: Any = stream.get_final_completion()
        else:
            answer = self.client.chat.completions.create(**asked)
        choice = answer.choices[0]
        self.messages.append(choice.message.to_dict())
        calls = [Call(c.id, c.function.name, json.loads(c.function.arguments)) for c in choice.message.tool_calls or []]
        usage = (answer.usage.prompt_tokens, answer.usage.completion_tokens)
        return Reply(choice.message.content or "", choice.finish_reason, usage, calls)

    def tell(self, results: list[tuple[Call, str]]) -> None:
        for call, output in results:
            self.messages.append({"role": "tool", "tool_call_id": call.id, "content": output})


class Responses:
    """`client.responses`, the history carried by the client."""

    def __init__(self, client: openai.OpenAI, order: Order, streamed: bool) -> None:
        self.client = client
        self.model = order.model
        self.streamed = streamed
        content: list[Any] = [{"type": "input_text", "text": order.prompt}]
        if order.image:
            url = f"data:image/png;base64,{order.image_base64()}"
            content.append({"type": "input_image", "image_url": url, "detail": "auto"})
        self.items: list[Any] = [{"role": "user", "content": content}]

    def ask(self) -> Reply:
        asked: dict[str, Any] = {
            "model": self.model,
            "instructions": "You are terse.",
            "input": self.items,
            "include": ["reasoning.encrypted_content"],
            "reasoning": {"effort": "medium", "summary": "auto"},
            "store": False,
            "tools": [
                {
                    "type": "function",
                    "name": "add",
                    "description": ADD_DESCRIPTION,
                    "parameters": ADD_SCHEMA,
                    "strict": True,
                }
            ],
        }
        if self.streamed:
            with self.client.responses.stream(**asked) as stream:
                for _ in stream:
                    pass
                answer: Any = stream.get_final_response()
        else:
            answer = self.client.responses.create(**asked)
        if answer.status == "failed":  # the SDK leaves it to the application to look
            raise RuntimeError(f"the response failed: {answer.error}")
        items = [item.to_dict() for item in answer.output]
        for item in items:
            item.pop("parsed_arguments", None)
            for part in item.get("content") or []:
                part.pop("parsed", None)
        self.items.extend(items)
        calls = [Call(i.call_id, i.name, json.loads(i.arguments)) for i in answer.output if i.type == "function_call"]
        usage = (answer.usage.input_tokens, answer.usage.output_tokens)
        return Reply(answer.output_text, answer.status, usage, calls)

    def tell(self, results: list[tuple[Call, str]]) -> None:
        for call, output in results:
            self.items.append({"type": "function_call_output", "call_id": call.id, "output": output})


def begin(order: Order, streamed: bool) -> Conversation:
    """A conversation over the surface the order names."""
    client = openai.OpenAI(base_url=order.url + "/v1", api_key=order.key, max_retries=0, timeout=60)
    return {"chat": Chat, "responses": Responses}[order.surface](client, order, streamed)


if __name__ == "__main__":
    main(begin)
