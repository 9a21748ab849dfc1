/** The one thing that reading a text may throw. */
export class MalformedCode extends Error {
  override name = "MalformedCode";
}
