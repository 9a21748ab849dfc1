/**
 * Capsules that this phone keeps, each with a key of its own that never leaves the browser.
 * What is stored is no use elsewhere: the key cannot be exported, and a capsule without its key is no code.
 */
import { api, ask, clock } from '@/shared/api'
import { askStepped } from '@/shared/identity'
import { session } from '@/shared/session'
import { bindingProof, deviceCode, fromBase64url } from './deviceCode'

export type Kind = 'identity' | 'certificate' | 'health'
export interface Capsule {
  /** What it shows: `identity`, `health` or the id of a certificate. */
  card: string
  kind: Kind
  title: string
  id: string
  capsule: Uint8Array<ArrayBuffer>
  key: CryptoKey
  expiresAt: string
}

const NAME = 'haiyiban'
const STORE = 'capsules'

function opened(): Promise<IDBDatabase> {
  return new Promise((done, failed) => {
    const request = indexedDB.open(NAME, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'card' })
    request.onsuccess = () => done(request.result)
    request.onerror = () => failed(request.error)
  })
}

async function run<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await opened()
  try {
    return await new Promise<T>((done, failed) => {
      const request = work(database.transaction(STORE, mode).objectStore(STORE))
      request.onsuccess = () => done(request.result)
      request.onerror = () => failed(request.error)
    })
  } finally { database.close() }
}

/** Those that still live; of a browser without a store there are none. */
export async function kept(): Promise<Capsule[]> {
  const all = await run<Capsule[]>('readonly', (store) => store.getAll()).catch(() => [])
  return all.filter((each) => Date.parse(each.expiresAt) > clock.now())
}

/** A fresh key and a capsule for it, kept on this phone until its hours are over. */
export async function bind(card: string, kind: Kind, title: string, subjectId?: string): Promise<Capsule> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  const { nonce } = await askStepped(() => api.POST('/api/v1/codes/nonces'))
  const deviceProof = await bindingProof(pair.privateKey, session.me!.accountId, fromBase64url(nonce))
  const made = await ask(() => api.POST('/api/v1/codes', { body: { kind, subjectId, deviceKey: { kty, crv, x, y }, deviceProof } }))
  if (!('capsule' in made)) throw new Error('a code and no capsule')
  const capsule: Capsule = { card, kind, title, id: made.id, capsule: fromBase64url(made.capsule), key: pair.privateKey, expiresAt: made.expiresAt }
  await run('readwrite', (store) => store.put(capsule))
  return capsule
}

export const drop = (card: string) => run('readwrite', (store) => store.delete(card))

/** Nothing of the one who leaves stays for the next. */
export const dropAll = () => run('readwrite', (store) => store.clear()).catch(() => undefined)

/** The text to draw now; asks nobody. */
export const shownBy = (capsule: Capsule) => deviceCode(capsule.capsule, capsule.key, Math.floor(clock.now() / 1000))
