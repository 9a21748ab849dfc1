import { api, ask, type Schemas } from './api'

/** All schools that an enrolment offers, page after page: a city has some hundred. */
export async function readSchools(): Promise<Schemas['SchoolRead'][]> {
  const found: Schemas['SchoolRead'][] = []
  let cursor: string | undefined
  do {
    const page = await ask(() => api.GET('/api/v1/zones/school-places/schools', { params: { query: { cursor, limit: 100 } } }))
    found.push(...page.items)
    cursor = page.next ?? undefined
  } while (cursor)
  return found
}
