/** JSON as it is signed (RFC 8785): members in the order of their names, nothing between them. Of what JSON can say. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).filter(([, each]) => each !== undefined)
  // RFC 8785 §3.2.3 sorts by UTF-16 units, which is how JavaScript compares texts.
  members.sort(([one], [other]) => (one < other ? -1 : 1))
  return `{${members.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join(',')}}`
}
