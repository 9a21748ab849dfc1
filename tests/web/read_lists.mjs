// Lets the tests ask how the TypeScript verifier reads signed lists: one JSON question a line, one answer.
import { createInterface } from "node:readline";
import {
  hold,
  judge,
  readDenyList,
  readStatusList,
  readTrustList,
  UntrustedList,
} from "../../schemas/codes/verifier/index.ts";
import { statusAt } from "../../schemas/codes/verifier/lists.ts";

async function read({ root, trustList, heldTrustList, at, denyList, changes, statusList, indexes }) {
  const held = heldTrustList && (await readTrustList(heldTrustList, root));
  const trust = await readTrustList(trustList, root, held);
  const answer = { trust: [trust.issuedAt, trust.expiresAt, trust.keys.length] };
  if (denyList) {
    let list = await readDenyList(denyList, trust, at);
    if (changes) list = await readDenyList(changes, trust, at, list);
    answer.deny = { entries: [...list.entries].sort(), iat: list.issuedAt, trustIat: list.trustIssuedAt };
  }
  if (statusList) {
    const list = await readStatusList(statusList, trust, at);
    answer.statuses = indexes.map((index) => statusAt(list, index) ?? null);
    answer.uri = list.uri;
  }
  return answer;
}

async function judged({ root, at, text, lastSeen, ...fetched }) {
  const held = await hold(fetched, root, at, lastSeen);
  return { outcome: (await judge(text ?? "", held, at)).outcome };
}

for await (const line of createInterface({ input: process.stdin })) {
  const answers = [];
  for (const asked of JSON.parse(line)) {
    answers.push(
      await (asked.text === undefined ? read(asked) : judged(asked)).catch((error) => {
        if (error instanceof UntrustedList) return { refused: error.message };
        throw error;
      }),
    );
  }
  process.stdout.write(`${JSON.stringify(answers)}\n`);
}
