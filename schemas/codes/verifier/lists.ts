/** What was withdrawn (deny-list) and how printed certificates stand (status lists), as terminals hold them. */

import { fromBase64url, hex, joined } from "./bytes.ts";
import { readJws, requireSigned, UntrustedList } from "./jws.ts";
import { listKeys, type TrustList } from "./trust.ts";

/** The cti of withdrawn capsules, in hex, as of `issuedAt` (seconds since 1970). */
export interface DenyList {
  readonly entries: ReadonlySet<string>;
  readonly issuedAt: number;
  /** The `iat` of the newest trust list: fetch it when yours is older. */
  readonly trustIssuedAt: number | undefined;
}

/** Two bits for each printed certificate of a list. */
export interface StatusList {
  readonly uri: string;
  readonly bits: Uint8Array;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

const CTI_BYTES = 16;
const MOST_BYTES = 1 << 22;

/**
 * A fetched deny-list; or, of the changes since the list held, the list that they make of it.
 * Throws UntrustedList.
 */
export async function readDenyList(
  signed: string,
  trust: TrustList,
  at: number,
  held?: DenyList,
): Promise<DenyList> {
  const said = await payloadOf(signed, "deny-list+jwt", trust, at);
  const issuedAt = second(said.iat);
  const trustIssuedAt = said.trustIat === undefined ? undefined : second(said.trustIat);
  if (said.entries !== undefined) {
    return { entries: new Set(ctis(said.entries)), issuedAt, trustIssuedAt };
  }
  const [added, removed] = [ctis(said.added), ctis(said.removed)];
  if (held === undefined || said.since !== held.issuedAt || issuedAt < held.issuedAt) {
    throw new UntrustedList("these are no changes of the list that is held");
  }
  const entries = new Set(held.entries);
  removed.forEach((cti) => entries.delete(cti));
  added.forEach((cti) => entries.add(cti));
  return { entries, issuedAt, trustIssuedAt };
}

/** A fetched status list. Throws UntrustedList. */
export async function readStatusList(signed: string, trust: TrustList, at: number): Promise<StatusList> {
  const said = await payloadOf(signed, "statuslist+jwt", trust, at);
  const list = said.status_list as { bits?: unknown; lst?: unknown } | undefined;
  if (typeof said.sub !== "string" || list?.bits !== 2 || typeof list.lst !== "string") {
    throw new UntrustedList("not a status list of two bits a place");
  }
  const bits = await inflated(list.lst);
  return { uri: said.sub, bits, issuedAt: second(said.iat), expiresAt: second(said.exp) };
}

/** 0 valid, 1 revoked, 2 suspended; undefined beyond the end of the list. */
export function statusAt(list: StatusList, index: number): number | undefined {
  const byte = list.bits[Math.floor(index / 4)];
  return byte === undefined ? undefined : (byte >> ((index % 4) * 2)) & 3;
}

async function payloadOf(
  signed: string,
  typ: string,
  trust: TrustList,
  at: number,
): Promise<Record<string, unknown>> {
  const jws = readJws(signed, typ);
  await requireSigned(jws, listKeys(trust, jws.header.kid, at));
  return (jws.payload ?? {}) as Record<string, unknown>;
}

function second(value: unknown): number {
  if (!Number.isSafeInteger(value)) {
    throw new UntrustedList("a time that is no whole number of seconds");
  }
  return value as number;
}

function ctis(values: unknown): string[] {
  if (!Array.isArray(values)) {
    throw new UntrustedList("neither a deny-list nor changes of one");
  }
  return values.map((value) => {
    const cti = typeof value === "string" ? bytesOf(value) : undefined;
    if (cti?.length !== CTI_BYTES) {
      throw new UntrustedList("a cti that has not 16 bytes");
    }
    return hex(cti);
  });
}

function bytesOf(text: string): ReturnType<typeof fromBase64url> {
  try {
    return fromBase64url(text);
  } catch {
    throw new UntrustedList("not base64url");
  }
}

/** The bytes of a zlib text; a list that would grow without measure is refused while it grows. */
async function inflated(text: string): Promise<Uint8Array> {
  const packed = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = packed.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      parts.push(read.value);
      length += read.value.length;
      if (length > MOST_BYTES) {
        throw new UntrustedList("a status list that is too long");
      }
    }
  } catch (error) {
    throw error instanceof UntrustedList ? error : new UntrustedList("a status list that is cut off");
  } finally {
    reader.cancel().catch(() => undefined);
  }
  return joined(...parts);
}
