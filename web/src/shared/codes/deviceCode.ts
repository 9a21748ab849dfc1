/**
 * The text of a code that this phone makes by itself, from a capsule and the key that the capsule names.
 * Source: schemas/codes/README.md §1 (form b), RFC 9285 (Base45). Pure but for the signature itself.
 */

const PREFIX = 'HYB1:'
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:'
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const ES256 = { name: 'ECDSA', hash: 'SHA-256' } as const

type Bytes = Uint8Array<ArrayBuffer>

/** The text to draw at second `t` (since 1970), over the verifier's challenge where it gave one. */
export async function deviceCode(capsule: Bytes, key: CryptoKey, t: number, challenge?: Bytes): Promise<string> {
  const signed = joined(utf8('HYB1-DEVICE'), number(capsule.length, 4), capsule, number(t, 8), challenge ?? new Uint8Array())
  const signature = lowS(new Uint8Array(await crypto.subtle.sign(ES256, key, signed)))
  const parts = [byteString(capsule), joined(new Uint8Array([0x1a]), number(t, 4)), byteString(signature)]
  if (challenge) parts.push(byteString(challenge))
  return PREFIX + base45(joined(new Uint8Array([0x80 + parts.length]), ...parts))
}

/** What a new key signs so that the server binds a capsule to it: the account's id and the server's nonce. */
export async function bindingProof(key: CryptoKey, accountId: string, nonce: Bytes): Promise<string> {
  const id = Uint8Array.from(accountId.replaceAll('-', '').match(/../g)!, (pair) => parseInt(pair, 16))
  return toBase64url(new Uint8Array(await crypto.subtle.sign(ES256, key, joined(utf8('HYB1-BIND'), id, nonce))))
}

/** Of the two signatures that say the same, the one that a proof must be: with the smaller s. */
export function lowS(signature: Bytes): Bytes {
  let s = 0n
  for (const byte of signature.subarray(32)) s = (s << 8n) | BigInt(byte)
  if (s <= ORDER / 2n) return signature
  s = ORDER - s
  const low = signature.slice()
  for (let place = 63; place >= 32; place--, s >>= 8n) low[place] = Number(s & 0xffn)
  return low
}

export function base45(data: Bytes): string {
  let text = ''
  for (let place = 0; place < data.length; place += 2) {
    const isPair = place + 1 < data.length
    let rest = isPair ? data[place]! * 256 + data[place + 1]! : data[place]!
    for (let digits = isPair ? 3 : 2; digits; digits--) {
      text += ALPHABET[rest % 45]
      rest = Math.floor(rest / 45)
    }
  }
  return text
}

export const fromBase64url = (text: string): Bytes =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))

export const toBase64url = (data: Bytes): string =>
  btoa(String.fromCharCode(...data)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')

const utf8 = (text: string) => new TextEncoder().encode(text)

function number(value: number, bytes: number): Bytes {
  const written = new Uint8Array(bytes)
  for (let place = bytes - 1, rest = value; place >= 0; place--, rest = Math.floor(rest / 256)) written[place] = rest % 256
  return written
}

/** A CBOR byte string (RFC 8949 §3.1, major type 2) with the shortest head. */
function byteString(data: Bytes): Bytes {
  const { length } = data
  const head = length < 24 ? [0x40 + length] : length < 256 ? [0x58, length] : [0x59, length >> 8, length & 0xff]
  return joined(new Uint8Array(head), data)
}

function joined(...parts: Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let place = 0
  for (const part of parts) {
    whole.set(part, place)
    place += part.length
  }
  return whole
}
