/** A verifier of HYB1 codes in its own words: WebCrypto and no package. See ../README.md. */

export type { Body, Claims } from "./claims.ts";
export {
  counterText,
  drawChallenge,
  isInTime,
  readCounterCode,
  type CounterChecked,
  type CounterCode,
  type Drawn,
} from "./counter.ts";
export { UntrustedList } from "./jws.ts";
export { readDenyList, readStatusList, type DenyList, type StatusList } from "./lists.ts";
export { hold, judge, type Fetched, type Held, type LastSeen } from "./terminal.ts";
export { readTrustList, trustListOf, type TrustEntry, type TrustList } from "./trust.ts";
export { verify, type Checked, type Circumstances, type Outcome } from "./verify.ts";
