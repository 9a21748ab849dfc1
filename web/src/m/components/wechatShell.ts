/**
 * Inside the WeChat shell (web/mp): its native scan, asked for without WeChat's script, which lies on another host.
 * The bridge that the script itself uses is there in every web-view of a mini program.
 */
interface Bridge { invoke(name: string, told: object): void }
declare global { interface Window { WeixinJSBridge?: Bridge; __wxjs_environment?: string } }

export const isShell = () => window.__wxjs_environment === 'miniprogram'

/** Ask the shell to scan; null outside it. What it read comes by `onNativeScan`. */
export const nativeScan = isShell()
  ? () => window.WeixinJSBridge?.invoke('invokeMiniProgramAPI', { name: 'navigateTo', arg: { url: '/pages/scan/scan' } })
  : null

/** The shell hands a text behind the `#` of the address, which no server sees; it is taken away at once. */
export function take(name: string): string | null {
  if (!isShell()) return null
  const said = new URLSearchParams(location.hash.slice(1)).get(name)
  if (said !== null) history.replaceState(history.state, '', location.pathname + location.search)
  return said
}

/** Of whoever uses WeChat here: taken when this module is loaded, before the router remembers the address. */
export const ticket = take('ticket')

export function onNativeScan(hear: (text: string) => void): () => void {
  const look = () => { const text = take('scan'); if (text) hear(text) }
  addEventListener('hashchange', look)
  look()
  return () => removeEventListener('hashchange', look)
}
