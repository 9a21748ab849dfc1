import './hall.css'
import { createApp } from 'vue'
import { addWords, i18n, useLanguage } from '@/shared/i18n'
import { prefs } from '@/shared/prefs'
import App from './App.vue'
import zh from './words/zh-CN.json'

async function speak() {
  await addWords({ 'zh-CN': async () => zh, en: async () => (await import('./words/en.json')).default })
  await useLanguage(prefs.language)
}
void speak().then(() => createApp(App).use(i18n).mount('#app'))
