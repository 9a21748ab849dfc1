// Proves a placement by the rule alone: no child and no school would both rather have each other.
import { NONE, standingOf } from "./matching.js";

/** The first violation, `{pupil, school, kind}`; null when the placement is stable. */
export function firstViolation(roll, lottery, placements) {
  const held = roll.schools.map(() => []);
  for (const [pupil, school] of placements.entries()) {
    if (school === NONE) continue;
    const { choices, priorities } = roll.pupils[pupil];
    const priority = priorities[choices.indexOf(school)] ?? NONE;
    if (priority === NONE) return { pupil, school, kind: "not_chosen" };
    held[school].push(standingOf(priority, lottery[pupil]));
  }
  const limits = held.map((standings, school) => lastSeat(standings, roll.schools[school].capacity));
  for (const [pupil, placed] of placements.entries()) {
    const kind = unstableAt(roll.pupils[pupil], lottery[pupil], placed, limits);
    if (kind) return { pupil, ...kind };
  }
  return null;
}

function unstableAt({ choices, priorities }, lottery, placed, limits) {
  for (const [at, school] of choices.entries()) {
    if (priorities[at] === NONE) continue;
    const welcome = standingOf(priorities[at], lottery) <= limits[school];
    if (school === placed) return welcome ? null : { school, kind: "over_capacity" };
    if (welcome) return { school, kind: "blocking" };
  }
  return null;
}

/** As good as this or better is welcome: the child on the last seat, everybody while a seat is free. */
function lastSeat(standings, seats) {
  if (standings.length < seats) return Infinity;
  return seats > 0 ? standings.sort((one, other) => one - other)[seats - 1] : -Infinity;
}
