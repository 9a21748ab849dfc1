import '@/shared/ui/tokens.css'
import './desk.css'
import { createApp } from 'vue'
import { i18n, useLanguage } from '@/shared/i18n'
import { prefs } from '@/shared/prefs'
import App from './App.vue'
import { router } from './router'
import { restore } from './staff'

void Promise.all([useLanguage(prefs.language), restore()]).then(() => createApp(App).use(i18n).use(router).mount('#app'))
