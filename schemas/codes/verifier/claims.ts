/** What an issuer says in a code: the claims, each of its type (README §2). */

import type { Bytes } from "./bytes.ts";
import { decodeCbor, type CborMap, type Value } from "./cbor.ts";
import { MalformedCode } from "./malformed.ts";

export const CERTIFICATE = 1;
export const HEALTH = 3;
export const VOUCHER = 4;

/** A device's P-256 key as `cnf` names it: one coordinate, and which of the two points it is. */
export interface DevicePoint {
  readonly x: Bytes;
  readonly y: boolean;
}

/** Where a status list keeps the bits of a printed certificate. */
export interface StatusEntry {
  readonly listUri: string;
  readonly index: number;
}

/** The least a stranger may see. Days are days since 1970, money is fen. */
export interface Body {
  readonly name: string;
  readonly type?: string;
  readonly validUntil?: number;
  readonly status?: StatusEntry;
  readonly colour?: number;
  readonly golden?: boolean;
  readonly negativeWithinHours?: number;
  readonly faceFen?: number;
  readonly thresholdFen?: number;
}

export interface Claims {
  readonly iss: string;
  readonly iat: number;
  readonly exp: number;
  readonly cti: Bytes;
  readonly kind: number;
  readonly body: Body;
  readonly device?: DevicePoint;
}

const LAST_DAY = 2_932_896; // 9999-12-31
const HOURS = [24, 48, 72];

/** The claims of a payload. Throws MalformedCode. */
export function readClaims(payload: Bytes): Claims {
  const claims = must(decodeCbor(payload), isMap, "claims");
  const kind = must(claims.get(-70001), isCount, "kind");
  const cnf = claims.get(8);
  return {
    iss: must(claims.get(1), (value) => isText(value) && /^[0-9]{6}$/.test(value), "iss") as string,
    exp: must(claims.get(4), isCount, "exp"),
    iat: must(claims.get(6), isCount, "iat"),
    cti: must(claims.get(7), (value): value is Bytes => isBytes(value) && value.length === 16, "cti"),
    kind,
    body: readBody(must(claims.get(-70002), isMap, "body"), kind),
    ...(cnf === undefined ? {} : { device: readDevice(must(cnf, isMap, "cnf")) }),
  };
}

function readDevice(cnf: CborMap): DevicePoint {
  const key = must(cnf.get(1), isMap, "cnf");
  if (key.get(1) !== 2 || key.get(-1) !== 1) {
    throw new MalformedCode("a device key that is not on P-256");
  }
  return {
    x: must(key.get(-2), (value): value is Bytes => isBytes(value) && value.length === 32, "x"),
    y: must(key.get(-3), isFlag, "y"),
  };
}

function readBody(body: CborMap, kind: number): Body {
  const of = (expected: number): CborMap => (kind === expected ? body : new Map());
  const certificate = of(CERTIFICATE);
  const health = of(HEALTH);
  const voucher = of(VOUCHER);
  return drop({
    name: must(body.get(2), isText, "name"),
    type: kind === CERTIFICATE ? must(certificate.get(1), isText, "type") : undefined,
    validUntil: may(certificate.get(3), isDay, "last valid day"),
    status: statusOf(certificate.get(4)),
    colour: kind === HEALTH ? must(health.get(10), isColour, "colour") : undefined,
    golden: kind === HEALTH ? (may(health.get(11), isFlag, "golden") ?? false) : undefined,
    negativeWithinHours: may(health.get(12), isHours, "negative test"),
    faceFen: kind === VOUCHER ? must(voucher.get(20), isCount, "face value") : undefined,
    thresholdFen: kind === VOUCHER ? must(voucher.get(21), isCount, "threshold") : undefined,
  });
}

function statusOf(value: Value | undefined): StatusEntry | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (!Array.isArray(value) || value.length !== 2) {
    throw new MalformedCode("a status that is not [list, index]");
  }
  const [listUri, index] = value as readonly Value[];
  return { listUri: must(listUri, isText, "status list"), index: must(index, isCount, "status index") };
}

const isMap = (value: Value): value is CborMap => value instanceof Map;
const isBytes = (value: Value): value is Bytes => value instanceof Uint8Array;
const isText = (value: Value): value is string => typeof value === "string";
const isFlag = (value: Value): value is boolean => typeof value === "boolean";
const isCount = (value: Value): value is number => typeof value === "number" && value >= 0;
const isDay = (value: Value): value is number => isCount(value) && value <= LAST_DAY;
const isColour = (value: Value): value is number => isCount(value) && value <= 3;
const isHours = (value: Value): value is number => isCount(value) && HOURS.includes(value);

function must<T extends Value>(value: Value | undefined, is: (value: Value) => value is T, name: string): T;
function must(value: Value | undefined, is: (value: Value) => boolean, name: string): Value;
function must(value: Value | undefined, is: (value: Value) => boolean, name: string): Value {
  if (value === undefined || !is(value)) {
    throw new MalformedCode(`${name} is missing or of another type`);
  }
  return value;
}

function may<T extends Value>(
  value: Value | undefined,
  is: (value: Value) => value is T,
  name: string,
): T | undefined {
  return value === undefined ? undefined : must(value, is, name);
}

/** Without what is not there. */
function drop<T extends object>(all: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const there = Object.entries(all).filter(([, value]) => value !== undefined);
  return Object.fromEntries(there) as { [K in keyof T]: Exclude<T[K], undefined> };
}
