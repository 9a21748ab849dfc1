/** Compact JWS (RFC 7515) by ES256 or SM2, as the lists are signed. */

import { fromBase64url, type Bytes } from "./bytes.ts";
import { isKnown, keyOfJwk, type PublicKey } from "./keys.ts";

/** A list that is not signed by whom it must be, or that is not what it should be. */
export class UntrustedList extends Error {
  override name = "UntrustedList";
}

export interface Jws {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: unknown;
  readonly signature: Bytes;
  readonly message: Bytes;
}

/** The parts of a JWS whose `typ` is as expected, its signature not yet checked. Throws UntrustedList. */
export function readJws(text: string, typ: string): Jws {
  const parts = text.trim().split(".");
  const [header = "", payload = "", signature = ""] = parts;
  if (parts.length !== 3) {
    throw new UntrustedList("not a compact JWS");
  }
  let read: Jws;
  try {
    read = {
      header: jsonOf(header) as Record<string, unknown>,
      payload: jsonOf(payload),
      signature: fromBase64url(signature),
      message: new TextEncoder().encode(`${header}.${payload}`) as Bytes,
    };
  } catch (error) {
    throw new UntrustedList(`cannot be read: ${String(error)}`);
  }
  if (!isKnown(read.header.alg) || read.header.typ !== typ || "crit" in read.header) {
    throw new UntrustedList(`not a ${typ} by ES256 or SM2`);
  }
  return read;
}

/** Throws UntrustedList unless one of the keys signed it. */
export async function requireSigned(jws: Jws, keys: readonly PublicKey[]): Promise<void> {
  for (const key of keys) {
    if (key.alg === jws.header.alg && (await key.holds(jws))) {
      return;
    }
  }
  throw new UntrustedList("signed by another key, or altered");
}

/** The payload of a JWS by one key. Throws UntrustedList. */
export async function readSigned(text: string, typ: string, signer: JsonWebKey): Promise<unknown> {
  const jws = readJws(text, typ);
  await requireSigned(jws, [await keyOfJwk(signer)]);
  return jws.payload;
}

function jsonOf(part: string): unknown {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(fromBase64url(part)));
}
