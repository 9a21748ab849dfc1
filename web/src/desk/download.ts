/** A table that the API gives, as a file: it takes the bearer, so a link will not do. */
import { bearer, refusalOf } from '@/shared/api'
import { prefs } from '@/shared/prefs'

export async function download(path: string, name: string): Promise<void> {
  const read = () => fetch(path, { headers: { Authorization: `Bearer ${bearer.token}`, 'Accept-Language': prefs.language } })
  let answer = await read()
  if (answer.status === 401 && (await bearer.renew())) answer = await read()
  if (!answer.ok) throw refusalOf(await answer.json().catch(() => null), answer)
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await answer.blob())
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}
