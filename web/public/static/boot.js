// Before the first paint, so that theme and text size never flash. Not in the page: the CSP allows no inline script.
(function () {
  var root = document.documentElement, kept = {}
  try { kept = JSON.parse(localStorage.getItem('haiyiban.prefs') || '{}') } catch (_) { /* private mode */ }
  var dark = kept.theme === 'dark' || (kept.theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  root.dataset.theme = dark ? 'dark' : 'light'
  if (kept.elder) root.classList.add('elder')
  if (kept.language) root.lang = kept.language
})()
