/** Names of divisions by code, read once each; until then the code itself. */
import { reactive, watch } from 'vue'
import { api, ask } from './api'
import { prefs } from './prefs'

const names = reactive(new Map<string, string>())
watch(() => prefs.language, () => names.clear())

export function divisionName(code: string): string {
  const known = names.get(code)
  if (known !== undefined) return known
  names.set(code, code)
  void ask(() => api.GET('/api/v1/divisions/{code}', { params: { path: { code } } }))
    // The province goes without saying.
    .then(({ path }) => names.set(code, path.slice(Math.min(1, path.length - 1)).map((each) => each.name).join(prefs.language === 'en' ? ', ' : '')))
    .catch(() => names.delete(code))
  return code
}
