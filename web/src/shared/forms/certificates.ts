/** Where a form's fields of format `certificate` learn what may be chosen: whoever shows the form knows the case. */
import type { InjectionKey } from 'vue'
import type { Schemas } from '@/shared/api'

export type CertificateField = Schemas['CertificateField']
export interface CertificateSource {
  read: () => Promise<CertificateField[]>
  /** The page of the matter that issues a missing one, where the reader can apply for it. */
  matterAt?: (code: string) => string
}
export const CERTIFICATES: InjectionKey<CertificateSource> = Symbol('certificates of the case')

/** A chosen certificate in words, such as 社会保险参保证明（尾号 AB12）. */
export const certificateSaid = (each: Schemas['GivenCertificate'] | undefined, t: (key: string, values: Record<string, string>) => string) =>
  each ? t('pick.said', { name: each.typeName, ending: each.numberEnding }) : '…'
