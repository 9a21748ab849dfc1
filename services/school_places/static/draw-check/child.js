// What a checked file says about one child: its number, and why at each school of its list.
import { NONE, standingOf } from "./matching.js";

/**
 * `{lottery, entries, twins, placed, choices}`; null where the pseudonym is not in the file. Each choice:
 * `{school, reason, group, lastGroup, lastLottery, place, applicants, capacity}`, up to the school that took
 * the child. Groups count from 1. `place` is the rank among all who listed the school.
 */
export function standingOfChild(file, pseudonym) {
  const { roll, lottery, placements, cutoffs } = file;
  const at = roll.pupils.findIndex((pupil) => pupil.pseudonym === pseudonym);
  if (at < 0) return null;
  const { choices, priorities } = roll.pupils[at];
  const told = [];
  for (const [position, school] of choices.entries()) {
    const cutoff = cutoffs[school];
    told.push({
      school: roll.schools[school].id,
      capacity: roll.schools[school].capacity,
      reason: reasonAt(placements[at] === school, priorities[position], cutoff),
      group: priorities[position] + 1,
      lastGroup: cutoff ? cutoff.priority + 1 : null,
      lastLottery: cutoff?.lottery ?? null,
      ...placeAmong(file, school, standingOf(priorities[position], lottery[at])),
    });
    if (placements[at] === school) break;
  }
  return {
    pseudonym,
    lottery: lottery[at],
    entries: lottery.reduce((most, number) => Math.max(most, number), 0),
    twins: roll.twinGroups.some((group) => group.includes(pseudonym)),
    placed: placements[at] === NONE ? null : roll.schools[placements[at]].id,
    choices: told,
  };
}

function reasonAt(isAdmitted, priority, cutoff) {
  if (isAdmitted) return "admitted";
  if (priority === NONE) return "by_coordination_only";
  if (!cutoff) return "no_seats";
  return priority > cutoff.priority ? "group_not_reached" : "lottery_not_reached";
}

/** How many stand before, of those who listed the school and may be matched to it. */
function placeAmong({ roll, lottery }, school, standing) {
  let before = 0;
  let applicants = 0;
  for (const [pupil, { choices, priorities }] of roll.pupils.entries()) {
    const position = choices.indexOf(school);
    if (position < 0 || priorities[position] === NONE) continue;
    applicants += 1;
    if (standingOf(priorities[position], lottery[pupil]) < standing) before += 1;
  }
  return { place: before + 1, applicants };
}
