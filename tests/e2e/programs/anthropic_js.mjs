// @anthropic-ai/sdk over Messages, with extended thinking.
import { addDescription, addSchema, imageBase64, load, main } from "./conversation.mjs";

const { Anthropic } = load("@anthropic-ai/sdk");

class Messages {
  constructor(client, order, streamed) {
    Object.assign(this, { client, order, streamed });
    const content = [{ type: "text", text: order.prompt }];
    if (order.image) {
      content.push({ type: "image", source: { type: "base64", media_type: "image/png", data: imageBase64(order) } });
    }
    this.messages = [{ role: "user", content }];
  }

  async ask() {
    const asked = {
      model: this.order.model,
      max_tokens: 4096,
      system: "You are terse.",
      thinking: { type: "enabled", budget_tokens: 1024 },
      messages: this.messages,
      tools: [{ name: "add", description: addDescription, input_schema: addSchema }],
    };
    const answer = this.streamed
      ? await this.client.messages.stream(asked).finalMessage()
      : await this.client.messages.create(asked);
    this.messages.push({ role: "assistant", content: answer.content });
    const text = answer.content.filter((block) => block.type === "text").map((block) => block.text);
    const calls = answer.content
      .filter((block) => block.type === "tool_use")
      .map((block) => ({ id: block.id, name: block.name, arguments: block.input }));
    const usage = [answer.usage.input_tokens, answer.usage.output_tokens];
    return { text: text.join(""), finish: answer.stop_reason, usage, calls };
  }

  tell(results) {
    const content = results.map(([call, output]) => ({ type: "tool_result", tool_use_id: call.id, content: output }));
    this.messages.push({ role: "user", content });
  }
}

await main((order, streamed) => {
  const client = new Anthropic({ baseURL: order.url, apiKey: order.key, maxRetries: 0, timeout: 60_000 });
  return new Messages(client, order, streamed);
});
