/** What happens to a code while it is shown. EventSource cannot sign in, so the stream is read from fetch. */
import { bearer } from '@/shared/api'
import { prefs } from '@/shared/prefs'
import { readEvent, type ServerEvent } from '@/shared/serverSentEvents'

export async function follow(codeId: string, hear: (event: ServerEvent) => void, stop: AbortSignal): Promise<void> {
  const response = await fetch(`/api/v1/codes/${codeId}/events`, {
    headers: { Authorization: `Bearer ${bearer.token}`, 'Accept-Language': prefs.language }, signal: stop,
  })
  if (!response.ok || !response.body) return
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let kept = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    kept += value
    const parts = kept.split('\n\n')
    kept = parts.pop()!
    for (const part of parts) {
      const event = readEvent(part)
      if (event) hear(event)
    }
  }
}
