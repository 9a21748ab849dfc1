/**
 * Verifying SM2 with SM3 (GB/T 32918.2), which WebCrypto does not have. Only public values are reckoned with
 * here, so how long it takes tells nobody anything; this is no code to sign by.
 */

import { bigNumber, fromBase64url, joined, numberBytes, type Bytes } from "./bytes.ts";
import type { Signed } from "./envelope.ts";
import type { PublicKey } from "./keys.ts";
import { sm3 } from "./sm3.ts";

const P = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn;
const A = P - 3n;
const B = 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n;
const N = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n;
const GX = 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n;
const GY = 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n;
/** Of whoever has no identifier of their own (GM/T 0009). */
const IDENTIFIER = new TextEncoder().encode("1234567812345678");
/** A SubjectPublicKeyInfo up to the point. */
const SPKI = numberBytes(0x3059301306072a8648ce3d020106082a811ccf5501822d03420004n, 27);

/** A point as (x, y, z) with x = X/Z², y = Y/Z³; z is 0 at infinity. */
type Point = readonly [bigint, bigint, bigint];
const INFINITY: Point = [1n, 1n, 0n];

/** A public key from a JWK; rejects when it is no point of the curve. */
export async function keyOfJwk(jwk: JsonWebKey): Promise<PublicKey> {
  const raw = joined(fromBase64url(jwk.x ?? ""), fromBase64url(jwk.y ?? ""));
  const [x, y] = [bigNumber(raw.subarray(0, 32)), bigNumber(raw.subarray(32))];
  if (jwk.kty !== "EC" || raw.length !== 64 || x >= P || y >= P || mod(y * y - (x * x + A) * x - B) !== 0n) {
    throw new TypeError("not a key of SM2");
  }
  const curve = joined(...[A, B, GX, GY].map((value) => numberBytes(value, 32)));
  const signer = sm3(joined(numberBytes(IDENTIFIER.length * 8, 2), IDENTIFIER, curve, raw));
  return {
    alg: "SM2",
    holds: async (signed) => holds([x, y, 1n], signer, signed),
    spki: async () => joined(SPKI, raw),
  };
}

/** §7.1: e from the message, t = r + s, (x, y) = sG + tP, and r is e + x. */
function holds(key: Point, signer: Bytes, { signature, message }: Signed): boolean {
  const [r, s] = [bigNumber(signature.subarray(0, 32)), bigNumber(signature.subarray(32))];
  const t = (r + s) % N;
  if (signature.length !== 64 || r === 0n || s === 0n || r >= N || s >= N || t === 0n) {
    return false;
  }
  const sum = sumOfMultiples(s, [GX, GY, 1n], t, key);
  if (sum[2] === 0n) {
    return false;
  }
  const x = mod(sum[0] * inverse(mod(sum[2] * sum[2])));
  return (bigNumber(sm3(joined(signer, message))) + x) % N === r;
}

/** aP + bQ, both at once. */
function sumOfMultiples(a: bigint, p: Point, b: bigint, q: Point): Point {
  const both = added(p, q);
  let sum = INFINITY;
  for (let bit = 255n; bit >= 0n; bit -= 1n) {
    sum = doubled(sum);
    const [inA, inB] = [(a >> bit) & 1n, (b >> bit) & 1n];
    if (inA || inB) {
      sum = added(sum, inA && inB ? both : inA ? p : q);
    }
  }
  return sum;
}

function doubled([x, y, z]: Point): Point {
  if (z === 0n || y === 0n) {
    return INFINITY;
  }
  const [yy, zz] = [mod(y * y), mod(z * z)];
  const s = mod(4n * x * yy);
  const m = mod(3n * (x - zz) * (x + zz)); // a is −3
  const newX = mod(m * m - 2n * s);
  return [newX, mod(m * (s - newX) - 8n * yy * yy), mod(2n * y * z)];
}

function added(p: Point, q: Point): Point {
  if (p[2] === 0n || q[2] === 0n) {
    return p[2] === 0n ? q : p;
  }
  const [pzz, qzz] = [mod(p[2] * p[2]), mod(q[2] * q[2])];
  const [u, v] = [mod(p[0] * qzz), mod(q[0] * pzz)];
  const [s, t] = [mod(p[1] * qzz * q[2]), mod(q[1] * pzz * p[2])];
  if (u === v) {
    return s === t ? doubled(p) : INFINITY;
  }
  const [h, r] = [mod(v - u), mod(t - s)];
  const hh = mod(h * h);
  const [hhh, w] = [mod(h * hh), mod(u * hh)];
  const x = mod(r * r - hhh - 2n * w);
  return [x, mod(r * (w - x) - s * hhh), mod(h * p[2] * q[2])];
}

function inverse(value: bigint): bigint {
  let [a, b, u, v] = [value, P, 1n, 0n];
  while (a !== 0n) {
    const quotient = b / a;
    [a, b] = [b - quotient * a, a];
    [u, v] = [v - quotient * u, u];
  }
  return mod(v);
}

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}
