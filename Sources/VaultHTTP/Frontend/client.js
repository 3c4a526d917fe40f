/**
 * A browser's side of the vault: log in at a platform, come back with a session, get a fresh access token.
 *
 * No dependency and no build step. Copy it with errors.js and tabs.js, or import it from the vault itself:
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
 * The session is kept in memory and in sessionStorage, and shared with the other tabs of this origin: it lives as
 * long as the last of them, and is renewed before it ends. Access tokens are kept nowhere; ask for one when you need
 * it, the vault answers at once from its store and refreshes when it must. What passes by itself (503 with
 * `Retry-After`) is tried again, for a while.
 *
 * Events: `session` (it came, was renewed or ended: see {@link VaultClient#isLoggedIn}), `changed` (another tab
 * connected or disconnected something), `waiting` (`detail`: `platform`, `code`, `seconds` until it is tried again).
 *
 * The vault must know this page's origin (`frontend.url` or `frontend.origins`), and the two must be the same
 * site: a browser takes the login's cookie from no other.
 */
import { VaultError, problem } from "./errors.js";
import { Tabs } from "./tabs.js";

export { VaultError };

/**
 * @typedef {{name: string, displayName: string, available: boolean, reason?: string}} Platform
 * @typedef {{platform: string, displayName: string, account: string, scope: string,
 *   health: "healthy" | "expiring" | "reconnect" | "uncertain" | "operator", reason?: string,
 *   connectedAt: string, expiresAt?: string, grantEndsAt?: string}} Connection
 * @typedef {{user: string, expiresAt: string, connections: Connection[]}} Session
 * @typedef {{accessToken: string, tokenType: string, expiresAt?: string, scope: string, clientToken?: string}} Token
 */

export class VaultClient extends EventTarget {
  #base;
  #cookie;
  #storage;
  #navigate;
  #renews;
  #patience;
  #tabs;
  #timer;
  /** Requests under way that a second caller can wait for. */
  #flights = new Map();

  /**
   * @param {{baseURL?: string, delivery?: "fragment" | "code" | "cookie", storage?: Storage | null,
   *   shares?: boolean, renews?: boolean, patience?: number, navigate?: (url: string) => void}} [options]
   *   `baseURL`: where the vault is; default: this page's own origin.
   *   `delivery`: the vault's setting `session.delivery`; default: `fragment`, and `code` is found out by itself.
   *   `storage`: where the session survives a reload; default: `sessionStorage`; `null` keeps it in memory only.
   *   Without one, as where the browser refuses it, a session in the address bar is refused: see {@link handleReturn}.
   *   `shares`: whether the tabs of this origin have one session; default: true.
   *   `renews`: whether the session is renewed while a page is open; default: true.
   *   `patience`: for how many seconds what passes by itself is tried again; default: 20; 0 for never.
   *   `navigate`: how the browser is sent to the platform; default: `location.assign`.
   */
  constructor({ baseURL = "", delivery = "fragment", storage, shares = true, renews = true, patience = 20, navigate } = {}) {
    super();
    this.#cookie = delivery === "cookie";
    this.#base = baseURL.replace(/\/+$/, "");
    this.#storage = storage === undefined ? usableSessionStorage() : storage;
    this.#navigate = navigate ?? ((url) => location.assign(url));
    this.#renews = renews;
    this.#patience = patience;
    this.#tabs = new Tabs({
      name: `vault ${this.#base}`,
      storage: this.#cookie ? null : this.#storage,
      shares,
      session: this.#cookie ? { value: IN_COOKIE } : undefined,
      told: (news) => this.#heard(news),
    });
    this.#schedule();
    // A device that slept kept no time.
    globalThis.document?.addEventListener("visibilitychange", () => this.#schedule());
    globalThis.addEventListener?.("pageshow", () => this.#schedule());
  }

  /** Whether there is a session; the vault may still find that it ended. */
  get isLoggedIn() {
    return this.#tabs.session !== null;
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
   *
   * A platform that gives its token to the page itself (Apple Music) does not leave the page: `authorize` gets
   * the client token and returns the user's token, by the platform's own script.
   * @param {string} platform
   * @param {{returnTo?: string, scopes?: string[], authorize?: (clientToken?: string) => Promise<string>}} [options]
   *   `returnTo` must be one the vault allows.
   * @returns {Promise<{platform: string} | undefined>} only where the page was not left: who is connected now
   */
  async login(platform, { returnTo, scopes, authorize } = {}) {
    // The answer sets the cookie that binds this login to this browser: it must be kept across origins too.
    const start = await this.#send("POST", `/auth/${encodeURIComponent(platform)}/login`, {
      body: { returnTo, scopes },
      credentials: "include",
      sessionIsOptional: true,
    });
    if (start.authorizationUrl === undefined) return this.#handIn(platform, start, authorize);
    this.#storage?.setItem(KEY_PENDING, platform);
    this.#navigate(start.authorizationUrl);
  }

  /** The state works once, and only with the cookie that this browser got with it. */
  async #handIn(platform, { state, clientToken }, authorize) {
    if (authorize === undefined) {
      const hint = "pass authorize to login(): it returns the token that the platform's script gives to this page";
      throw new VaultError("needs-authorize", "this platform gives its token to the page itself", { hint, platform });
    }
    const token = await authorize(clientToken);
    const body = { state, token };
    const path = `/auth/${encodeURIComponent(platform)}/browser-token`;
    this.#keep(await this.#send("POST", path, { body, credentials: "include" }));
    return { platform };
  }

  /**
   * Takes what a login brought back from the address bar, and cleans the address bar at once.
   *
   * A session that this tab did not ask for is refused: a link somebody sends could carry their session,
   * and what you connect next would be theirs. A tab without storage does not know what it asked for before it left
   * the page: it takes a code, which works only in the browser that logged in, and no session.
   * @returns {Promise<{platform: string, error?: VaultError} | null>} null when this is no return from a login
   */
  async handleReturn() {
    await this.#tabs.ready;
    const found = new URLSearchParams(location.hash.slice(1));
    const platform = found.get("platform");
    if (platform === null || !["session", "code", "error"].some((name) => found.has(name)) && !this.#cookie) return null;
    history.replaceState(history.state, "", location.pathname + location.search);
    const knows = this.#storage !== null;
    const asked = knows ? this.#storage.getItem(KEY_PENDING) !== null : !found.has("session");
    this.#storage?.removeItem(KEY_PENDING);
    const failed = (code, message, hint) => ({ platform, error: new VaultError(code, message, { hint, platform }) });

    if (found.has("error")) return failed(found.get("error"), "the login did not finish");
    if (!asked) {
      const hint = knows ? "start the login again from this page"
        : "this browser keeps nothing for this page: the vault has to deliver by code or cookie (session.delivery)";
      return failed("unexpected-session", "a session came that this tab did not ask for", hint);
    }
    if (found.has("code")) {
      try {
        const body = { code: found.get("code") };
        this.#keep(await this.#send("POST", "/auth/session/code", { body, credentials: "include" }));
      } catch (error) {
        return { platform, error };
      }
    } else {
      this.#keep({ session: found.get("session") });
    }
    this.#tabs.changed();
    return { platform };
  }

  /**
   * Who am I, and what is connected.
   * @returns {Promise<Session>}
   */
  async session() {
    const session = await this.#send("GET", "/auth/session", { repeats: true });
    const kept = this.#tabs.session;
    // A cookie does not say when it ends; this answer does.
    if (kept && !kept.endsAt) {
      this.#tabs.keep({ ...kept, endsAt: Date.parse(session.expiresAt), since: Date.now() });
      this.#schedule();
    }
    return session;
  }

  /**
   * A usable access token: the one there is, refreshed only when it is about to expire.
   * @param {string} platform
   * @returns {Promise<Token>}
   */
  token(platform) {
    return this.#once(`token ${platform}`, () =>
      this.#send("GET", `/auth/${encodeURIComponent(platform)}/token`, { repeats: true, platform }));
  }

  /**
   * A new access token, whatever is left of the old one. Rarely needed: {@link token} refreshes in time.
   * @param {string} platform
   * @returns {Promise<Token>}
   */
  refresh(platform) {
    return this.#once(`refresh ${platform}`, async () => {
      const path = `/auth/${encodeURIComponent(platform)}/refresh`;
      const token = await this.#send("POST", path, { repeats: true, platform });
      this.#tabs.changed();
      return token;
    });
  }

  /**
   * Ends the connection here, always, and at the platform, where that can be done.
   * @param {string} platform
   * @returns {Promise<{deleted: boolean, revoked: "yes" | "no" | "unsupported" | "pending"}>}
   */
  async disconnect(platform) {
    const end = await this.#send("DELETE", `/auth/${encodeURIComponent(platform)}`);
    this.#tabs.changed();
    return end;
  }

  /**
   * A new session for the same user; the old one ends. It is done by itself before the session ends.
   * @returns {Promise<{expiresAt: string}>}
   */
  renew() {
    return this.#once("renew", async () => {
      const next = await this.#send("POST", RENEWAL);
      this.#keep(next);
      return { expiresAt: next.expiresAt };
    });
  }

  /** Ends the session, in every tab. The connections stay. Afterwards there is none here, whatever the vault answered. */
  async logout() {
    if (!this.isLoggedIn) return;
    try {
      await this.#send("DELETE", "/auth/session");
    } catch (error) {
      if (error.code !== "unauthorized") throw error;
    } finally {
      this.#keep(null);
    }
  }

  // ---- The session ----

  /** @param {{session?: string | null, expiresAt?: string} | null} issued as the vault answers it */
  #keep(issued) {
    const value = this.#cookie ? IN_COOKIE : issued?.session;
    const { sub, exp } = claims(value);
    const endsAt = issued?.expiresAt ? Date.parse(issued.expiresAt) : exp && exp * 1000;
    this.#tabs.keep(issued && value ? { value, user: sub, endsAt, since: Date.now() } : null);
    this.#announce();
  }

  #heard(news) {
    if (news === "changed") this.dispatchEvent(new Event("changed"));
    else this.#announce();
  }

  #announce() {
    this.#schedule();
    this.dispatchEvent(new Event("session"));
  }

  /** Renews when four fifths of the session are over. */
  #schedule() {
    clearTimeout(this.#timer);
    const { endsAt, since } = this.#tabs.session ?? {};
    if (!this.#renews || !endsAt || !since) return;
    // By this browser's own clock, which may be wrong, but is as wrong at the end as at the beginning.
    const due = since + Math.max((endsAt - since) * 0.8, SOONEST);
    this.#timer = setTimeout(() => this.#renewInTime(due), Math.min(Math.max(due - Date.now(), 0), LONGEST));
  }

  async #renewInTime(due) {
    const before = this.#tabs.session;
    if (before === null || Date.now() < due) return this.#schedule();
    try {
      await this.#tabs.alone(async () => {
        // Another tab may have been first, and its news come later than its lock: an answer comes after both.
        await this.#tabs.another(before.value);
        if (this.#tabs.session === before) await this.renew();
      });
    } catch {
      // Ended, and everybody knows; or not now, and then once more.
      if (this.isLoggedIn) this.#timer = setTimeout(() => this.#renewInTime(due), SOONEST);
    }
  }

  // ---- Requests ----

  /** Two who ask for the same at the same time get the same. */
  #once(key, work) {
    const there = this.#flights.get(key);
    if (there) return there;
    const flight = work().finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  /** Sends, and sends again what passes by itself, when it `repeats` without doing harm. */
  async #send(method, path, { repeats = false, platform, ...request } = {}) {
    for (let left = this.#patience; ; ) {
      try {
        return await this.#ask(method, path, request);
      } catch (error) {
        const seconds = error.retryAfter;
        if (!repeats || error.status !== 503 || !seconds || seconds > left) throw error;
        left -= seconds;
        this.dispatchEvent(new CustomEvent("waiting", { detail: { platform, code: error.code, seconds } }));
        await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      }
    }
  }

  /** `tried`: how much was tried already against a session that is called over. */
  async #ask(method, path, { body, credentials = "same-origin", sessionIsOptional = false, tried = 0 } = {}) {
    const headers = { Accept: "application/json, application/problem+json" };
    const sent = this.#tabs.session?.value ?? null;
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
    if (error.code !== "unauthorized" || sent === null) throw error;
    const again = (tried) => this.#ask(method, path, { body, credentials, sessionIsOptional, tried });
    const now = await this.#tabs.another(sent);
    if (now !== sent && now !== undefined) return again(0);
    if (now === sent) {
      // All cookies look the same from here: another tab may have renewed it while this request was on its way.
      if (this.#cookie && tried === 0 && path !== RENEWAL) return again(1);
      // The answer to a renewal may have been lost: for a moment the vault gives it again.
      if (path !== RENEWAL && tried < 2 && await this.#isRenewed(error)) return again(2);
      // A session that ended is worth nothing.
      this.#keep(null);
    }
    if (sessionIsOptional && !this.#cookie) return again(2);
    throw error;
  }

  /** Whether the session that `refusal` calls over could be renewed. */
  async #isRenewed(refusal) {
    try {
      await this.renew();
      return true;
    } catch (error) {
      // Whether it is over nobody said: it is kept.
      if (error.code !== refusal.code) throw error;
      return false;
    }
  }
}

/**
 * Opens a platform's own window and takes the token that it posts back: an `authorize` for platforms whose window
 * answers with `{token}` or `{error}`. Call it from a click, or the browser blocks the window.
 * @param {string} url where the window goes
 * @returns {Promise<string>}
 */
export function tokenFromWindow(url) {
  const { origin } = new URL(url);
  const opened = open(url, "_blank", "popup,width=480,height=720");
  if (opened === null) {
    throw new VaultError("window-blocked", "the browser blocked the window", { hint: "allow it, then click again" });
  }
  return new Promise((resolve, reject) => {
    const end = (settle, value) => {
      removeEventListener("message", hear);
      clearInterval(watch);
      settle(value);
    };
    // Anybody can post a message here: only this window's, and only from where it was opened (RFC 9700 §4.17.2).
    const hear = ({ origin: sender, source, data }) => {
      if (sender !== origin || source !== opened) return;
      if (typeof data?.token === "string" && data.token !== "") end(resolve, data.token);
      else end(reject, new VaultError(data?.error ?? "access_denied", "the platform gave no token"));
    };
    const watch = setInterval(() => {
      if (opened.closed) end(reject, new VaultError("access_denied", "the window was closed"));
    }, 500);
    addEventListener("message", hear);
  });
}

const KEY_PENDING = "vault.login";
const RENEWAL = "/auth/session/refresh";
const IN_COOKIE = "cookie";
/** No renewal comes sooner after another, in ms; and no timer of a browser is longer. */
const SOONEST = 5_000;
const LONGEST = 86_400_000;

/** What a JWT says of itself, nothing for what is none. Read to know when to renew, never to trust. */
function claims(value) {
  try {
    return JSON.parse(atob(value.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
  } catch {
    return {};
  }
}

/** Some browsers refuse sessionStorage by throwing. */
function usableSessionStorage() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}
