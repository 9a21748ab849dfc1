// Who gets which place: children ask the schools of their list in order, schools keep the best (Gale-Shapley).
// Written by the rule and not from the server's program: here in rounds, there one child at a time.

export const NONE = -1;
const LOTTERY_RANGE = 2 ** 22;

/** How a school ranks a child: lower is better; equal only for twins. */
export function standingOf(priority, lottery) {
  return priority * LOTTERY_RANGE + lottery;
}

/** `{placements, cutoffs}` as the public file has them. */
export function match(roll, lottery) {
  const held = roll.schools.map(() => []);
  const turnedAway = roll.schools.map(() => false);
  const nextChoice = roll.pupils.map(() => 0);
  let asking = roll.pupils.map((_, pupil) => pupil);
  while (asking.length > 0) {
    const asked = ask(roll, lottery, asking, nextChoice, held);
    asking = [];
    for (const school of asked) {
      const { kept, others } = choose(held[school], roll.schools[school].capacity);
      held[school] = kept;
      turnedAway[school] ||= others.length > 0;
      for (const { pupil } of others) asking.push(pupil);
    }
  }
  const placements = roll.pupils.map(() => NONE);
  held.forEach((children, school) => children.forEach(({ pupil }) => (placements[pupil] = school)));
  const cutoffs = held.map((children, school) => (turnedAway[school] ? lastOf(children) : null));
  return { placements, cutoffs };
}

/**
 * The best children, in order, and the others. A school of q seats keeps a child while fewer than q of the
 * children it holds stand strictly better: twins on the last seat both get in.
 */
function choose(children, seats) {
  children.sort((one, other) => one.standing - other.standing);
  if (children.length <= seats) return { kept: children, others: [] };
  const limit = seats > 0 ? children[seats - 1].standing : NONE;
  const end = children.findIndex((child) => child.standing > limit);
  return end < 0
    ? { kept: children, others: [] }
    : { kept: children.slice(0, end), others: children.slice(end) };
}

/** Each of these children asks the next school that may take it; the schools that were asked. */
function ask(roll, lottery, asking, nextChoice, held) {
  const asked = new Set();
  for (const pupil of asking) {
    const { choices, priorities } = roll.pupils[pupil];
    let at = nextChoice[pupil];
    while (at < choices.length && priorities[at] === NONE) at += 1;
    nextChoice[pupil] = at + 1;
    if (at < choices.length) {
      held[choices[at]].push({ pupil, standing: standingOf(priorities[at], lottery[pupil]) });
      asked.add(choices[at]);
    }
  }
  return asked;
}

function lastOf(children) {
  if (children.length === 0) return null;
  const { standing } = children[children.length - 1];
  return { priority: Math.floor(standing / LOTTERY_RANGE), lottery: standing % LOTTERY_RANGE };
}
