// The public lottery: hash, commitment, seed, and the numbers that follow from them (WebCrypto).
import { compareTexts } from "./roll.js";

const BATCH = 2000;
const encoder = new TextEncoder();

/** SHA-256, hex. */
export async function sha256(bytes) {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** SHA-256 of a text, hex: what was published of the secret. */
export function commitmentOf(secret) {
  return sha256(encoder.encode(secret));
}

/** The seed of a draw, hex. */
export function seedOf({ secret, beacon, campaign }, rollHash) {
  return sha256(encoder.encode(`${secret}|${beacon}|${rollHash}|${campaign}`));
}

/**
 * A number from 1 for each pupil, by ascending HMAC-SHA256(seed, entry). A twin group draws once, under its
 * first pseudonym. `tell` hears how much is done, from 0 to 1.
 */
export async function lotteryNumbers(roll, seed, tell) {
  const entryOf = new Map(roll.pupils.map(({ pseudonym }) => [pseudonym, pseudonym]));
  for (const group of roll.twinGroups) for (const twin of group) entryOf.set(twin, group[0]);
  const entries = [...new Set(entryOf.values())];
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", fromHex(seed), algorithm, false, ["sign"]);
  const draw = async (entry) => {
    const mac = await crypto.subtle.sign("HMAC", key, encoder.encode(entry));
    return { entry, lot: hex(new Uint8Array(mac)) };
  };
  const drawn = [];
  for (let at = 0; at < entries.length; at += BATCH) {
    drawn.push(...(await Promise.all(entries.slice(at, at + BATCH).map(draw))));
    tell(drawn.length / entries.length);
  }
  drawn.sort((one, other) =>
    one.lot === other.lot ? compareTexts(one.entry, other.entry) : one.lot < other.lot ? -1 : 1,
  );
  const numberOf = new Map(drawn.map(({ entry }, at) => [entry, at + 1]));
  return roll.pupils.map(({ pseudonym }) => numberOf.get(entryOf.get(pseudonym)));
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function hex(bytes) {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

function fromHex(text) {
  return Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
}
