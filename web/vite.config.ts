import { resolve } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

const ENTRIES = ['m', 'desk', 'hall']
const api = process.env.HAIYIBAN_API ?? 'http://127.0.0.1:8000'

/** In development /m/any/deep/link serves m/index.html, as the server does. */
const deepLinks: Plugin = {
  name: 'deep-links',
  configureServer(server) {
    server.middlewares.use((request, _response, next) => {
      const entry = ENTRIES.find((name) => request.url === `/${name}` || request.url?.startsWith(`/${name}/`))
      if (entry && !/\.\w+($|\?)/.test(request.url!)) request.url = `/${entry}/index.html`
      next()
    })
  },
}

/** One entry at a time (`ENTRY`): what only clerks need must not weigh on phones. */
export default defineConfig({
  plugins: [vue(), deepLinks],
  resolve: { alias: { '@': resolve(import.meta.dirname, 'src') } },
  define: { __VUE_OPTIONS_API__: false, __VUE_I18N_LEGACY_API__: false, __INTLIFY_PROD_DEVTOOLS__: false },
  build: {
    target: ['es2020', 'chrome79', 'safari14'],
    assetsInlineLimit: 0,
    emptyOutDir: false,
    copyPublicDir: (process.env.ENTRY ?? 'm') === 'm',
    rolldownOptions: { input: resolve(import.meta.dirname, process.env.ENTRY ?? 'm', 'index.html') },
  },
  server: { proxy: { '/api': api } },
})
