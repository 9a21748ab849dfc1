/**
 * What a browser that is a terminal keeps: its key, which cannot be exported, the lists it holds, what waits to be
 * uploaded, and the log of the shift. Nothing of the people whose codes were read but the codes themselves, which are
 * signed, over, and deleted once they are uploaded.
 */
export interface Enrolled {
  terminalId: string
  clientId: string
  /** The client secret, sealed by `lock`: what lies on the disk is no use in another browser. */
  secret: ArrayBuffer
  iv: Uint8Array<ArrayBuffer>
  lock: CryptoKey
  key: CryptoKey
  /** The root by which lists are checked, pinned when the terminal was enrolled. */
  root: JsonWebKey
  nextSequence: number
  /** What it verifies for, as it was last chosen here. */
  purpose?: string
  /** A signed batch without its answer: it is sent again word for word. */
  pending?: { body: string; places: number[] }
}
export interface Lists { trustList: string; denyList: string; statusLists: string[]; seen: { trustList: number; denyList: number } }
/** `place`: where it stands in the queue, which is uploaded in the order of the scans. */
export interface Scan { place?: number; id: string; text: string; verifiedAt: string; outcome: string; purpose?: string }
/** `colour`: of a good health code. Nothing says whose it was. */
export interface Logged { id?: number; at: string; outcome: string; offline: boolean; colour?: string; payFen?: number }

const STORES = { self: undefined, queue: { keyPath: 'place', autoIncrement: true }, log: { keyPath: 'id', autoIncrement: true } } as const
type Store = keyof typeof STORES

function opened(): Promise<IDBDatabase> {
  return new Promise((done, failed) => {
    const request = indexedDB.open('haiyiban-terminal', 1)
    request.onupgradeneeded = () => {
      for (const [name, how] of Object.entries(STORES)) request.result.createObjectStore(name, how as IDBObjectStoreParameters)
    }
    request.onsuccess = () => done(request.result)
    request.onerror = () => failed(request.error)
  })
}

async function run<T>(store: Store, mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await opened()
  try {
    return await new Promise<T>((done, failed) => {
      // Strict: what a gate accepted must survive that its battery dies now.
      const transaction = database.transaction(store, mode, { durability: 'strict' })
      const request = work(transaction.objectStore(store))
      if (mode === 'readonly') request.onsuccess = () => done(request.result)
      else transaction.oncomplete = () => done(request.result)
      request.onerror = transaction.onerror = transaction.onabort = () => failed(request.error)
    })
  } finally { database.close() }
}

/** Undefined where this browser is no terminal, or keeps nothing. */
export const enrolled = () => run<Enrolled | undefined>('self', 'readonly', (store) => store.get('terminal')).catch(() => undefined)
export const keepEnrolled = (self: Enrolled) => run('self', 'readwrite', (store) => store.put(self, 'terminal'))
export const lists = () => run<Lists | undefined>('self', 'readonly', (store) => store.get('lists')).catch(() => undefined)
export const keepLists = (kept: Lists) => run('self', 'readwrite', (store) => store.put(kept, 'lists'))

export const queued = () => run<Scan[]>('queue', 'readonly', (store) => store.getAll())
export const queueLength = () => run<number>('queue', 'readonly', (store) => store.count()).catch(() => 0)
export const enqueue = (scan: Scan) => run('queue', 'readwrite', (store) => store.add(scan))
export const unqueue = (places: number[]) => run('queue', 'readwrite', (store) => store.delete(IDBKeyRange.bound(Math.min(...places), Math.max(...places))))

/** The log of the shift that runs; of a browser without a store there is none. */
export const logged = () => run<Logged[]>('log', 'readonly', (store) => store.getAll()).catch(() => [])
export const log = (entry: Logged) => run('log', 'readwrite', (store) => store.add(entry)).catch(() => undefined)
export const endShift = () => run('log', 'readwrite', (store) => store.clear()).catch(() => undefined)
