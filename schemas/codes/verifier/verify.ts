/** The steps of a verification that need nobody else, in the order of README §3. */

import { hex, same, type Bytes } from "./bytes.ts";
import { HEALTH, type Claims } from "./claims.ts";
import { readText, type Code, type Proof } from "./envelope.ts";
import { statusAt, type StatusList } from "./lists.ts";
import { MalformedCode } from "./malformed.ts";
import { isLowS, keyOfPoint } from "./p256.ts";
import { codeKeys, type TrustList } from "./trust.ts";

/** What a verification without the server can come to. */
export type Outcome =
  | "valid"
  | "malformed"
  | "unknown_issuer"
  | "bad_signature"
  | "not_yet_valid"
  | "expired"
  | "denied"
  | "revoked"
  | "suspended"
  | "wrong_kind"
  | "stale_lists"
  | "unavailable";

/** `claims` are there only when the signatures hold: what an unproven code says is nobody's word. */
export interface Checked {
  readonly outcome: Outcome;
  readonly claims?: Claims;
}

export interface Circumstances {
  readonly trust: TrustList;
  /** Now, in seconds since 1970. */
  readonly at: number;
  /** The cti of withdrawn capsules, in hex. */
  readonly deny?: ReadonlySet<string>;
  /** Age of the older list held; absent where the lists are live. */
  readonly listsAgeSeconds?: number;
  readonly expectedKind?: number;
  /** The status lists held, by their URI; absent where the source is asked about printed codes instead. */
  readonly statusLists?: ReadonlyMap<string, StatusList>;
  /** Your own: a device-bound code must answer it. */
  readonly challenge?: Bytes;
}

const SKEW = 5;
const PROOF_LIVES = 60;
const HEALTH_LISTS_LIVE = 30 * 60;
const LISTS_LIVE = 24 * 3600;

/** Judges a scanned text. Rejects for no text whatever. */
export async function verify(text: string, circumstances: Circumstances): Promise<Checked> {
  const { trust, at } = circumstances;
  let code: Code;
  try {
    code = readText(text); // steps 1 and 2
  } catch (error) {
    if (error instanceof MalformedCode) {
      return { outcome: "malformed" };
    }
    throw error;
  }
  if (at >= trust.expiresAt) {
    return { outcome: "stale_lists" }; // step 3
  }
  const keys = codeKeys(trust, code, code.claims.kind, at);
  if (keys.length === 0) {
    return { outcome: "unknown_issuer" };
  }
  const signed = await Promise.all(keys.map((key) => key.holds(code))); // step 4
  if (!signed.includes(true)) {
    return { outcome: "bad_signature" };
  }
  if (code.proof && !(await isProven(code.proof, code.claims, circumstances.challenge))) {
    return { outcome: "bad_signature" }; // step 5
  }
  const outcome =
    (code.proof && outOfTime(code.proof.t, SKEW, code.proof.t, PROOF_LIVES, at)) ??
    outOfTime(code.claims.iat, SKEW, code.claims.exp, SKEW, at) ?? // step 6
    withdrawn(code, circumstances) ?? // step 7
    otherKind(code.claims.kind, circumstances.expectedKind) ?? // step 8
    fallen(code.claims, circumstances) ?? // step 9
    "valid";
  return { outcome, claims: code.claims };
}

async function isProven(proof: Proof, claims: Claims, challenge: Bytes | undefined): Promise<boolean> {
  if (!claims.device || !isLowS(proof.signature) || (challenge && !same(proof.challenge, challenge))) {
    return false;
  }
  const key = await keyOfPoint(claims.device);
  return key !== null && (await key.holds(proof));
}

function outOfTime(
  starts: number,
  before: number,
  ends: number,
  after: number,
  at: number,
): "not_yet_valid" | "expired" | undefined {
  if (at < starts - before) {
    return "not_yet_valid";
  }
  return at > ends + after ? "expired" : undefined;
}

function withdrawn(code: Code, held: Circumstances): "denied" | "not_yet_valid" | "stale_lists" | undefined {
  if (held.deny?.has(hex(code.claims.cti))) {
    return "denied";
  }
  const age = held.listsAgeSeconds ?? 0;
  if (age < -SKEW) {
    return "not_yet_valid";
  }
  const limit = code.proof && code.claims.kind === HEALTH ? HEALTH_LISTS_LIVE : LISTS_LIVE;
  return age > limit ? "stale_lists" : undefined;
}

function otherKind(kind: number, expected: number | undefined): "wrong_kind" | undefined {
  return expected === undefined || expected === kind ? undefined : "wrong_kind";
}

/** How a printed certificate stands, where status lists are held. */
function fallen(claims: Claims, held: Circumstances): Outcome | undefined {
  const { status } = claims.body;
  if (!status || !held.statusLists) {
    return undefined;
  }
  const list = held.statusLists.get(status.listUri);
  if (!list) {
    return "unavailable";
  }
  if (list.issuedAt > held.at + SKEW) {
    return "not_yet_valid";
  }
  if (held.at >= list.expiresAt || held.at - list.issuedAt > LISTS_LIVE) {
    return "stale_lists";
  }
  const outcomes: readonly (Outcome | undefined)[] = [undefined, "revoked", "suspended", "unavailable"];
  const at = statusAt(list, status.index);
  return at === undefined ? "unavailable" : outcomes[at];
}
