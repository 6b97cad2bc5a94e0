// The tool loop every JavaScript SDK program runs, and what it reports: the twin of conversation.py.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const MAX_TURNS = 6;

export const load = createRequire(`${process.env.E2E_MODULES}/`);
export const addSchema = {
  type: "object",
  properties: { a: { type: "integer" }, b: { type: "integer" } },
  required: ["a", "b"],
  additionalProperties: false,
};
export const addDescription = "Adds two integers.";
export const imageBase64 = (order) => readFileSync(order.image).toString("base64");

function add(call) {
  if (call.name !== "add") throw new Error(`the model called ${call.name}; only add was offered`);
  return String(call.arguments.a + call.arguments.b);
}

function ancestry(error) {
  const names = [];
  for (let kind = error?.constructor; kind && kind.name; kind = Object.getPrototypeOf(kind)) names.push(kind.name);
  return names;
}

async function hold(conversation) {
  const seen = [];
  try {
    for (let turn = 1; turn <= MAX_TURNS; turn += 1) {
      const reply = await conversation.ask();
      if (reply.calls.length === 0) {
        return { text: reply.text, finish: reply.finish, usage: reply.usage, turns: turn, calls: seen };
      }
      seen.push(reply.calls.map((call) => [call.id, call.name, call.arguments]));
      conversation.tell(reply.calls.map((call) => [call, add(call)]));
    }
  } catch (error) {
    const found = { types: ancestry(error), status: error?.status ?? null, message: String(error?.message).slice(0, 500) };
    return { error: found, calls: seen };
  }
  return { error: { types: ["EndlessLoop"], status: null, message: `${MAX_TURNS} turns` }, calls: seen };
}

export async function main(begin) {
  const order = JSON.parse(process.argv[2]);
  const result = {};
  for (const mode of ["streamed", "whole"]) result[mode] = await hold(begin(order, mode === "streamed"));
  console.log(JSON.stringify(result));
}
