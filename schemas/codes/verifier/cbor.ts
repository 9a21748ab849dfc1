/**
 * Deterministic CBOR (RFC 8949 §4.2.1), read strictly: one spelling for each value, and of the types only
 * those that a code is made of. Numbers beyond 2^53 are read as bigint, so that none is rounded.
 */

import { hex, type Bytes } from "./bytes.ts";
import { MalformedCode } from "./malformed.ts";

export type Key = number | bigint | string;
export type CborMap = ReadonlyMap<Key, Value>;
export type Value = number | bigint | boolean | string | Bytes | readonly Value[] | CborMap;

const MAX_BYTES = 1024;
const MAX_DEPTH = 6;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The one value that these bytes are. Throws MalformedCode. */
export function decodeCbor(bytes: Bytes): Value {
  if (bytes.length > MAX_BYTES) {
    throw new MalformedCode("over 1 KB");
  }
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (!reader.isAtEnd) {
    throw new MalformedCode("bytes after the end");
  }
  return value;
}

class Reader {
  readonly #bytes: Bytes;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The next value; `depth` arrays and maps are open around it. */
  value(depth: number): Value {
    const head = this.#take(1)[0]!;
    if (head === 0xf4 || head === 0xf5) {
      return head === 0xf5;
    }
    const major = head >> 5;
    const argument = this.#argument(head & 0x1f);
    switch (major) {
      case 0:
        return argument;
      case 1:
        return typeof argument === "number" ? -1 - argument : -1n - argument;
      case 2:
        return this.#take(argument);
      case 3:
        return this.#text(argument);
      case 4:
        return this.#array(argument, depth + 1);
      case 5:
        return this.#map(argument, depth + 1);
      default:
        throw new MalformedCode("a type that codes do not use");
    }
  }

  #argument(code: number): number | bigint {
    if (code < 24) {
      return code;
    }
    if (code > 27) {
      throw new MalformedCode("an indefinite or reserved length");
    }
    const width = 1 << (code - 24);
    const number = BigInt("0x" + hex(this.#take(width)));
    const least = width === 1 ? 24n : 1n << BigInt(width * 4);
    if (number < least) {
      throw new MalformedCode("a number longer than it need be");
    }
    return number <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(number) : number;
  }

  #take(count: number | bigint): Bytes {
    if (count > this.#bytes.length - this.#at) {
      throw new MalformedCode("cut off");
    }
    const taken = this.#bytes.slice(this.#at, this.#at + Number(count));
    this.#at += taken.length;
    return taken;
  }

  #text(length: number | bigint): string {
    try {
      return UTF8.decode(this.#take(length));
    } catch (error) {
      throw error instanceof MalformedCode ? error : new MalformedCode("text that is not UTF-8");
    }
  }

  // A count may claim any size: each item takes a byte at least, so reading ends where the bytes end.
  #array(count: number | bigint, depth: number): Value[] {
    const items: Value[] = [];
    for (this.#enter(depth); items.length < count; ) {
      items.push(this.value(depth));
    }
    return items;
  }

  #map(count: number | bigint, depth: number): CborMap {
    const pairs = new Map<Key, Value>();
    let previous = "";
    for (this.#enter(depth); pairs.size < count; ) {
      const start = this.#at;
      const key = this.value(depth);
      if (typeof key !== "number" && typeof key !== "bigint" && typeof key !== "string") {
        throw new MalformedCode("a key that is neither a number nor a text");
      }
      const written = hex(this.#bytes.subarray(start, this.#at));
      if (written <= previous) {
        throw new MalformedCode("keys out of order or repeated");
      }
      previous = written;
      pairs.set(key, this.value(depth));
    }
    return pairs;
  }

  #enter(depth: number): void {
    if (depth > MAX_DEPTH) {
      throw new MalformedCode("nested too deep");
    }
  }
}
