/** ES256 by WebCrypto, and the one thing WebCrypto leaves to us: a point from its x and a sign. */

import { bigNumber, joined, numberBytes, type Bytes } from "./bytes.ts";
import type { DevicePoint } from "./claims.ts";
import type { PublicKey } from "./keys.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Whether s is in the lower half: of the two signatures that one makes of the other, only one counts. */
export function isLowS(signature: Bytes): boolean {
  return bigNumber(signature.subarray(32)) <= N / 2n;
}

/** A public key from a JWK; rejects when it is none on P-256. */
export async function keyOfJwk(jwk: JsonWebKey): Promise<PublicKey> {
  const { kty, crv, x, y } = jwk;
  if (kty !== "EC" || crv !== "P-256" || x === undefined || y === undefined) {
    throw new TypeError("not a key on P-256");
  }
  return publicKey(await crypto.subtle.importKey("jwk", { kty, crv, x, y }, ALGORITHM, true, ["verify"]));
}

/** A device's key; null where no such point is on the curve. */
export async function keyOfPoint(point: DevicePoint): Promise<PublicKey | null> {
  const x = bigNumber(point.x);
  if (x >= P) {
    return null;
  }
  const square = modulo(x * x * x - 3n * x + B);
  const root = power(square, (P + 1n) / 4n);
  if (modulo(root * root) !== square) {
    return null;
  }
  const y = (root & 1n) === (point.y ? 1n : 0n) ? root : P - root;
  const raw = joined(new Uint8Array([4]), point.x, numberBytes(y, 32));
  return publicKey(await crypto.subtle.importKey("raw", raw, ALGORITHM, true, ["verify"]));
}

function publicKey(key: CryptoKey): PublicKey {
  return {
    alg: "ES256",
    holds: ({ signature, message }) =>
      crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, message),
    spki: async () => new Uint8Array(await crypto.subtle.exportKey("spki", key)),
  };
}

function modulo(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n, square = modulo(square * square)) {
    if (rest & 1n) {
      result = modulo(result * square);
    }
  }
  return result;
}
