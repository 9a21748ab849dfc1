import { expect, it } from 'vitest'
import { base45, fromBase64url, lowS, toBase64url } from './deviceCode'

it('writes Base45 as RFC 9285 does', () => {
  const bytes = (text: string) => new TextEncoder().encode(text)
  expect(base45(bytes('AB'))).toBe('BB8')
  expect(base45(bytes('Hello!!'))).toBe('%69 VD92EX0')
  expect(base45(bytes('base-45'))).toBe('UJCLQE7W581')
  expect(base45(bytes('ietf!'))).toBe('QED8WEX0')
})
it('turns a high s into the low one that says the same', () => {
  const high = new Uint8Array(64).fill(0xff, 32, 36)
  high[63] = 1
  const low = lowS(high)
  expect(low[32]! < 0x80).toBe(true)
  expect(lowS(low)).toEqual(low)
})
it('reads what it writes', () => {
  const data = Uint8Array.from({ length: 256 }, (_, place) => place)
  expect(fromBase64url(toBase64url(data))).toEqual(data)
})
