// The demo page. Everything the vault does for a browser is in client.js; here is only what is seen.
import { VaultClient, VaultError } from "./client.js";
import { showConnection, showLeft, showPlatform } from "./cards.js";
import { $, confirmed, list, say } from "./page.js";
import { REVOKED, explain, lasting, spoken, whyItWaits } from "./words.js";

const vault = new VaultClient();
/** `doing`: how many things this tab does at the moment, so that it knows what others did. */
const state = { platforms: [], session: null, tokens: new Map(), doing: 0, asked: 0 };

function nameOf(platform) {
  const known = [...state.platforms, ...(state.session?.connections ?? [])];
  return known.find((one) => (one.name ?? one.platform) === platform)?.displayName ?? platform ?? "the platform";
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

// ---- Doing things: the button says that it works, and every failure is told ----

async function doing(button, work, platform) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  state.doing += 1;
  try {
    await work();
  } catch (error) {
    complain(error, platform);
  } finally {
    state.doing -= 1;
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
  list($("connections"), connections, (one) => one.platform, "connection-template",
    (item, one) => showConnection(item, one, { token: state.tokens.get(one.platform), connect, fetchToken, disconnect }),
    "Nothing is connected yet. Pick a platform below.");
  const open = state.platforms.filter((one) => !connections.some((made) => made.platform === one.name));
  // Where everything is connected there is nothing to add.
  $("choice").hidden = open.length === 0 && state.platforms.length > 0;
  list($("platforms"), open, (one) => one.name, "platform-template", (item, one) => showPlatform(item, one, connect),
    "No platform is set up yet. Add one to vault.conf.");
  tick();
}

function tick() {
  const now = Date.now();
  for (const card of $("connections").querySelectorAll(".card")) showLeft(card, now);
  if (!state.session) return;
  const left = new Date(state.session.expiresAt) - now;
  $("session-left").textContent = lasting(left);
  $("session-left").dateTime = state.session.expiresAt;
  // Whether it is over the vault says, not this clock; and what is not sure somebody else may have checked.
  const unsure = left <= 0 || state.session.connections.some((one) => one.health === "uncertain");
  if (!unsure || document.hidden || now - state.asked < 10_000) return;
  state.asked = now;
  load().catch(complain);
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
  if (session.status === "fulfilled") state.session = session.value;
  else if (!vault.isLoggedIn) state.session = null;
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

// What this tab did itself it has told already.
vault.addEventListener("session", () => {
  if (vault.isLoggedIn) return void load().catch(complain);
  if (!state.session) return;
  loggedOut();
  if (state.doing === 0) say("You are logged out.", "Another tab ended the session, or its time was over.");
});
vault.addEventListener("changed", () => load().catch(complain));
vault.addEventListener("waiting", ({ detail }) => {
  say(whyItWaits(detail.code, detail.platform && nameOf(detail.platform)),
    `This page asks again in ${spoken(detail.seconds)}.`, { kind: "wait" });
});

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
