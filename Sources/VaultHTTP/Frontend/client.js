/**
 * A browser's side of the vault: log in at a platform, come back with a session, get a fresh access token.
 *
 * No dependency and no build step. Copy the file, or import it from the vault itself:
 *
 *     import { VaultClient, VaultError } from "https://api.example.com/client.js";
 *
 *     const vault = new VaultClient({ baseURL: "https://api.example.com" });
 *     const back = await vault.handleReturn();         // on every page load, before anything else
 *     if (back?.error) show(back.error.message, back.error.hint);
 *     button.onclick = () => vault.login("spotify");   // leaves the page
 *     const { accessToken } = await vault.token("spotify");
 *     await fetch("https://api.spotify.com/v1/me", { headers: { Authorization: `Bearer ${accessToken}` } });
 *
 * The session is kept in memory and in sessionStorage: it lives as long as the tab. Access tokens are kept
 * nowhere; ask for one when you need it, the vault answers at once from its store and refreshes when it must.
 *
 * The vault must know this page's origin (`frontend.url` or `allowed-origins`), and the two must be the same
 * site: a browser takes the login's cookie from no other.
 */

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

/**
 * @typedef {{name: string, displayName: string, available: boolean, reason?: string}} Platform
 * @typedef {{platform: string, displayName: string, account: string, scope: string,
 *   health: "healthy" | "reconnect" | "uncertain" | "operator", reason?: string,
 *   connectedAt: string, expiresAt?: string, grantEndsAt?: string}} Connection
 * @typedef {{user: string, expiresAt: string, connections: Connection[]}} Session
 * @typedef {{accessToken: string, tokenType: string, expiresAt?: string, scope: string}} Token
 */

export class VaultClient {
  #base;
  #cookie;
  #storage;
  #navigate;
  /** The JWT; where the session is a cookie, which no script can read, only that there may be one. */
  #session = null;

  /**
   * @param {{baseURL?: string, delivery?: "fragment" | "code" | "cookie", storage?: Storage | null,
   *   navigate?: (url: string) => void}} [options]
   *   `baseURL`: where the vault is; default: this page's own origin.
   *   `delivery`: the vault's setting `session.delivery`; default: `fragment`, and `code` is found out by itself.
   *   `storage`: where the session survives a reload; default: `sessionStorage`; `null` keeps it in memory only.
   *   `navigate`: how the browser is sent to the platform; default: `location.assign`.
   */
  constructor({ baseURL = "", delivery = "fragment", storage, navigate } = {}) {
    this.#cookie = delivery === "cookie";
    this.#base = baseURL.replace(/\/+$/, "");
    this.#storage = storage === undefined ? usableSessionStorage() : storage;
    this.#navigate = navigate ?? ((url) => location.assign(url));
    this.#session = this.#cookie ? IN_COOKIE : (this.#storage?.getItem(KEY_SESSION) ?? null);
  }

  /** Whether there is a session; the vault may still find that it ended. */
  get isLoggedIn() {
    return this.#session !== null;
  }

  /**
   * The platforms one can log in at.
   * @returns {Promise<Platform[]>}
   */
  async platforms() {
    return (await this.#send("GET", "/auth/platforms")).platforms;
  }

  /**
   * Leaves the page for the platform's consent. With a session, the platform is linked to its user; without
   * one, the vault finds the user this account belongs to, or makes one.
   * @param {string} platform
   * @param {{returnTo?: string, scopes?: string[]}} [options] `returnTo` must be one the vault allows.
   */
  async login(platform, { returnTo, scopes } = {}) {
    // The answer sets the cookie that binds this login to this browser: it must be kept across origins too.
    const start = await this.#send("POST", `/auth/${encodeURIComponent(platform)}/login`, {
      body: { returnTo, scopes },
      credentials: "include",
      sessionIsOptional: true,
    });
    this.#storage?.setItem(KEY_PENDING, platform);
    this.#navigate(start.authorizationUrl);
  }

  /**
   * Takes what a login brought back from the address bar, and cleans the address bar at once.
   *
   * A session that this tab did not ask for is refused: a link somebody sends could carry their session,
   * and what you connect next would be theirs.
   * @returns {Promise<{platform: string, error?: VaultError} | null>} null when this is no return from a login
   */
  async handleReturn() {
    const found = new URLSearchParams(location.hash.slice(1));
    const platform = found.get("platform");
    if (platform === null || !["session", "code", "error"].some((name) => found.has(name)) && !this.#cookie) return null;
    history.replaceState(history.state, "", location.pathname + location.search);
    const asked = this.#storage === null || this.#storage.getItem(KEY_PENDING) !== null;
    this.#storage?.removeItem(KEY_PENDING);
    const failed = (code, message, hint) => ({ platform, error: new VaultError(code, message, { hint, platform }) });

    if (found.has("error")) return failed(found.get("error"), "the login did not finish");
    if (!asked) {
      const hint = "start the login again from this page";
      return failed("unexpected-session", "a session came that this tab did not ask for", hint);
    }
    if (found.has("code")) {
      try {
        const body = { code: found.get("code") };
        this.#keep((await this.#send("POST", "/auth/session/code", { body, credentials: "include" })).session);
      } catch (error) {
        return { platform, error };
      }
    } else {
      this.#keep(this.#cookie ? IN_COOKIE : found.get("session"));
    }
    return { platform };
  }

  /**
   * Who am I, and what is connected.
   * @returns {Promise<Session>}
   */
  async session() {
    return this.#send("GET", "/auth/session");
  }

  /**
   * A usable access token: the one there is, refreshed only when it is about to expire.
   * @param {string} platform
   * @returns {Promise<Token>}
   */
  async token(platform) {
    return this.#send("GET", `/auth/${encodeURIComponent(platform)}/token`);
  }

  /**
   * A new access token, whatever is left of the old one. Rarely needed: {@link token} refreshes in time.
   * @param {string} platform
   * @returns {Promise<Token>}
   */
  async refresh(platform) {
    return this.#send("POST", `/auth/${encodeURIComponent(platform)}/refresh`);
  }

  /**
   * Ends the connection here, always, and at the platform, where that can be done.
   * @param {string} platform
   * @returns {Promise<{deleted: boolean, revoked: "yes" | "no" | "unsupported" | "pending"}>}
   */
  async disconnect(platform) {
    return this.#send("DELETE", `/auth/${encodeURIComponent(platform)}`);
  }

  /**
   * A new session for the same user; the old one ends.
   * @returns {Promise<{expiresAt: string}>}
   */
  async renew() {
    const { session, expiresAt } = await this.#send("POST", "/auth/session/refresh");
    this.#keep(session ?? IN_COOKIE);
    return { expiresAt };
  }

  /** Ends the session. The connections stay. Afterwards there is no session here, whatever the vault answered. */
  async logout() {
    if (this.#session === null) return;
    try {
      await this.#send("DELETE", "/auth/session");
    } catch (error) {
      if (error.code !== "unauthorized") throw error;
    } finally {
      this.#keep(null);
    }
  }

  #keep(session) {
    this.#session = session;
    if (this.#cookie) return;
    if (session === null) this.#storage?.removeItem(KEY_SESSION);
    else this.#storage?.setItem(KEY_SESSION, session);
  }

  async #send(method, path, { body, credentials = "same-origin", sessionIsOptional = false } = {}) {
    const headers = { Accept: "application/json, application/problem+json" };
    const sent = this.#session;
    if (this.#cookie) {
      credentials = "include";
      // No page of another origin can send this header unless the vault allows it: the defence against CSRF.
      if (method !== "GET") headers["X-Vault-CSRF"] = "1";
    } else if (sent !== null) {
      headers.Authorization = `Bearer ${sent}`;
    }
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let response;
    try {
      response = await fetch(this.#base + path, {
        method,
        headers,
        credentials,
        cache: "no-store",
        redirect: "error",
        referrerPolicy: "no-referrer",
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    } catch {
      throw new VaultError("offline", "the vault does not answer", { hint: "check the connection and try again" });
    }
    if (response.ok) return response.status === 204 ? undefined : response.json();
    const error = await problem(response);
    // A session that ended is worth nothing: forget it, unless another one came in the meantime.
    if (error.code === "unauthorized" && sent !== null && this.#session === sent) {
      this.#keep(null);
      if (sessionIsOptional && !this.#cookie) return this.#send(method, path, { body, credentials });
    }
    throw error;
  }
}

const KEY_SESSION = "vault.session";
const KEY_PENDING = "vault.login";
const IN_COOKIE = "cookie";

/** Reads problem+json; anything else (a proxy's page, nothing at all) becomes an error by its status. */
async function problem(response) {
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

/** Some browsers refuse sessionStorage by throwing. */
function usableSessionStorage() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}
