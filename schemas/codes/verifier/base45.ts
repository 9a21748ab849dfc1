/** Base45 (RFC 9285), its writer and the strict reader: every byte string has one text, and only that text is read. */

import type { Bytes } from "./bytes.ts";
import { MalformedCode } from "./malformed.ts";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/** The bytes of a text. Throws MalformedCode. */
export function decodeBase45(text: string): Bytes {
  const rest = text.length % 3;
  if (rest === 1) {
    throw new MalformedCode("cut off in the middle of a group");
  }
  const bytes = new Uint8Array(Math.floor(text.length / 3) * 2 + (rest === 2 ? 1 : 0));
  let filled = 0;
  for (let at = 0; at < text.length; at += 3) {
    const value = digit(text, at) + 45 * digit(text, at + 1);
    if (at + 2 < text.length) {
      const pair = value + 2025 * digit(text, at + 2);
      if (pair > 0xffff) {
        throw new MalformedCode("a group that stands for no two bytes");
      }
      bytes[filled] = pair >> 8;
      bytes[filled + 1] = pair & 0xff;
      filled += 2;
    } else {
      if (value > 0xff) {
        throw new MalformedCode("a last group that stands for no byte");
      }
      bytes[filled] = value;
    }
  }
  return bytes;
}

/** The one text of these bytes. */
export function encodeBase45(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 2) {
    const isPair = at + 1 < bytes.length;
    let value = isPair ? bytes[at]! * 256 + bytes[at + 1]! : bytes[at]!;
    for (let left = isPair ? 3 : 2; left > 0; left -= 1) {
      text += ALPHABET.charAt(value % 45);
      value = Math.floor(value / 45);
    }
  }
  return text;
}

function digit(text: string, at: number): number {
  const found = ALPHABET.indexOf(text.charAt(at));
  if (found < 0) {
    throw new MalformedCode("a character outside the alphabet");
  }
  return found;
}
