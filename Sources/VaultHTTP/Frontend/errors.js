/** What went wrong, in the vault's words (problem+json, RFC 9457). */
export class VaultError extends Error {
  /**
   * @param {string} code stable name of the failure: `unauthorized`, `reconnect`, `rate-limited`, `offline` …
   * @param {string} message what happened, to what
   * @param {{hint?: string, status?: number, retryAfter?: number, platform?: string}} [more]
   */
  constructor(code, message, { hint, status, retryAfter, platform } = {}) {
    super(message);
    this.name = "VaultError";
    /** For programs; never changes its meaning. */
    this.code = code;
    /** What to do next, when there is something to do. */
    this.hint = hint;
    /** The HTTP status; undefined when there was no answer. */
    this.status = status;
    /** Seconds until it makes sense to try again. */
    this.retryAfter = retryAfter;
    /** The platform it is about, for a login that failed. */
    this.platform = platform;
  }
}

/** Reads problem+json; anything else (a proxy's page, nothing at all) becomes an error by its status. */
export async function problem(response) {
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  const retryAfter = Number.isNaN(seconds) ? undefined : seconds;
  let read = null;
  try {
    read = await response.json();
  } catch {
    // Not JSON: the status has to do.
  }
  const code = typeof read?.code === "string" ? read.code : response.status === 401 ? "unauthorized" : "unexpected";
  const message = read?.detail ?? read?.title ?? `the vault answered ${response.status}`;
  return new VaultError(code, message, { hint: read?.hint, status: response.status, retryAfter });
}
