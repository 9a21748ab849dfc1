import '@/shared/ui/tokens.css'
// Before the router, which would keep the address as it came.
import { ticket } from './components/wechatShell'
import { createApp } from 'vue'
import { i18n, useLanguage } from '@/shared/i18n'
import { prefs } from '@/shared/prefs'
import { isSignedIn, restore, signInByTicket } from '@/shared/session'
import App from './App.vue'
import { router } from './router'

if ('serviceWorker' in navigator) void navigator.serviceWorker.register('/m/worker.js', { scope: '/m/' }).catch(() => undefined)
/** Who is here: whoever signed in before; in the WeChat shell else its user. */
async function begin() {
  await restore()
  if (ticket && !isSignedIn.value) await signInByTicket(ticket)
}
void Promise.all([useLanguage(prefs.language), begin()]).then(() => createApp(App).use(i18n).use(router).mount('#app'))
