import { type Shell } from './shell'

App<Shell>({ scanned: '' })
