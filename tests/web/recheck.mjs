// Lets the tests ask the browser's check of a draw: one JSON question a line in, one JSON answer a line out.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { check } from "../../services/school_places/static/draw-check/checking.js";

async function recheck(document, { edits, announced }) {
  const pieces = [];
  let from = 0;
  for (const [start, end, replacement] of edits) {
    pieces.push(document.subarray(from, start), Buffer.from(replacement, "base64"));
    from = end;
  }
  const { difference, passed } = await check(Buffer.concat([...pieces, document.subarray(from)]), announced);
  return { difference, passed };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { path, tamperings } = JSON.parse(line);
  const document = readFileSync(path);
  const answers = [];
  const started = performance.now();
  for (const tampering of tamperings) answers.push(await recheck(document, tampering));
  process.stdout.write(`${JSON.stringify({ answers, ms: performance.now() - started })}\n`);
}
