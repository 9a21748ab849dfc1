// What this site published: draws, what was announced before them, schools' names, the files.
const ZONE = "/api/v1/zones/school-places";
const MAX_PAGES = 100;

/** What the server refused or the network lost; `kind` is missing or away. */
export class Unread extends Error {
  constructor(kind) {
    super(kind);
    this.kind = kind;
  }
}

/** Every draw with a file, newest enrolment first: `{enrolment, run}`. Throws Unread. */
export async function draws() {
  const enrolments = await all("/enrolments");
  return enrolments.flatMap((enrolment) =>
    [...enrolment.runs].reverse().filter((run) => run.seed).map((run) => ({ enrolment, run })),
  );
}

/** Names of schools by id. Throws Unread. */
export async function schoolNames() {
  return new Map((await all("/schools")).map((school) => [school.id, school.name]));
}

/** The bytes of a public file. Throws Unread. */
export async function publicFile({ enrolment, run }) {
  const address = `${ZONE}/enrolments/${enrolment.id}/allocation-runs/${run.runId}/public`;
  return (await answerOf(address)).arrayBuffer().catch(() => {
    throw new Unread("away");
  });
}

async function all(address) {
  const items = [];
  let cursor = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const query = new URLSearchParams({ limit: "100", ...(cursor ? { cursor } : {}) });
    const read = await (await answerOf(`${ZONE}${address}?${query}`)).json();
    items.push(...read.items);
    cursor = read.next;
    if (!cursor) break;
  }
  return items;
}

async function answerOf(address) {
  let answer;
  try {
    answer = await fetch(address, { headers: { "accept-language": "zh-CN" }, credentials: "omit" });
  } catch {
    throw new Unread("away");
  }
  if (!answer.ok) throw new Unread(answer.status === 404 ? "missing" : "away");
  return answer;
}
