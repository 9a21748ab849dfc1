import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { canonical } from './canonical'

const vector = JSON.parse(readFileSync(join(import.meta.dirname, '../../../../schemas/codes/terminal-batch.json'), 'utf8'))

it('writes the signed text of the published batch', () => {
  const { signature, ...batch } = vector.batch
  expect(signature).toBeTruthy()
  expect(canonical(batch)).toBe(vector.signed)
})
it('sorts members and keeps the order of lists', () => {
  expect(canonical({ b: [3, 1], a: { d: null, c: '码"\n' }, e: undefined })).toBe('{"a":{"c":"码\\"\\n","d":null},"b":[3,1]}')
})
