import { expect, it } from 'vitest'
import { readEvent } from './serverSentEvents'

it('reads an event and leaves a comment alone', () => {
  expect(readEvent('event: scanned\ndata: {"usedBy":"滨海小学"}')).toEqual({ name: 'scanned', data: { usedBy: '滨海小学' } })
  expect(readEvent(':')).toBeNull()
})
