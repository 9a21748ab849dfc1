// Checks a public file from the file alone, step by step; the first difference is named, with its place.
import { commitmentOf, lotteryNumbers, seedOf, sha256 } from "./drawing.js";
import { match } from "./matching.js";
import { NotTheFile, readFile } from "./reading.js";
import { requireRoll } from "./roll.js";
import { firstViolation } from "./stability.js";

export const STEPS = ["form", "roll_hash", "commitment", "seed", "lottery", "placements", "cutoffs", "stability"];

/** Something in the file is not as it must be. `at` is empty where it differs from what was announced. */
class Differs extends Error {
  constructor(step, at, found, expected) {
    super(step);
    this.difference = { step, at, byte: null, found: String(found), expected: String(expected) };
  }
}

/**
 * `{difference, passed, file}`; difference null: the file proves its own result. `announced` may hold the
 * rollHash, commitment, campaign and beacon known from elsewhere. `tell(step, part)` hears of progress: part
 * 1 when a step holds, less while it is at work.
 */
export async function check(bytes, announced = {}, tell = () => {}) {
  const passed = [];
  const hold = (step) => {
    passed.push(step);
    tell(step, 1);
  };
  let file = null;
  try {
    const read = readFile(bytes);
    requireRoll(read.roll);
    file = read;
    hold("form");
    await checkDraw(file, announced, hold);
    await checkResult(file, hold, tell);
    return { difference: null, passed, file };
  } catch (error) {
    if (error instanceof Differs) return { difference: error.difference, passed, file };
    if (!(error instanceof NotTheFile)) throw error;
    const { at, byte, found, zh, en } = error;
    return { difference: { step: "form", at, byte, found, expected: "", zh, en }, passed, file };
  }
}

async function checkDraw(file, announced, hold) {
  const rollHash = await sha256(file.roll.bytes);
  if (file.rollHash !== rollHash) {
    // The seed tells which of the two was touched: it was made with the hash of then.
    const at = (await seedOf(file, file.rollHash)) === file.seed ? "/roll" : "/rollHash";
    throw new Differs("roll_hash", at, file.rollHash, rollHash);
  }
  compare("roll_hash", rollHash, announced.rollHash);
  hold("roll_hash");
  const promise = await commitmentOf(file.secret);
  const seed = await seedOf(file, rollHash);
  if (file.commitment !== promise) {
    throw new Differs("commitment", seed === file.seed ? "/commitment" : "/secret", file.commitment, promise);
  }
  compare("commitment", promise, announced.commitment);
  hold("commitment");
  if (file.seed !== seed) throw new Differs("seed", "/seed", file.seed, seed);
  compare("seed", file.campaign, announced.campaign);
  compare("seed", file.beacon, announced.beacon);
  hold("seed");
}

function compare(step, found, announced) {
  if (announced !== undefined && announced !== found) throw new Differs(step, "", found, announced);
}

async function checkResult(file, hold, tell) {
  const { roll } = file;
  const lottery = await lotteryNumbers(roll, file.seed, (part) => tell("lottery", part * 0.99));
  compareLists("lottery", file.lottery, lottery);
  hold("lottery");
  tell("placements", 0.1);
  const { placements, cutoffs } = match(roll, lottery);
  compareLists("placements", file.placements, placements);
  hold("placements");
  compareLists("cutoffs", file.cutoffs.map(written), cutoffs.map(written));
  hold("cutoffs");
  const violation = firstViolation(roll, lottery, file.placements);
  if (violation) {
    const found = `${violation.kind}, school ${violation.school}`;
    throw new Differs("stability", `/placements/${violation.pupil}`, found, "stable");
  }
  hold("stability");
}

function compareLists(step, found, expected) {
  if (found.length !== expected.length) throw new Differs(step, `/${step}`, found.length, expected.length);
  const at = found.findIndex((each, position) => each !== expected[position]);
  if (at >= 0) throw new Differs(step, `/${step}/${at}`, found[at], expected[at]);
}

function written(cutoff) {
  return cutoff === null ? "null" : `${cutoff.priority}/${cutoff.lottery}`;
}
