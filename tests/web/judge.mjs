// Lets the tests ask the TypeScript verifier: one JSON question a line in, one JSON answer a line out.
import { createInterface } from "node:readline";
import { trustListOf, verify } from "../../schemas/codes/verifier/index.ts";

const FROM_HEX = /../g;
const bytes = (hex) => Uint8Array.from(hex.match(FROM_HEX) ?? [], (pair) => Number.parseInt(pair, 16));
const lists = new Map();

async function trustOf(entries, expiresAt) {
  const key = JSON.stringify([entries, expiresAt]);
  if (!lists.has(key)) lists.set(key, await trustListOf(entries, 0, expiresAt ?? Infinity));
  return lists.get(key);
}

async function judge(asked) {
  const checked = await verify(asked.text, {
    trust: await trustOf(asked.entries, asked.trustListExp),
    at: asked.at,
    deny: new Set(asked.deny),
    listsAgeSeconds: asked.listsAgeSeconds ?? 0,
    ...(asked.expectedKind === undefined ? {} : { expectedKind: asked.expectedKind }),
    ...(asked.challenge === undefined ? {} : { challenge: bytes(asked.challenge) }),
  });
  const { claims } = checked;
  return {
    outcome: checked.outcome,
    claims: claims && { ...claims, cti: Buffer.from(claims.cti).toString("hex"), device: undefined },
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const answers = [];
  const started = performance.now();
  for (const asked of JSON.parse(line)) answers.push(await judge(asked));
  process.stdout.write(`${JSON.stringify({ answers, ms: performance.now() - started })}\n`);
}
