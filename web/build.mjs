// Builds each entry by itself into dist/, then compresses what compresses: the server sends it as it lies there.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants } from 'node:zlib'

const here = fileURLToPath(new URL('.', import.meta.url))
const dist = join(here, 'dist')
const filesOf = {}
rmSync(dist, { recursive: true, force: true })
for (const entry of ['m', 'desk', 'hall']) {
  const vite = join(here, 'node_modules/vite/bin/vite.js')
  const done = spawnSync(process.execPath, [vite, 'build', '--logLevel', 'warn'], {
    cwd: here, stdio: 'inherit', env: { ...process.env, ENTRY: entry },
  })
  if (done.status) process.exit(done.status)
  const all = readdirSync(join(dist, 'assets')).filter((name) => /\.(js|css)$/.test(name)).map((name) => `/assets/${name}`)
  filesOf[entry] = all.filter((name) => !Object.values(filesOf).flat().includes(name))
}
// What the phone keeps to start without a network: everything of its page but what only verifiers need.
const files = ['/m/', ...filesOf.m, '/static/boot.js', '/static/favicon.svg']
const version = createHash('sha256').update(files.join() + readFileSync(join(dist, 'm/index.html'))).digest('hex').slice(0, 16)
const worker = readFileSync(join(here, 'src/m/serviceWorker.js'), 'utf8')
writeFileSync(join(dist, 'm/worker.js'), worker.replace('__FILES__', JSON.stringify(files)).replace('__CACHE__', JSON.stringify(`m-${version}`)))

for (const name of readdirSync(dist, { recursive: true })) {
  if (!/\.(html|js|css|svg|json|wasm)$/.test(name)) continue
  const content = readFileSync(join(dist, name))
  const small = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })
  if (small.length < content.length) writeFileSync(join(dist, `${name}.br`), small)
}
