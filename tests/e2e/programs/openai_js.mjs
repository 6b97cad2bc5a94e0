// openai-js over Chat Completions and Responses.
import { addDescription, addSchema, imageBase64, load, main } from "./conversation.mjs";

const { OpenAI } = load("openai");

class Chat {
  constructor(client, order, streamed) {
    Object.assign(this, { client, order, streamed });
    const url = order.image ? `data:image/png;base64,${imageBase64(order)}` : "";
    const content = url
      ? [{ type: "text", text: order.prompt }, { type: "image_url", image_url: { url } }]
      : order.prompt;
    this.messages = [{ role: "system", content: "You are terse." }, { role: "user", content }];
  }

  async ask() {
    const tool = { name: "add", description: addDescription, parameters: addSchema, strict: true };
    const asked = {
      model: this.order.model,
      messages: this.messages,
      tools: [{ type: "function", function: tool }],
    };
    const answer = this.streamed
      ? await this.client.chat.completions
          .stream({ ...asked, stream_options: { include_usage: true } })
          .finalChatCompletion()
      : await this.client.chat.completions.create(asked);
    const { message, finish_reason: finish } = answer.choices[0];
    const { parsed: _, ...kept } = message;
    this.messages.push(kept);
    if (kept.tool_calls) {
      kept.tool_calls = kept.tool_calls.map(({ id, type, function: { name, arguments: text } }) => ({
        id,
        type,
        function: { name, arguments: text },
      }));
    }
    const calls = (kept.tool_calls ?? []).map((call) => ({
      id: call.id,
      name: call.function.name,
      arguments: JSON.parse(call.function.arguments),
    }));
    const usage = [answer.usage.prompt_tokens, answer.usage.completion_tokens];
    return { text: message.content ?? "", finish, usage, calls };
  }

  tell(results) {
    for (const [call, output] of results) {
      this.messages.push({ role: "tool", tool_call_id: call.id, content: output });
    }
  }
}

class Responses {
  constructor(client, order, streamed) {
    Object.assign(this, { client, order, streamed });
    const content = [{ type: "input_text", text: order.prompt }];
    if (order.image) {
      content.push({
        type: "input_image",
        image_url: `data:image/png;base64,${imageBase64(order)}`,
        detail: "auto",
      });
    }
    this.items = [{ role: "user", content }];
  }

  async ask() {
    const asked = {
      model: this.order.model,
      instructions: "You are terse.",
      input: this.items,
      include: ["reasoning.encrypted_content"],
      reasoning: { effort: "medium", summary: "auto" },
      store: false,
      tools: [{ type: "function", name: "add", description: addDescription, parameters: addSchema, strict: true }],
    };
    const answer = this.streamed
      ? await this.client.responses.stream(asked).finalResponse()
      : await this.client.responses.create(asked);
    if (answer.status === "failed") { // the SDK leaves it to the application to look
      throw new Error(`the response failed: ${JSON.stringify(answer.error)}`);
    }
    for (const { parsed_arguments: _, ...item } of answer.output) {
      for (const part of item.content ?? []) delete part.parsed;
      this.items.push(item);
    }
    const calls = answer.output
      .filter((item) => item.type === "function_call")
      .map((item) => ({ id: item.call_id, name: item.name, arguments: JSON.parse(item.arguments) }));
    const usage = [answer.usage.input_tokens, answer.usage.output_tokens];
    return { text: answer.output_text, finish: answer.status, usage, calls };
  }

  tell(results) {
    for (const [call, output] of results) {
      this.items.push({ type: "function_call_output", call_id: call.id, output });
    }
  }
}

await main((order, streamed) => {
  const client = new OpenAI({ baseURL: `${order.url}/v1`, apiKey: order.key, maxRetries: 0, timeout: 60_000 });
  return order.surface === "chat" ? new Chat(client, order, streamed) : new Responses(client, order, streamed);
});
