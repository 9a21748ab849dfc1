/** The counter's challenge as a code of its own (README §6): what a phone reads, what a terminal draws. */

import { decodeBase45, encodeBase45 } from "./base45.ts";
import { hex, joined, numberBytes, type Bytes } from "./bytes.ts";
import { decodeCbor, type Value } from "./cbor.ts";
import type { Signed } from "./envelope.ts";
import { MalformedCode } from "./malformed.ts";
import { listKeys, type TrustList } from "./trust.ts";

/** A challenge, and the second (since 1970) until which the counter shows it. */
export interface Drawn {
  readonly challenge: Bytes;
  readonly exp: number;
}

/** `verifier` holds the accredited name in Chinese and English; a terminal that is offline names nobody. */
export interface CounterCode extends Drawn {
  readonly verifier?: readonly [string, string];
}

export interface CounterChecked {
  readonly outcome:
    | "valid"
    | "malformed"
    | "stale_lists"
    | "unknown_issuer"
    | "bad_signature"
    | "expired"
    | "not_yet_valid";
  /** Only where the signature holds, or there is none. */
  readonly code?: CounterCode;
}

interface Parsed extends CounterCode {
  readonly signer?: Signed & { readonly kid: Bytes };
}

const PREFIX = "HYB1C:";
const MAX_CHARACTERS = 1024;
const LIFE = 60;
const SKEW = 5;
/** The kid and the signature with their heads, which end a signed one. */
const SIGNER_BYTES = 9 + 66;

/** What a phone comes to at an instant (seconds since 1970). Rejects for no text whatever. */
export async function readCounterCode(text: string, trust: TrustList, at: number): Promise<CounterChecked> {
  let parsed: Parsed;
  try {
    parsed = parse(text);
  } catch (error) {
    if (error instanceof MalformedCode) {
      return { outcome: "malformed" };
    }
    throw error;
  }
  const { signer, ...code } = parsed;
  if (signer) {
    if (at >= trust.expiresAt) {
      return { outcome: "stale_lists" };
    }
    const keys = listKeys(trust, hex(signer.kid), at);
    if (keys.length === 0) {
      return { outcome: "unknown_issuer" };
    }
    const signed = await Promise.all(keys.map((key) => key.holds(signer)));
    if (!signed.includes(true)) {
      return { outcome: "bad_signature" };
    }
  }
  if (at > code.exp + SKEW) {
    return { outcome: "expired", code };
  }
  return { outcome: code.exp > at + LIFE + SKEW ? "not_yet_valid" : "valid", code };
}

/** A terminal's own challenge, to be shown for 60 seconds and to one holder. */
export function drawChallenge(at: number): Drawn {
  return { challenge: crypto.getRandomValues(new Uint8Array(8)), exp: Math.floor(at) + LIFE };
}

/** The text of a terminal's own challenge. */
export function counterText({ challenge, exp }: Drawn): string {
  const head = new Uint8Array([0x82, 0x48]); // an array of two, eight bytes
  return PREFIX + encodeBase45(joined(head, challenge, new Uint8Array([0x1a]), numberBytes(exp, 4)));
}

/** Whether an answer to a challenge still counts; a terminal asks this of what it drew itself. */
export function isInTime(drawn: Drawn, at: number): boolean {
  return at <= drawn.exp + SKEW;
}

function parse(text: string): Parsed {
  if (text.length > MAX_CHARACTERS) {
    throw new MalformedCode("over 1,024 characters");
  }
  const line = text.replace(/^[\r\n]+|[\r\n]+$/g, "");
  if (!line.startsWith(PREFIX)) {
    throw new MalformedCode("another prefix");
  }
  const bytes = decodeBase45(line.slice(PREFIX.length));
  const parts = decodeCbor(bytes);
  if (!Array.isArray(parts) || (parts.length !== 2 && parts.length !== 6)) {
    throw new MalformedCode("not the parts of a counter's code");
  }
  const [challenge, exp, zh, en, kid, signature] = parts as readonly Value[];
  if (!isBytes(challenge, 8) || typeof exp !== "number" || exp < 0) {
    throw new MalformedCode("no challenge, or no end");
  }
  if (parts.length === 2) {
    return { challenge, exp };
  }
  if (!isName(zh) || !isName(en) || !isBytes(kid, 8) || !isBytes(signature, 64)) {
    throw new MalformedCode("a name without its signature");
  }
  const said = joined(new Uint8Array([0x84]), bytes.subarray(1, bytes.length - SIGNER_BYTES));
  const message = joined(new TextEncoder().encode("HYB1-COUNTER"), said);
  return { challenge, exp, verifier: [zh, en], signer: { kid, signature, message } };
}

function isBytes(value: Value | undefined, length: number): value is Bytes {
  return value instanceof Uint8Array && value.length === length;
}

function isName(value: Value | undefined): value is string {
  return typeof value === "string" && value !== "";
}
