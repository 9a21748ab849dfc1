/** An offline terminal: the lists it holds, taken only where they belong together, and its judgement by them. */

import { UntrustedList } from "./jws.ts";
import { readDenyList, readStatusList, type DenyList, type StatusList } from "./lists.ts";
import { readTrustList, type TrustList } from "./trust.ts";
import { verify, type Checked, type Circumstances } from "./verify.ts";

/** The lists as they were fetched. */
export interface Fetched {
  readonly trustList: string;
  readonly denyList: string;
  readonly statusLists?: readonly string[];
}

/** The `iat` of the newest lists ever held: an older one is somebody's trick. */
export interface LastSeen {
  readonly trustList: number;
  readonly denyList: number;
}

export interface Held {
  readonly trust: TrustList;
  readonly deny: DenyList;
  readonly statusLists: ReadonlyMap<string, StatusList>;
}

const SKEW = 5;

/** The fetched lists, checked at an instant (seconds since 1970). Throws UntrustedList. */
export async function hold(fetched: Fetched, root: JsonWebKey, at: number, seen?: LastSeen): Promise<Held> {
  const trust = await readTrustList(fetched.trustList, root);
  const deny = await readDenyList(fetched.denyList, trust, at);
  const statuses = await Promise.all(
    (fetched.statusLists ?? []).map((signed) => readStatusList(signed, trust, at)),
  );
  for (const list of [trust, deny, ...statuses]) {
    if (list.issuedAt > at + SKEW) {
      throw new UntrustedList("a list from the future: the clock here is behind");
    }
  }
  if (trust.issuedAt < (seen?.trustList ?? 0) || deny.issuedAt < (seen?.denyList ?? 0)) {
    throw new UntrustedList("older than a list that was held before");
  }
  return { trust, deny, statusLists: new Map(statuses.map((list) => [list.uri, list])) };
}

/** Judges a text by the lists held; `asked` may name the expected kind and the challenge. */
export async function judge(
  text: string,
  held: Held,
  at: number,
  asked: Pick<Circumstances, "expectedKind" | "challenge"> = {},
): Promise<Checked> {
  const isOutdated = (held.deny.trustIssuedAt ?? 0) > held.trust.issuedAt;
  return verify(text, {
    ...asked,
    trust: isOutdated ? { ...held.trust, expiresAt: -Infinity } : held.trust,
    at,
    deny: held.deny.entries,
    listsAgeSeconds: at - held.deny.issuedAt,
    statusLists: held.statusLists,
  });
}
