// One check and what it says about one child: small enough to be handed from the worker to the page.
import { check } from "./checking.js";
import { standingOfChild } from "./child.js";

/** `{difference, passed, pupils, schools, campaign, rollHash, …, child}`; child null where nobody was named. */
export async function run(bytes, announced, pseudonym, tell) {
  const { difference, passed, file } = await check(bytes, announced, tell);
  const { rollHash, commitment, beacon, seed, campaign } = file ?? {};
  return {
    difference,
    passed,
    pupils: file?.roll.pupils.length ?? 0,
    schools: file?.roll.schools.length ?? 0,
    said: file ? { campaign, commitment, rollHash, beacon, seed } : null,
    child: file && pseudonym && !difference ? standingOfChild(file, pseudonym) : null,
  };
}
