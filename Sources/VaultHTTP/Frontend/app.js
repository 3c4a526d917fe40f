// The demo page. Everything the vault does for a browser is in client.js; here is only what is seen.
// Data from outside goes into the page as text, never as markup.
import { VaultClient, VaultError } from "./client.js";

const vault = new VaultClient();
const state = { platforms: [], session: null, tokens: new Map() };
const $ = (id) => document.getElementById(id);

// ---- Words ----

const HEALTH = {
  healthy: { label: "Healthy" },
  reconnect: { label: "Connect again", why: "The platform no longer accepts this grant. Only you can renew it." },
  uncertain: { label: "Being checked", why: "The last refresh was cut off. The vault finds out once before it gives up." },
  operator: { label: "Needs the operator", why: "The platform refuses this application, not you. Nothing is lost." },
};

const REVOKED = {
  yes: (name) => `${name} revoked the grant, and the vault deleted its tokens.`,
  no: (name) => `The vault deleted its tokens, but ${name} did not confirm. Remove the application in your account there.`,
  unsupported: (name) => `The vault deleted its tokens. ${name} cannot be told; remove the application in your account there.`,
  pending: (name) => `The vault deleted its tokens and keeps trying to tell ${name}.`,
};

/** What an error means for the person in front of the page: what happened, and what to do. */
function explain(error, name) {
  const wait = error.retryAfter ? `Try again in ${spoken(error.retryAfter)}.` : "Try again in a moment.";
  const words = {
    access_denied: [`You said no at ${name}.`, "Nothing was connected. Connect again whenever you like."],
    "account-in-use": [`That ${name} account belongs to somebody else here.`, "Log in as that user, or use another account."],
    "other-account": [`You have another ${name} account connected.`, "Disconnect that one first."],
    "restart-login": ["The login could not be finished.", "Start it again with Connect."],
    "unexpected-session": ["A link tried to log you in as somebody.", "It was ignored. Start a login with Connect."],
    unauthorized: ["Your session has ended.", "Connect any platform you have connected before, and you are back."],
    forbidden: ["The vault refused this.", "Start again with Connect, in this browser."],
    reconnect: [`${name} no longer accepts this grant.`, "Connect again to renew it."],
    retry: [`${name} does not answer as it should right now.`, `Nothing is lost. ${wait}`],
    operator: [`${name} refuses this application, not you.`, "Nothing is lost. Whoever runs this vault has to look at it."],
    uncertain: [`It is not sure yet what became of the last refresh at ${name}.`, wait],
    "rate-limited": ["That was a little fast.", wait],
    "platform-unavailable": [`${name} is not available here right now.`, error.hint ?? "Whoever runs this vault can say more."],
    "no-connection": [`${name} is not connected.`, "Connect it first."],
    full: ["The vault has no room left.", "What you have still works. Whoever runs it has to make room."],
    offline: ["The vault does not answer.", "Check the connection, then try again."],
  }[error.code];
  return words ?? [sentence(error.message), error.hint ? sentence(error.hint) : ""];
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? "" : ".");

/** A time span as people say it: `2 d 3 h`, `1 h 05 min`, `4:59`. */
function lasting(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const two = (value) => String(value).padStart(2, "0");
  if (seconds >= 172800) return `${Math.floor(seconds / 86400)} days`;
  if (seconds >= 86400) return `1 day ${Math.floor((seconds - 86400) / 3600)} h`;
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
  return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
}

/** The same in a sentence, for a wait: `42 seconds`, `5 minutes`, `2 hours`. */
function spoken(seconds) {
  const [count, unit] = seconds < 120 ? [seconds, "second"]
    : seconds < 7200 ? [Math.ceil(seconds / 60), "minute"] : [Math.ceil(seconds / 3600), "hour"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

const date = (text) => new Date(text).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

// ---- The notice: one at a time, read out when it changes ----

function say(title, detail = "", { kind = "good", code } = {}) {
  const parts = [element("strong", title)];
  if (detail) parts.push(element("span", detail));
  if (code) parts.push(element("code", code));
  $("notice").dataset.kind = kind;
  $("notice").hidden = false;
  $("notice-text").replaceChildren(...parts);
}

function complain(error, platform) {
  if (!(error instanceof VaultError)) {
    // A mistake of this page: the console is the place for it, not the person.
    console.error(error);
    error = new VaultError("internal", "this page made a mistake", { hint: "reload it" });
  }
  const [title, detail] = explain(error, nameOf(platform ?? error.platform));
  say(title, detail, { kind: "bad", code: error.code });
}

function nameOf(platform) {
  const known = [...state.platforms, ...(state.session?.connections ?? [])];
  return known.find((one) => (one.name ?? one.platform) === platform)?.displayName ?? platform ?? "the platform";
}

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

// ---- Doing things: the button says that it works, and every failure is told ----

async function doing(button, work, platform) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (error) {
    complain(error, platform);
    if (!vault.isLoggedIn && state.session) loggedOut();
  } finally {
    button.removeAttribute("aria-busy");
  }
}

async function connect(platform, button) {
  await doing(button, () => vault.login(platform), platform);
}

async function fetchToken(platform, button, how) {
  await doing(button, async () => {
    const token = await (how === "refresh" ? vault.refresh(platform) : vault.token(platform));
    state.tokens.set(platform, { value: token.accessToken, shown: false });
    const connection = state.session?.connections.find((one) => one.platform === platform);
    if (connection) Object.assign(connection, { expiresAt: token.expiresAt, scope: token.scope, health: "healthy" });
    render();
    const left = token.expiresAt ? ` It is good for ${lasting(new Date(token.expiresAt) - Date.now())}.` : "";
    say(how === "refresh" ? "Refreshed." : "Here is the token.", `${nameOf(platform)} gave an access token.${left}`);
  }, platform);
  // A refresh that failed may have changed the connection's health.
  if ($("notice").dataset.kind === "bad" && state.session) await load().catch(() => {});
}

async function disconnect(platform, button) {
  const name = nameOf(platform);
  const sure = await confirmed(`Disconnect ${name}?`, `The vault deletes its ${name} tokens and asks ${name} to revoke them. `
    + "To use it again you would have to connect again.");
  if (!sure) return;
  await doing(button, async () => {
    const result = await vault.disconnect(platform);
    state.tokens.delete(platform);
    await load();
    say(`${name} is disconnected.`, (REVOKED[result.revoked] ?? REVOKED.no)(name));
    $("main").focus();
  }, platform);
}

/** Asks in a dialog; Escape and the backdrop mean no. The focus returns to where it was. */
function confirmed(title, text) {
  const dialog = $("confirm");
  $("confirm-title").textContent = title;
  $("confirm-text").textContent = text;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

// ---- What is seen ----

function render() {
  const session = state.session;
  const connections = session?.connections ?? [];
  $("account").hidden = !session;
  $("connected").hidden = !session;
  $("headline").textContent = session ? "Your connections" : "Connect your accounts";
  $("lead").hidden = Boolean(session);
  $("connected-title").classList.toggle("unseen", Boolean(session));
  $("platforms-title").textContent = connections.length ? "Add another" : "Platforms";
  list($("connections"), connections, (one) => one.platform, "connection-template", showConnection,
    "Nothing is connected yet. Pick a platform below.");
  const open = state.platforms.filter((one) => !connections.some((made) => made.platform === one.name));
  // Where everything is connected there is nothing to add.
  $("choice").hidden = open.length === 0 && state.platforms.length > 0;
  list($("platforms"), open, (one) => one.name, "platform-template", showPlatform,
    "No platform is set up yet. Add one to vault.conf.");
  tick();
}

/** Makes the list hold one item for each value, keeping items (and the focus in them) that stay. */
function list(parent, values, key, template, show, empty) {
  const old = new Map([...parent.children].map((item) => [item.dataset.key, item]));
  const items = values.map((value) => {
    const item = old.get(key(value)) ?? $(template).content.firstElementChild.cloneNode(true);
    item.dataset.key = key(value);
    show(item, value);
    return item;
  });
  const wanted = items.length ? items : [element("li", empty, "empty")];
  for (const item of [...parent.children]) if (!wanted.includes(item)) item.remove();
  wanted.forEach((item, index) => {
    if (parent.children[index] !== item) parent.insertBefore(item, parent.children[index] ?? null);
  });
}

function showPlatform(item, platform) {
  item.querySelector(".tile").textContent = platform.displayName.slice(0, 2);
  item.querySelector("h3").textContent = platform.displayName;
  item.querySelector(".sub").textContent =
    platform.available ? "Ready to connect" : `Not available: ${platform.reason ?? "the vault does not say why"}`;
  const button = item.querySelector("button");
  button.hidden = !platform.available;
  item.classList.toggle("off", !platform.available);
  button.setAttribute("aria-label", `Connect ${platform.displayName}`);
  button.onclick = () => connect(platform.name, button);
}

function showConnection(item, connection) {
  const { platform, displayName } = connection;
  const health = HEALTH[connection.health] ?? { label: connection.health };
  const find = (selector) => item.querySelector(selector);
  find(".tile").textContent = displayName.slice(0, 2);
  find("h3").textContent = displayName;
  find(".sub").textContent = connection.account;
  find(".health").textContent = health.label;
  item.dataset.health = connection.health;
  find(".reason").hidden = !health.why;
  find(".reason span").textContent = health.why ?? "";
  find(".reason code").textContent = connection.reason ?? "";
  find(".reason code").hidden = !connection.reason;

  find('[data-row="connected"] dd').textContent = date(connection.connectedAt);
  find('[data-row="grant"]').hidden = !connection.grantEndsAt;
  if (connection.grantEndsAt) find('[data-row="grant"] dd').textContent = date(connection.grantEndsAt);
  const scopes = (connection.scope ?? "").split(" ").filter(Boolean);
  find('[data-row="scope"]').hidden = scopes.length === 0;
  find(".scopes").replaceChildren(...scopes.map((scope) => element("code", scope)));
  item.dataset.expires = connection.expiresAt ?? "";

  const token = state.tokens.get(platform);
  find(".token").hidden = !token;
  if (token) showToken(item, displayName, token);

  const buttons = Object.fromEntries([...item.querySelectorAll("[data-do]")].map((one) => [one.dataset.do, one]));
  const dead = connection.health === "reconnect";
  find(".left").hidden = dead;
  buttons.token.textContent = dead ? "Connect again" : "Get token";
  buttons.refresh.hidden = dead;
  buttons.token.setAttribute("aria-label", dead ? `Connect ${displayName} again` : `Get a ${displayName} token`);
  buttons.refresh.setAttribute("aria-label", `Refresh the ${displayName} token`);
  buttons.disconnect.setAttribute("aria-label", `Disconnect ${displayName}`);
  buttons.token.onclick = () =>
    dead ? connect(platform, buttons.token) : fetchToken(platform, buttons.token, "token");
  buttons.refresh.onclick = () => fetchToken(platform, buttons.refresh, "refresh");
  buttons.disconnect.onclick = () => disconnect(platform, buttons.disconnect);
}

function showToken(item, displayName, token) {
  const field = item.querySelector(".token input");
  field.value = token.shown ? token.value : masked(token.value);
  item.querySelector(".token label span").textContent = `${displayName} access token`;
  const reveal = item.querySelector('[data-do="reveal"]');
  reveal.textContent = token.shown ? "Hide" : "Show";
  reveal.setAttribute("aria-pressed", String(token.shown));
  reveal.setAttribute("aria-label", `Show the ${displayName} token`);
  reveal.onclick = () => {
    token.shown = !token.shown;
    showToken(item, displayName, token);
  };
  const copy = item.querySelector('[data-do="copy"]');
  copy.setAttribute("aria-label", `Copy the ${displayName} token`);
  copy.onclick = async () => {
    try {
      await navigator.clipboard.writeText(token.value);
      say("Copied.", "The token is in the clipboard. Whoever has it can use it until it ends.");
    } catch {
      token.shown = true;
      showToken(item, displayName, token);
      field.select();
      say("Press Ctrl-C to copy.", "The browser did not let this page do it.");
    }
  };
}

/** Only the ends of a token that is long enough to have a middle. */
function masked(value) {
  const dots = "•".repeat(14);
  return value.length < 24 ? dots : value.slice(0, 4) + dots + value.slice(-4);
}

/** Once a second: what changes by itself. Not announced; a screen reader finds it where it is. */
function tick() {
  const now = Date.now();
  if (state.session) {
    const left = new Date(state.session.expiresAt) - now;
    $("session-left").textContent = lasting(left);
    $("session-left").dateTime = state.session.expiresAt;
    if (left <= 0) {
      loggedOut();
      return complain(new VaultError("unauthorized", "the session has ended"));
    }
  }
  for (const card of $("connections").querySelectorAll(".card")) {
    const time = card.querySelector("time");
    const caption = card.querySelector(".caption");
    const left = card.dataset.expires ? new Date(card.dataset.expires) - now : null;
    time.dateTime = card.dataset.expires;
    card.classList.toggle("ended", left !== null && left <= 0);
    if (left === null) {
      time.textContent = "No end";
      caption.textContent = "set for this access token";
    } else if (left <= 0) {
      time.textContent = "0:00";
      caption.textContent = card.dataset.health === "healthy" ? "the next Get token brings a new one" : "left on the access token";
    } else {
      time.textContent = lasting(left);
      caption.textContent = "left on the access token";
    }
  }
}

// ---- Beginning and end ----

function loggedOut() {
  state.session = null;
  state.tokens.clear();
  render();
}

async function load() {
  const [platforms, session] = await Promise.allSettled([
    vault.platforms(),
    vault.isLoggedIn ? vault.session() : Promise.resolve(null),
  ]);
  if (platforms.status === "fulfilled") state.platforms = platforms.value;
  state.session = session.status === "fulfilled" ? session.value : null;
  render();
  for (const one of [platforms, session]) if (one.status === "rejected") throw one.reason;
}

async function begin() {
  const back = await vault.handleReturn();
  try {
    await load();
  } catch (error) {
    return complain(error);
  }
  if (back?.error) complain(back.error, back.platform);
  else if (back) say(`${nameOf(back.platform)} is connected.`, "Get a token below, and call the platform with it.");
}

$("notice-close").onclick = () => {
  $("notice").hidden = true;
  $("main").focus();
};
$("renew").onclick = () => doing($("renew"), async () => {
  const { expiresAt } = await vault.renew();
  if (state.session) state.session.expiresAt = expiresAt;
  render();
  say("The session is renewed.", `It ends in ${lasting(new Date(expiresAt) - Date.now())}. The old one is worth nothing now.`);
});
$("logout").onclick = () => doing($("logout"), async () => {
  await vault.logout();
  loggedOut();
  say("You are logged out.", "Your connections stay. Connect any of them again, and you are back.");
  $("main").focus();
});
$("confirm").addEventListener("click", (event) => {
  if (event.target === $("confirm")) $("confirm").close("no");
});
// A token that was shown is hidden again when nobody looks.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) for (const token of state.tokens.values()) token.shown = false;
  render();
});
// Back from the platform with the Back button: the page may come as it was left, mid-click.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  begin();
});
addEventListener("hashchange", begin);
setInterval(tick, 1000);
begin();
