// Puts words on the page. Text only, never markup: what stands in a file is nobody's to run.
import { STEPS as ORDER } from "./checking.js";
import { choiceWords, differenceWords, STEPS, WHAT_NOW } from "./words.js";

const by = (id) => document.getElementById(id);
const SHARES = { form: 0.2, lottery: 0.6, placements: 0.1 };
const SMALL_SHARE = 0.02;

/** An element with Chinese text and its English below. */
function bilingual(tag, [zh, en], attributes = {}) {
  const element = Object.assign(document.createElement(tag), { textContent: zh, ...attributes });
  const english = Object.assign(document.createElement("span"), { textContent: en, lang: "en" });
  element.append(english);
  return element;
}

function card(id, kind, ...content) {
  const section = by(id);
  section.className = `card ${kind}`;
  section.replaceChildren(...content);
  section.hidden = false;
  return section;
}

/** What came of it, on one card; it gets the focus, so that a reader hears it. */
export function verdict(kind, title, ...paragraphs) {
  const heading = bilingual("h2", title, { tabIndex: -1 });
  card("verdict", kind, heading, ...paragraphs.map((words) => bilingual("p", words)));
  heading.focus();
}

/** The steps, none of them done. */
export function showSteps() {
  by("steps").replaceChildren(
    ...ORDER.map((step) => {
      const item = Object.assign(document.createElement("li"), { id: `step-${step}` });
      const mark = Object.assign(document.createElement("span"), { className: "mark", textContent: "·" });
      mark.setAttribute("aria-hidden", "true");
      const state = Object.assign(document.createElement("span"), { className: "state" });
      item.append(mark, bilingual("span", STEPS[step]), state);
      return item;
    }),
  );
  by("progress").value = 0;
  by("work").hidden = false;
  by("steps-title").focus();
}

/** A step is at work (part below 1) or holds. */
export function tellStep(step, part) {
  if (part >= 1) mark(step, "holds", "✓", "相符 holds");
  else by(`step-${step}`).querySelector(".state").textContent = `${Math.round(part * 100)}%`;
  const before = ORDER.slice(0, ORDER.indexOf(step));
  const share = (each) => SHARES[each] ?? SMALL_SHARE;
  by("progress").value = before.reduce((sum, each) => sum + share(each), 0) + part * share(step);
}

function mark(step, kind, sign, words) {
  const item = by(`step-${step}`);
  item.className = kind;
  item.querySelector(".mark").textContent = sign;
  item.querySelector(".state").textContent = words;
}

/** The result of a check. */
export function show({ difference, pupils, schools }, draw) {
  by("progress").value = 1;
  if (difference) {
    mark(difference.step, "differs", "✗", "不一致 differs");
    verdict("bad", ["核验未通过", "It does not hold"], differenceWords(difference), WHAT_NOW);
    return;
  }
  const holds = [
    `${pupils.toLocaleString()} 名孩子、${schools.toLocaleString()} 所学校：名册、密钥、抽签号、录取结果全部重算一致，没有一处改动。`,
    `${pupils.toLocaleString()} children, ${schools.toLocaleString()} schools: roll, secret, numbers and placements all computed again, and the same.`,
  ];
  const reason = draw?.run.annulmentReason;
  if (draw?.run.state === "annulled") {
    const annulled = [`这次摇号已公告作废，结果不算数。原因：${reason ?? ""}`, `This draw was annulled and does not count. Reason: ${reason ?? ""}`];
    verdict("warn", ["计算相符，但已作废", "It holds, but was annulled"], holds, annulled);
    return;
  }
  verdict("ok", ["核验通过", "It holds"], holds);
}

/** What was published before the draw, and whether the file agrees. */
export function publishedList(said, draw) {
  const list = by("published-list");
  list.replaceChildren();
  by("published").hidden = !said;
  if (!said) return;
  if (!draw) {
    list.append(bilingual("p", ["本网站公布的摇号里没有这份名册。请与报纸或当时的截图对照下面的值。", "No draw published on this site has this roll. Compare these with a newspaper or a screenshot of then."]));
  }
  const { enrolment, run } = draw ?? {};
  entry(list, ["承诺（报名开始时）", "Commitment (at the opening)"], said.commitment, run?.commitment);
  if (enrolment) {
    const { source, drawAfter } = enrolment.beaconRule;
    const when = new Date(drawAfter).toLocaleString("zh-CN", { timeZone: "Asia/Shanghai", hour12: false });
    entry(list, ["约定的公共开奖", "The public event agreed on"], `${source}（${when} 之后 after）`);
  }
  entry(list, ["开奖结果", "What the event brought"], said.beacon, run?.beacon);
  entry(list, ["名册哈希（名册确定时）", "Roll hash (when the roll was fixed)"], said.rollHash, run?.rollHash);
  entry(list, ["种子", "Seed"], said.seed, run?.seed);
}

function entry(list, name, value, published) {
  const shown = document.createElement("dd");
  shown.append(Object.assign(document.createElement("code"), { textContent: value }));
  if (published !== undefined) {
    const agrees = published === value;
    shown.append(
      bilingual("span", agrees ? [" ✓ 与本网站公布的一致", "as published on this site"] : [` ✗ 本网站公布的是 ${published}`, `published here: ${published}`]),
    );
  }
  list.append(bilingual("dt", name), shown);
}

/** One child's number, place and reasons. */
export function childCard(child, names) {
  const named = (school) => names.get(school) ?? school;
  if (!child) {
    const words = ["名册里没有这个代号。请检查有没有抄错；代号每次摇号都不同。", "This pseudonym is not on the roll. Check for a slip; it is new for each draw."];
    card("child", "warn", bilingual("h2", ["没有找到这个孩子", "This child was not found"]), bilingual("p", words));
    return;
  }
  const number = Object.assign(document.createElement("span"), { className: "number", textContent: child.lottery });
  const lottery = bilingual("p", ["", `Lottery number ${child.lottery} of ${child.entries}; lower is earlier.`]);
  lottery.prepend("抽签号 ", number, ` （共 ${child.entries} 个号，越小越靠前${child.twins ? "；双胞胎共用一个号" : ""}）`);
  const schools = Object.assign(document.createElement("ol"), { className: "schools" });
  child.choices.forEach((choice, at) => {
    const item = document.createElement("li");
    item.className = choice.reason;
    const name = Object.assign(document.createElement("b"), { textContent: `第 ${at + 1} 志愿 ${named(choice.school)}` });
    item.append(name, bilingual("p", choiceWords(choice, child.lottery)));
    schools.append(item);
  });
  const outcome = child.placed
    ? [`派到：${named(child.placed)}`, `Placed at ${named(child.placed)}`]
    : ["志愿学校都没有派到，由统筹安排", "No school of the list; a place is found by coordination (统筹)"];
  card("child", "", bilingual("h2", ["您的孩子", "Your child"]), lottery, bilingual("p", outcome), schools);
}
