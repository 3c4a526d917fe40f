// A platform to connect, and a connection with its token.
import { element, say } from "./page.js";
import { HEALTH, date, lasting } from "./words.js";

export function showPlatform(item, platform, connect) {
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

/** `token` is one to show, if any; the others are what its buttons do. */
export function showConnection(item, connection, { token, connect, fetchToken, disconnect }) {
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

  find(".token").hidden = !token;
  if (token) showToken(item, displayName, token);

  const buttons = Object.fromEntries([...item.querySelectorAll("[data-do]")].map((one) => [one.dataset.do, one]));
  // One thing to do that makes sense: a dead grant gives no token, and of a doubtful one a refresh finds the truth.
  const [words, label] = {
    reconnect: ["Connect again", `Connect ${displayName} again`],
    uncertain: ["Check now", `Check now what became of ${displayName}`],
  }[connection.health] ?? ["Get token", `Get a ${displayName} token`];
  const dead = connection.health === "reconnect";
  const doubtful = connection.health === "uncertain";
  find(".left").hidden = dead;
  buttons.token.textContent = words;
  buttons.token.setAttribute("aria-label", label);
  buttons.refresh.hidden = dead || doubtful;
  buttons.refresh.setAttribute("aria-label", `Refresh the ${displayName} token`);
  buttons.disconnect.setAttribute("aria-label", `Disconnect ${displayName}`);
  buttons.token.onclick = () =>
    dead ? connect(platform, buttons.token) : fetchToken(platform, buttons.token, doubtful ? "refresh" : "token");
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

/** Once a second: what is left on the access token. Not announced; a screen reader finds it where it is. */
export function showLeft(card, now) {
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
