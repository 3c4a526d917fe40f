/**
 * What the tabs of one origin share: one session, and the news of what changed.
 *
 * The session is in this tab's memory and storage; other tabs get it by message (BroadcastChannel), so that it is on
 * no disk and gone when the last tab is. Every page of this origin can listen: keep strangers off it.
 */
export class Tabs {
  #channel = null;
  #name;
  #storage;
  #told;
  #session;
  #found = () => {};
  /** Resolves when it is known whether another tab has a session for this one. */
  ready;

  /**
   * @param {{name: string, storage: Storage | null, shares: boolean, session?: string | null,
   *   told: (news: "session" | "ended" | "changed") => void}} options
   *   `name`: what tabs of the same vault have in common. `session`: what is there from the start.
   *   `told`: called when another tab brought something.
   */
  constructor({ name, storage, shares, session, told }) {
    this.#name = name;
    this.#storage = storage;
    this.#told = told;
    this.#session = session ?? read(storage);
    if (!shares || typeof BroadcastChannel === "undefined") {
      this.ready = Promise.resolve();
      return;
    }
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    this.ready = this.#session ? Promise.resolve() : this.#seek({ kind: "ask" });
  }

  /** `{ value, user, endsAt, since }`: what proves the session, its end, and when this browser first had it; or null. */
  get session() {
    return this.#session;
  }

  /** Takes a new session, or null for none, and tells the others. */
  keep(session) {
    const before = this.#session;
    this.#set(session);
    if (session) this.#channel?.postMessage({ kind: "session", session, replaces: before?.value ?? null });
    else if (before) this.#channel?.postMessage({ kind: "ended", value: before.value });
  }

  /** Tells the others that connections changed. */
  changed() {
    this.#channel?.postMessage({ kind: "changed" });
  }

  /** What proves the session once another tab had time to say that it replaced `value`; undefined when there is none. */
  async another(value) {
    const { user } = this.#session ?? {};
    if (this.#channel && this.#session?.value === value) await this.#seek({ kind: "ask", instead: value, user });
    return this.#session?.value;
  }

  /** Runs `work` in one tab at a time. */
  async alone(work) {
    // Without the lock the vault still gives two tabs that renew at once the same session.
    return globalThis.navigator?.locks ? navigator.locks.request(this.#name, work) : work();
  }

  /** Asks the others: they answer within a few milliseconds, or there are none. */
  #seek(question) {
    this.#channel.postMessage(question);
    return new Promise((resolve) => {
      this.#found = resolve;
      setTimeout(resolve, 150);
    });
  }

  #hear(news) {
    switch (news.kind) {
      case "ask": {
        const mine = this.#session;
        if (mine === null || mine.value === news.instead) break;
        if (news.instead !== undefined && mine.user !== news.user) break;
        this.#channel.postMessage({ kind: "session", session: mine, replaces: news.instead ?? null });
        break;
      }
      case "session":
        // Another user's session replaces nobody's; it is for tabs that have none, or the one before it.
        if (this.#session !== null && this.#session.value !== news.replaces) break;
        this.#set(news.session);
        this.#found();
        this.#told("session");
        break;
      case "ended":
        if (this.#session?.value !== news.value) break;
        this.#set(null);
        this.#told("ended");
        break;
      case "changed":
        this.#told("changed");
    }
  }

  #set(session) {
    this.#session = session;
    try {
      if (session === null) this.#storage?.removeItem(KEY);
      else this.#storage?.setItem(KEY, JSON.stringify(session));
    } catch {
      // Full or forbidden: it lives in memory then.
    }
  }
}

const KEY = "vault.session";

function read(storage) {
  try {
    const found = JSON.parse(storage?.getItem(KEY) ?? "null");
    return typeof found?.value === "string" ? found : null;
  } catch {
    return null;
  }
}
