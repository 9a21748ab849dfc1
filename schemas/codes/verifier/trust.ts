/** The trust list: whose signature counts for which kinds, and when (README §4). */

import { hex, type Bytes } from "./bytes.ts";
import { readSigned, UntrustedList } from "./jws.ts";
import { COSE, isKnown, keyOfJwk, kidOf, type PublicKey } from "./keys.ts";

export interface TrustEntry {
  readonly kid: string;
  readonly alg: string;
  readonly jwk: JsonWebKey;
  readonly kinds: readonly number[];
  readonly notBefore: string;
  readonly notAfter: string;
  readonly revokedAt?: string;
  /** "lists" for a key that signs deny-lists and status lists, and no codes; absent for codes. */
  readonly use?: string;
}

/** A list with its keys read. Times are seconds since 1970. */
export interface TrustList {
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly keys: readonly UsableKey[];
}

interface UsableKey {
  readonly kid: string;
  readonly key: PublicKey;
  readonly kinds: readonly number[];
  readonly use: string | undefined;
  readonly starts: number;
  readonly ends: number;
}

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * A fetched list, checked against the pinned root. With the list held so far, an older one is refused.
 * Throws UntrustedList.
 */
export async function readTrustList(signed: string, root: JsonWebKey, held?: TrustList): Promise<TrustList> {
  const payload = await readSigned(signed, "trust-list+jwt", root);
  const { entries, iat, exp } = (payload ?? {}) as { entries: TrustEntry[]; iat: number; exp: number };
  if (!Array.isArray(entries) || !Number.isSafeInteger(iat) || !Number.isSafeInteger(exp)) {
    throw new UntrustedList("a list without entries, iat or exp");
  }
  if (held && iat < held.issuedAt) {
    throw new UntrustedList("older than the list already held");
  }
  return trustListOf(entries, iat, exp);
}

/** The list of these entries, whoever vouches for them. Throws UntrustedList for one that is not itself. */
export async function trustListOf(
  entries: readonly TrustEntry[],
  issuedAt: number,
  expiresAt: number,
): Promise<TrustList> {
  const known = entries.filter((entry) => isKnown(entry.alg));
  return { issuedAt, expiresAt, keys: await Promise.all(known.map(usable)) };
}

/** The keys that may have signed a code of this kind at an instant. */
export function codeKeys(
  list: TrustList,
  signer: { readonly kid: Bytes; readonly alg: number | bigint },
  kind: number,
  at: number,
): PublicKey[] {
  const kid = hex(signer.kid);
  return list.keys
    .filter((key) => signer.alg === COSE[key.key.alg] && key.use === undefined && key.kid === kid)
    .filter((key) => key.kinds.includes(kind) && standsAt(key, at))
    .map((key) => key.key);
}

/** The keys of this kid that may have signed a list at an instant. */
export function listKeys(list: TrustList, kid: unknown, at: number): PublicKey[] {
  return list.keys
    .filter((key) => key.use === "lists" && key.kid === kid && standsAt(key, at))
    .map((key) => key.key);
}

function standsAt(key: UsableKey, at: number): boolean {
  return key.starts <= at && at < key.ends;
}

async function usable(entry: TrustEntry): Promise<UsableKey> {
  let key: PublicKey;
  try {
    key = await keyOfJwk(entry.jwk);
  } catch {
    throw new UntrustedList(`key ${entry.kid} cannot be read`);
  }
  if (key.alg !== entry.alg) {
    throw new UntrustedList(`key ${entry.kid} does not sign as ${entry.alg}`);
  }
  if ((await kidOf(key)) !== entry.kid) {
    throw new UntrustedList(`key ${entry.kid} goes by another key's id`);
  }
  const ends = entry.revokedAt === undefined ? Infinity : seconds(entry.revokedAt);
  return {
    kid: entry.kid,
    key,
    kinds: entry.kinds,
    use: entry.use,
    starts: seconds(entry.notBefore),
    ends: Math.min(ends, seconds(entry.notAfter)),
  };
}

function seconds(time: string): number {
  const milliseconds = RFC3339.test(time) ? Date.parse(time) : NaN;
  if (Number.isNaN(milliseconds)) {
    throw new UntrustedList("a time that is not RFC 3339");
  }
  return milliseconds / 1000;
}
