// Builds each entry by itself into dist/, then compresses what compresses: the server sends it as it lies there.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants } from 'node:zlib'

const here = fileURLToPath(new URL('.', import.meta.url))
const dist = join(here, 'dist')
rmSync(dist, { recursive: true, force: true })
for (const entry of ['m', 'desk', 'hall']) {
  if (!existsSync(join(here, entry, 'index.html'))) continue
  const vite = join(here, 'node_modules/vite/bin/vite.js')
  const done = spawnSync(process.execPath, [vite, 'build', '--logLevel', 'warn'], {
    cwd: here, stdio: 'inherit', env: { ...process.env, ENTRY: entry },
  })
  if (done.status) process.exit(done.status)
}
for (const name of readdirSync(dist, { recursive: true })) {
  if (!/\.(html|js|css|svg|json|wasm)$/.test(name)) continue
  const content = readFileSync(join(dist, name))
  const small = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })
  if (small.length < content.length) writeFileSync(join(dist, `${name}.br`), small)
}
