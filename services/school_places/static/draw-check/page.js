// The page: chooses, starts, tells. What is typed here stays here.
import { childCard, publishedList, show, showSteps, tellStep, verdict } from "./showing.js";
import { draws, publicFile, schoolNames, Unread } from "./published.js";
import { FAILURES } from "./words.js";
import { work } from "./working.js";

const by = (id) => document.getElementById(id);
const known = { draws: [] };

function chosenDraw() {
  return known.draws.find(({ run }) => run.runId === by("run").value) ?? null;
}

/** What is known from elsewhere: as it was typed, else as this site published it. */
function announcedOf(draw) {
  const typed = (id) => by(id).value.replace(/\s/g, "").toLowerCase() || undefined;
  const { run, enrolment } = draw ?? {};
  const announced = {
    commitment: typed("commitment") ?? run?.commitment,
    rollHash: typed("roll-hash") ?? run?.rollHash,
    campaign: enrolment?.code,
    beacon: run?.beacon,
  };
  return Object.fromEntries(Object.entries(announced).filter(([, value]) => value !== undefined));
}

async function bytesOf(file, draw) {
  const buffer = file ? await file.arrayBuffer() : await publicFile(draw);
  return new Uint8Array(buffer);
}

async function start() {
  const file = by("file").files[0];
  const draw = file ? null : chosenDraw();
  clear();
  if (!file && !draw) {
    verdict("warn", ["还没有选", "Nothing chosen"], FAILURES.nothing);
    return;
  }
  by("start").disabled = true;
  showSteps();
  try {
    const bytes = await bytesOf(file, draw);
    const result = await work(bytes, announcedOf(draw), by("pseudonym").value.trim(), tellStep);
    await tell(result, draw ?? drawOfFile(result));
  } catch (error) {
    by("work").hidden = true;
    const words = FAILURES[error instanceof Unread ? error.kind : "broken"];
    verdict("warn", ["没能核验", "It could not be checked"], words);
  } finally {
    by("start").disabled = false;
  }
}

/** Away with what an earlier check said. */
function clear() {
  for (const id of ["verdict", "child"]) by(id).replaceChildren();
  for (const id of ["verdict", "child", "published"]) by(id).hidden = true;
}

/** The published draw that a picked file is of. */
function drawOfFile({ said }) {
  return known.draws.find(({ run }) => run.rollHash === said?.rollHash) ?? null;
}

async function tell(result, draw) {
  show(result, draw);
  publishedList(result.said, draw);
  if (by("pseudonym").value.trim() && result.said && !result.difference) {
    childCard(result.child, await schoolNames().catch(() => new Map()));
  }
}

function nameOf({ enrolment, run }) {
  const annulled = run.state === "annulled" ? "（已作废 annulled）" : "";
  return `${enrolment.name}${annulled}`;
}

async function fillDraws() {
  const select = by("run");
  try {
    known.draws = await draws();
    const first = known.draws.length ? "请选择 Choose" : "还没有已摇号的批次 No draw yet";
    select.replaceChildren(new Option(first, ""));
    for (const draw of known.draws) select.add(new Option(nameOf(draw), draw.run.runId));
  } catch {
    select.replaceChildren(new Option("暂时读不到，请选文件 Not readable now, choose a file", ""));
  }
}

async function openAddressed() {
  const asked = new URLSearchParams(location.search).get("run");
  await fillDraws();
  if (!asked) return;
  by("run").value = asked;
  if (chosenDraw()) await start();
  else verdict("warn", ["没有这次摇号", "No such draw"], FAILURES.missing);
}

function setElder(on) {
  document.documentElement.classList.toggle("elder", on);
  by("elder").setAttribute("aria-pressed", String(on));
}

// A browser that keeps nothing refuses even to be asked.
function remember(on) {
  try {
    localStorage.setItem("elder", on ? "1" : "");
  } catch {}
}

function isRemembered() {
  try {
    return localStorage.getItem("elder") === "1";
  } catch {
    return false;
  }
}

by("no-script").remove();
by("form").addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
by("elder").addEventListener("click", () => {
  const on = by("elder").getAttribute("aria-pressed") !== "true";
  setElder(on);
  remember(on);
});
setElder(isRemembered());
openAddressed();
