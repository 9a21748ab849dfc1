import { expect, test } from 'vitest'
import { usePages } from './loading'

type Answer = { items: string[]; next?: string | null }

/** Answers come when they are told to. */
function slow() {
  const waiting: ((answer: Answer) => void)[] = []
  const list = usePages<string>(() => new Promise((answer) => waiting.push(answer)))
  return { list, waiting }
}

test('an answer that comes late does not take the place of the newer one', async () => {
  const { list, waiting } = slow()
  const old = list.load(), fresh = list.load()
  waiting[1]!({ items: ['fresh'] })
  await fresh
  waiting[0]!({ items: ['old'], next: 'further' })
  await old
  expect(list.items.value).toEqual(['fresh'])
  expect(list.next.value).toBeNull()
})

test('a further page of a list that was read anew meanwhile is not added to it', async () => {
  const { list, waiting } = slow()
  const first = list.load()
  waiting[0]!({ items: ['a'], next: 'further' })
  await first
  const further = list.more(), again = list.load()
  waiting[2]!({ items: ['b'] })
  await again
  waiting[1]!({ items: ['a2'] })
  await further
  expect(list.items.value).toEqual(['b'])
})

test('a list of another thing is empty until its own rows are there', async () => {
  const { list, waiting } = slow()
  const first = list.load()
  waiting[0]!({ items: ['of the one'], next: 'further' })
  await first
  const another = list.loadAnother()
  expect([list.items.value, list.next.value, list.data.value]).toEqual([[], null, undefined])
  waiting[1]!({ items: ['of the other'] })
  await another
  expect(list.items.value).toEqual(['of the other'])
})
