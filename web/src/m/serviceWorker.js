// Lets the phone page start without a network. The build puts the list of files where it says so.
const FILES = __FILES__
const CACHE = __CACHE__
// What reads codes, kept by browsers that are terminals (components/terminal.ts).
const TERMINAL = 'terminal'

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()))
})
self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches.keys()
      .then((names) => Promise.all(names.filter((name) => name !== CACHE && name !== TERMINAL).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  )
})
self.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== location.origin) return
  if (request.mode === 'navigate') event.respondWith(page(request))
  else if (pathname.startsWith('/assets/') || pathname.startsWith('/static/')) event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)))
  // Everything else, the API above all, is asked for each time and never kept.
})

/** From the network while it answers within three seconds, else as it was. */
async function page(request) {
  const kept = await caches.match('/m/')
  if (!kept) return fetch(request)
  try { return await fetch(request, { signal: AbortSignal.timeout(3000) }) } catch { return kept }
}
