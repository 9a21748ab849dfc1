/** Public keys of either suite: ES256 by WebCrypto, SM2 by sm2.ts. */

import { hex, type Bytes } from "./bytes.ts";
import type { Signed } from "./envelope.ts";
import * as p256 from "./p256.ts";

/** How a key signs: its name in JWS and on the trust list, and its number in COSE. */
export type Algorithm = keyof typeof COSE;
export const COSE = { ES256: -7, SM2: -70010 } as const;

export interface PublicKey {
  readonly alg: Algorithm;
  /** Whether it signed the message; the signature is raw r‖s, 64 bytes. */
  holds(signed: Signed): Promise<boolean>;
  /** Its SubjectPublicKeyInfo, DER. */
  spki(): Promise<Bytes>;
}

/** Whether this verifier knows how such a key signs. */
export function isKnown(alg: unknown): alg is Algorithm {
  return typeof alg === "string" && Object.hasOwn(COSE, alg);
}

/** A public key from a JWK; rejects when it is none on P-256 or on the curve of SM2. */
export async function keyOfJwk(jwk: JsonWebKey): Promise<PublicKey> {
  if (jwk.crv === "SM2") {
    const sm2 = await import("./sm2.ts"); // who never meets such a key never fetches it
    return sm2.keyOfJwk(jwk);
  }
  return p256.keyOfJwk(jwk);
}

/** The kid of a key, hex: the first 8 bytes of SHA-256 over its SubjectPublicKeyInfo. */
export async function kidOf(key: PublicKey): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await key.spki());
  return hex(new Uint8Array(digest, 0, 8));
}
