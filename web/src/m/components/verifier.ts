/** A verifier at this phone: its token in memory for as long as the page is open. */
import { reactive } from 'vue'
import { api, ask, refusalOf, Refusal, type Schemas } from '@/shared/api'

export const verifier = reactive({ token: '', name: '', purpose: '', purposes: [] as Schemas['PurposeRead'][] })

export async function enter(clientId: string, clientSecret: string): Promise<void> {
  const tokens = await ask(() => api.POST('/api/v1/auth/verifiers/token', { body: { clientId, clientSecret } as never, headers: { Authorization: '' } })) as Schemas['VerifierToken']
  verifier.token = tokens.accessToken
  const { items } = await ask(() => api.GET('/api/v1/verification-purposes'))
  verifier.purposes = items.filter((each) => tokens.purposes.includes(each.purpose))
}

export async function verify(text: string, key: string): Promise<Schemas['VerificationRead']> {
  const answer = await api.POST('/api/v1/verifications', {
    body: { text, purpose: verifier.purpose }, headers: { Authorization: `Bearer ${verifier.token}`, 'Idempotency-Key': key },
  }).catch(() => { throw new Refusal(0, 'offline', '') })
  if (answer.data) return answer.data
  if (answer.response.status === 401) verifier.token = ''
  throw refusalOf(answer.error, answer.response)
}

/** Redeem a voucher for an order; the key makes a second tap the same redemption. */
export async function redeemed(body: Schemas['RedemptionCreate'], key: string): Promise<Schemas['RedemptionRead']> {
  const answer = await api.POST('/api/v1/zones/duty-free/redemptions', { body, headers: { Authorization: `Bearer ${verifier.token}`, 'Idempotency-Key': key } })
    .catch(() => { throw new Refusal(0, 'offline', '') })
  if (answer.data) return answer.data
  throw refusalOf(answer.error, answer.response)
}

/** Take a redemption back, the same day. */
export async function reversed(id: string): Promise<void> {
  const answer = await api.DELETE('/api/v1/zones/duty-free/redemptions/{redemption_id}', { params: { path: { redemption_id: id } }, headers: { Authorization: `Bearer ${verifier.token}` } })
    .catch(() => { throw new Refusal(0, 'offline', '') })
  if (!answer.response.ok) throw refusalOf(answer.error, answer.response)
}
