import { Refusal } from '@/shared/api'

/**
 * The face token that the vendor's page gives to the page that opened it.
 *
 * The vendor sees the person, we never do. Throws a Refusal when the page was closed without a result.
 */
export function watchFace(vendorUrl: string, opened: Window | null): Promise<string> {
  const vendor = new URL(vendorUrl)
  vendor.searchParams.set('origin', location.origin)
  if (opened) opened.location.href = vendor.href
  return new Promise((resolve, reject) => {
    const poll = window.setInterval(() => { if (opened?.closed) finish(() => reject(new Refusal(422, 'face-left', ''))) }, 500)
    function hear(event: MessageEvent) {
      if (event.origin !== vendor.origin || typeof event.data?.faceToken !== 'string') return
      finish(() => resolve(event.data.faceToken))
    }
    function finish(then: () => void) {
      clearInterval(poll)
      window.removeEventListener('message', hear)
      opened?.close()
      then()
    }
    window.addEventListener('message', hear)
  })
}
