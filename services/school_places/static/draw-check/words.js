// Everything the page says, Chinese first; each pair is [zh, en].

export const STEPS = {
  form: ["文件格式：原件，一个字节都没改", "Form: the original file, to the byte"],
  roll_hash: ["名册哈希：名册与公布的指纹一致", "Roll hash: the roll has the published fingerprint"],
  commitment: ["密钥承诺：密钥就是当初承诺的那个", "Commitment: the secret is the one promised"],
  seed: ["摇号种子：由密钥、开奖、名册算出", "Seed: made from secret, event and roll"],
  lottery: ["抽签号：每个孩子的号逐一重算", "Lottery numbers: each computed again"],
  placements: ["录取结果：重新派位", "Placements: matched again"],
  cutoffs: ["录取线：逐校核对", "Cut-offs: compared school by school"],
  stability: ["稳定性：没有彼此错过的孩子和学校", "Stability: no child and school missed each other"],
};

const NAMES = {
  roll_hash: ["名册哈希", "roll hash"],
  commitment: ["密钥承诺", "commitment"],
  seed: ["摇号种子", "seed"],
  lottery: ["抽签号", "lottery numbers"],
  placements: ["录取结果", "placements"],
  cutoffs: ["录取线", "cut-offs"],
  stability: ["稳定性", "stability"],
};

export const WHAT_NOW = [
  "先重新下载再核验一次。仍不一致的，请保存这个文件，向招生办公室或纪检部门反映，并附上本页内容（可打印）。",
  "Download the file again and check once more. If it still differs, keep the file and report it to the enrolment office, with this page (it can be printed).",
];

/** What is wrong, and where. */
export function differenceWords({ step, at, found, expected, zh, en }) {
  if (zh) return [zh, en];
  const [name, english] = NAMES[step];
  if (!at) {
    return [
      `${name}与先前公布的不一致：文件为 ${found}，先前公布 ${expected}。`,
      `The ${english} is not what was announced before: file ${found}, announced ${expected}.`,
    ];
  }
  return [
    `${name}不一致，位置 ${at}：文件为 ${found}，应为 ${expected}。`,
    `The ${english} differs at ${at}: found ${found}, must be ${expected}.`,
  ];
}

/** Why it went so at one school. */
export function choiceWords({ reason, group, lastGroup, lastLottery, place, applicants, capacity }, lottery) {
  const among = [
    `在填报这所学校的 ${applicants} 名孩子里排第 ${place}，计划招 ${capacity} 名。`,
    `Place ${place} of the ${applicants} children who listed it; ${capacity} seats.`,
  ];
  const why = {
    admitted: ["录取。", "Admitted."],
    by_coordination_only: ["按规则，这所学校不通过派位录取，由统筹安排。", "By the rules not through the draw; places are found by coordination."],
    no_seats: ["这所学校没有可派的名额。", "This school had no seat to give."],
    group_not_reached: [
      `您的孩子在第 ${group} 组，录取到第 ${lastGroup} 组为止。`,
      `Your child is in group ${group}; the last group admitted was ${lastGroup}.`,
    ],
    lottery_not_reached: [
      `同在第 ${group} 组，录取到抽签号 ${lastLottery} 为止，您的孩子是 ${lottery} 号。`,
      `Same group ${group}; the last number admitted was ${lastLottery}, your child’s is ${lottery}.`,
    ],
  }[reason];
  return reason === "by_coordination_only" ? why : [why[0] + among[0], `${why[1]} ${among[1]}`];
}

export const FAILURES = {
  missing: ["没有这次摇号的公开文件：还没有摇号，或申诉期已满、文件已撤下。保存过文件的，请选文件核验。", "There is no public file: the lots are not drawn yet, or it was taken down after appeals. If you saved it, choose the file."],
  away: ["现在读不到公开文件。请检查网络，过一会儿再点“开始核验”；保存过文件的，请选文件核验。", "The public file cannot be read now. Check the network and press “Check” again shortly, or choose a saved file."],
  nothing: ["请先选一次摇号，或选一个公开文件。", "Choose a draw or a public file first."],
  broken: ["您的浏览器没能完成重算。请换一个较新的浏览器（如 Chrome、Edge、Safari、Firefox），或在电脑上核验。", "Your browser could not finish. Use a recent one (Chrome, Edge, Safari, Firefox), or check on a computer."],
};
