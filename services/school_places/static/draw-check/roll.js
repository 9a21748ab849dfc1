// What makes a roll one that could have been drawn from: order, choices, twins.
import { NotTheFile } from "./reading.js";

const MAX_PRIORITY = 65535;

/** Throws NotTheFile for the first thing that is wrong. */
export function requireRoll({ schools, pupils, twinGroups }) {
  requireOrder(schools.map((school) => school.id), (at) => `/roll/schools/${at}/id`, "学校", "schools");
  requireOrder(pupils.map((pupil) => pupil.pseudonym), (at) => `/roll/pupils/${at}/pseudonym`, "学生", "pupils");
  pupils.forEach((pupil, at) => requirePupil(pupil, `/roll/pupils/${at}`, schools.length));
  requireTwins(pupils, twinGroups);
}

/** Order by Unicode code point, which JavaScript's own `<` does not keep beyond U+FFFF. */
export function compareTexts(one, other) {
  if (one === other) return 0;
  const length = Math.min(one.length, other.length);
  let at = 0;
  while (at < length && one.charCodeAt(at) === other.charCodeAt(at)) at += 1;
  if (at === length) return one.length - other.length;
  return rank(one.charCodeAt(at)) - rank(other.charCodeAt(at));
}

/** UTF-16 puts the surrogates, which stand for the highest code points, before U+E000 to U+FFFF. */
function rank(unit) {
  return unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit;
}

function requireOrder(names, at, zh, en) {
  for (let position = 1; position < names.length; position += 1) {
    if (compareTexts(names[position - 1], names[position]) >= 0) {
      throw new NotTheFile(
        `名册中${zh}的顺序不对，或有重复：${at(position)}`,
        `the ${en} of the roll are out of order, or one stands there twice: ${at(position)}`,
        { at: at(position) },
      );
    }
  }
}

function requirePupil({ choices, priorities }, at, schools) {
  const refuse = (where, zh, en) => {
    throw new NotTheFile(`${zh}：${where}`, `${en}: ${where}`, { at: where });
  };
  if (priorities.length !== choices.length) {
    refuse(`${at}/priorities`, "每个志愿须有一个优先级", "one priority for each choice is needed");
  }
  if (choices.some((school) => school >= schools)) {
    refuse(`${at}/choices`, "志愿学校不在名册中", "a school that is not on the roll");
  }
  if (new Set(choices).size !== choices.length) {
    refuse(`${at}/choices`, "同一所学校填了两次", "the same school twice");
  }
  if (priorities.some((priority) => priority > MAX_PRIORITY)) {
    refuse(`${at}/priorities`, "优先级超出范围", "a priority beyond 65535");
  }
}

function requireTwins(pupils, groups) {
  const known = new Set(groups.length ? pupils.map((pupil) => pupil.pseudonym) : []);
  const seen = new Set();
  const refuse = (where, zh, en) => {
    throw new NotTheFile(`${zh}：${where}`, `${en}: ${where}`, { at: where });
  };
  groups.forEach((group, position) => {
    const at = `/roll/twinGroups/${position}`;
    if (group.length < 2) refuse(at, "双胞胎缺少另一名孩子", "a twin without the other");
    const missing = group.findIndex((name) => !known.has(name));
    if (missing >= 0) refuse(`${at}/${missing}`, "双胞胎之一不在名册中", "a twin that is not on the roll");
    const ordered = group.every((name, each) => each === 0 || compareTexts(group[each - 1], name) < 0);
    if (!ordered || group.some((name) => seen.has(name))) {
      refuse(at, "双胞胎组有重复或顺序不对", "a twin named twice, or out of order");
    }
    group.forEach((name) => seen.add(name));
  });
  requireOrder(groups.map((group) => group[0]), (at) => `/roll/twinGroups/${at}`, "双胞胎组", "twin groups");
}
