/** The hash SM3 (GB/T 32905), which WebCrypto does not have. */

import { joined, numberBytes, type Bytes } from "./bytes.ts";

const START = [
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
];

/** The hash of the bytes, 32 bytes. */
export function sm3(data: Bytes): Bytes {
  const zeros = new Uint8Array((119 - (data.length % 64)) % 64);
  const padded = joined(data, new Uint8Array([0x80]), zeros, numberBytes(data.length * 8, 8));
  const view = new DataView(padded.buffer);
  let state = START;
  for (let at = 0; at < padded.length; at += 64) {
    state = compressed(state, Array.from({ length: 16 }, (_, word) => view.getUint32(at + 4 * word)));
  }
  return joined(...state.map((word) => numberBytes(word, 4)));
}

/** CF of §5.3.3: the state after one more block. */
function compressed(state: readonly number[], block: readonly number[]): number[] {
  const words = [...block];
  for (let j = 16; j < 68; j += 1) {
    const mixed = P1(word(words, j - 16) ^ word(words, j - 9) ^ rotated(word(words, j - 3), 15));
    words.push((mixed ^ rotated(word(words, j - 13), 7) ^ word(words, j - 6)) >>> 0);
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let j = 0; j < 64; j += 1) {
    const early = j < 16;
    const constant = rotated(early ? 0x79cc4519 : 0x7a879d8a, j % 32);
    const ss1 = rotated((rotated(a, 12) + e + constant) >>> 0, 7);
    const ss2 = ss1 ^ rotated(a, 12);
    const ff = early ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
    const gg = early ? e ^ f ^ g : (e & f) | (~e & g);
    const tt1 = (ff + d + ss2 + (word(words, j) ^ word(words, j + 4))) >>> 0;
    const tt2 = (gg + h + ss1 + word(words, j)) >>> 0;
    [a, b, c, d] = [tt1, a, rotated(b, 9), c];
    [e, f, g, h] = [P0(tt2), e, rotated(f, 19), g];
  }
  return [a, b, c, d, e, f, g, h].map((word, at) => (word ^ (state[at] ?? 0)) >>> 0);
}

function word(words: readonly number[], at: number): number {
  return words[at] ?? 0;
}

function rotated(value: number, by: number): number {
  return ((value << by) | (value >>> ((32 - by) % 32))) >>> 0;
}

function P0(value: number): number {
  return (value ^ rotated(value, 9) ^ rotated(value, 17)) >>> 0;
}

function P1(value: number): number {
  return (value ^ rotated(value, 15) ^ rotated(value, 23)) >>> 0;
}
