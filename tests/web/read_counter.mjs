// Lets the tests ask how the TypeScript verifier reads and draws a counter's code: one JSON line each way.
import { createInterface } from "node:readline";
import {
  counterText,
  drawChallenge,
  isInTime,
  readCounterCode,
  trustListOf,
} from "../../schemas/codes/verifier/index.ts";

const hex = (bytes) => Buffer.from(bytes).toString("hex");
let held;

for await (const line of createInterface({ input: process.stdin })) {
  const answers = [];
  for (const { entries, text, at, draw, ends } of JSON.parse(line)) {
    if (draw) {
      const drawn = drawChallenge(at);
      answers.push({ text: counterText(drawn), challenge: hex(drawn.challenge), exp: drawn.exp, inTime: isInTime(drawn, ends) });
      continue;
    }
    held ??= await trustListOf(entries, 0, Infinity);
    const { outcome, code } = await readCounterCode(text, ends ? { ...held, expiresAt: ends } : held, at);
    answers.push({ outcome, code: code && { ...code, challenge: hex(code.challenge) } });
  }
  process.stdout.write(`${JSON.stringify(answers)}\n`);
}
