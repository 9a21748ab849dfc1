export interface ServerEvent { name: string; data: Record<string, never> }

/** One block of the stream (WHATWG HTML §9.2), or null for a comment. */
export function readEvent(block: string): ServerEvent | null {
  let name = '', data = ''
  for (const line of block.split('\n')) {
    if (line.startsWith('event: ')) name = line.slice(7)
    else if (line.startsWith('data: ')) data += line.slice(6)
  }
  return name && data ? { name, data: JSON.parse(data) } : null
}
