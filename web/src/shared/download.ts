/** A document of the API, saved as a file: a link alone would not say who asks. */
import { bearer, refusalOf, Refusal } from './api'
import { prefs } from './prefs'

export async function download(address: string, name: string): Promise<void> {
  const headers = () => ({ Authorization: `Bearer ${bearer.token}`, 'Accept-Language': prefs.language })
  const send = () => fetch(address, { headers: headers() }).catch(() => { throw new Refusal(0, 'offline', '') })
  let answer = await send()
  if (answer.status === 401 && (await bearer.renew())) answer = await send()
  if (!answer.ok) throw refusalOf(await answer.json().catch(() => ({})), answer)
  saveAs(await answer.blob(), name)
}

/** Bytes that are here already, saved under a name. */
export function saveAs(bytes: Blob, name: string): void {
  const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(bytes), download: name })
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
