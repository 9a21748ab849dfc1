/** A code taken apart: text, form a or form b, and exactly which bytes were signed (README §1). */

import { decodeBase45 } from "./base45.ts";
import { joined, numberBytes, type Bytes } from "./bytes.ts";
import { decodeCbor, type Value } from "./cbor.ts";
import { readClaims, type Claims } from "./claims.ts";
import { COSE } from "./keys.ts";
import { MalformedCode } from "./malformed.ts";

/** Whose word it is and what was signed, by the issuer or by the phone. */
export interface Signed {
  readonly signature: Bytes;
  readonly message: Bytes;
}

export interface Issued extends Signed {
  readonly alg: number | bigint;
  readonly kid: Bytes;
  readonly claims: Claims;
}

export interface Proof extends Signed {
  readonly t: number;
  readonly challenge: Bytes;
}

/** A code; form b has a proof. */
export interface Code extends Issued {
  readonly proof?: Proof;
}

const PREFIX = "HYB1:";
const MAX_CHARACTERS = 1024;
const COSE_SIGN1_TAG = 0xd2;
const NOTHING = new Uint8Array(0);

/** The code that a scanned text is. Throws MalformedCode, and nothing else. */
export function readText(text: string): Code {
  if (text.length > MAX_CHARACTERS) {
    throw new MalformedCode("over 1,024 characters");
  }
  const line = text.replace(/^[\r\n]+|[\r\n]+$/g, "");
  if (!line.startsWith(PREFIX)) {
    throw new MalformedCode("another prefix");
  }
  const bytes = decodeBase45(line.slice(PREFIX.length));
  if (bytes[0] !== COSE_SIGN1_TAG) {
    return readFormB(bytes);
  }
  const code = readFormA(bytes);
  if (code.claims.device) {
    throw new MalformedCode("a capsule, which is no code without a proof");
  }
  return code;
}

function readFormA(bytes: Bytes): Issued {
  if (bytes[0] !== COSE_SIGN1_TAG) {
    throw new MalformedCode("not a COSE_Sign1");
  }
  const parts = arrayOf(decodeCbor(bytes.slice(1)), [4]);
  const [protectedPart, unprotected, payload] = parts;
  if (!(unprotected instanceof Map) || unprotected.size !== 0) {
    throw new MalformedCode("something in the unprotected header");
  }
  const protectedBytes = bytesOf(protectedPart);
  const payloadBytes = bytesOf(payload);
  const header = readHeader(protectedBytes);
  return {
    ...header,
    signature: bytesOf(parts[3], Object.values<number | bigint>(COSE).includes(header.alg) ? 64 : undefined),
    message: signatureStructure(protectedBytes, payloadBytes),
    claims: readClaims(payloadBytes),
  };
}

function readHeader(bytes: Bytes): Pick<Issued, "alg" | "kid"> {
  const header = decodeCbor(bytes);
  if (!(header instanceof Map) || header.size !== 2) {
    throw new MalformedCode("a header other than alg and kid");
  }
  const alg = header.get(1);
  if (typeof alg !== "number" && typeof alg !== "bigint") {
    throw new MalformedCode("an alg that is no number");
  }
  return { alg, kid: bytesOf(header.get(4), 8) };
}

/** COSE's Sig_structure (RFC 9052 §4.4) with an empty external_aad. */
function signatureStructure(header: Bytes, payload: Bytes): Bytes {
  const context = new TextEncoder().encode("Signature1");
  const head = new Uint8Array([0x84, 0x60 | context.length]); // an array of four, a text
  return joined(head, context, byteString(header), byteString(NOTHING), byteString(payload));
}

function byteString(bytes: Bytes): Bytes {
  const length = bytes.length;
  const head = length < 24 ? [0x40 | length] : length < 256 ? [0x58, length] : [0x59, length >> 8, length & 0xff];
  return joined(new Uint8Array(head), bytes);
}

function readFormB(bytes: Bytes): Code {
  const parts = arrayOf(decodeCbor(bytes), [3, 4]);
  const capsule = bytesOf(parts[0]);
  const t = parts[1];
  if (typeof t !== "number" || t < 0) {
    throw new MalformedCode("a time that is no uint below 2^53");
  }
  const challenge = parts.length === 4 ? bytesOf(parts[3], 8) : NOTHING;
  const issued = readFormA(capsule);
  if (!issued.claims.device) {
    throw new MalformedCode("a capsule that names no device");
  }
  const message = joined(
    new TextEncoder().encode("HYB1-DEVICE"),
    numberBytes(capsule.length, 4),
    capsule,
    numberBytes(t, 8),
    challenge,
  );
  return { ...issued, proof: { signature: bytesOf(parts[2], 64), message, t, challenge } };
}

function arrayOf(value: Value, lengths: readonly number[]): readonly Value[] {
  if (!Array.isArray(value) || !lengths.includes(value.length)) {
    throw new MalformedCode("not the parts of a code");
  }
  return value;
}

function bytesOf(value: Value | undefined, length?: number): Bytes {
  if (!(value instanceof Uint8Array) || (length !== undefined && value.length !== length)) {
    throw new MalformedCode("bytes are missing or of another length");
  }
  return value as Bytes;
}
