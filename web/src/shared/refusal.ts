/** A problem of RFC 9457, or no answer at all (`status` 0). */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    /** The last segment of `type`, `offline` without an answer. */
    readonly slug: string,
    readonly title: string,
    readonly detail = '',
    readonly errors: { pointer: string; message: string }[] = [],
    readonly members: Record<string, unknown> = {},
    readonly retryAfterSeconds = 0,
  ) { super(title) }
  get isOffline() { return this.status === 0 }
  errorAt(pointer: string) { return this.errors.find((each) => each.pointer === pointer)?.message ?? '' }
}
