/** Where the pages are: the address of your deployment, which must be listed with WeChat (README.md). */
export const SITE = 'https://haiyiban.example'

/** What the two pages of the shell tell each other. */
export interface Shell {
  /** What the native scan read, until the page has it. */
  scanned: string
}
