import '@/shared/ui/tokens.css'
import { createApp } from 'vue'
import { i18n, useLanguage } from '@/shared/i18n'
import { prefs } from '@/shared/prefs'
import { restore } from '@/shared/session'
import App from './App.vue'
import { router } from './router'

if ('serviceWorker' in navigator) void navigator.serviceWorker.register('/m/worker.js', { scope: '/m/' }).catch(() => undefined)
void Promise.all([useLanguage(prefs.language), restore()]).then(() => createApp(App).use(i18n).use(router).mount('#app'))
