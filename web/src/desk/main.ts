import '@/shared/ui/tokens.css'
import './desk.css'
import { createApp } from 'vue'
import { addWords, i18n, useLanguage } from '@/shared/i18n'
import { prefs } from '@/shared/prefs'
import App from './App.vue'
import { router } from './router'
import { restore } from './staff'
import zh from './words/zh-CN.json'

async function speak() {
  await addWords({ 'zh-CN': async () => zh, en: async () => (await import('./words/en.json')).default })
  await useLanguage(prefs.language)
}
void Promise.all([speak(), restore()]).then(() => createApp(App).use(i18n).use(router).mount('#app'))
