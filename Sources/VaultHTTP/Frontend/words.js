// What the demo says to people, in one place.

export const HEALTH = {
  healthy: { label: "Healthy" },
  expiring: { label: "Ends soon", why: "The platform ends this grant on its day, however often it is used. Connect again to renew it." },
  reconnect: { label: "Connect again", why: "The platform no longer accepts this grant. Only you can renew it." },
  uncertain: {
    label: "Not sure",
    why: "The last refresh was cut off. The vault asks the platform once more when a new access token is needed, or now if you say so.",
  },
  operator: { label: "Needs the operator", why: "The platform refuses this application, not you. Nothing is lost." },
};

export const REVOKED = {
  yes: (name) => `${name} revoked the grant, and the vault deleted its tokens.`,
  no: (name) => `The vault deleted its tokens, but ${name} did not confirm. Remove the application in your account there.`,
  unsupported: (name) => `The vault deleted its tokens. ${name} cannot be told; remove the application in your account there.`,
  pending: (name) => `The vault deleted its tokens and keeps trying to tell ${name}.`,
};

/** What an error means for the person in front of the page: what happened, and what to do. */
export function explain(error, name) {
  const wait = error.retryAfter ? `Try again in ${spoken(error.retryAfter)}.` : "Try again in a moment.";
  const words = {
    access_denied: [`You said no at ${name}.`, "Nothing was connected. Connect again whenever you like."],
    "account-in-use": [`That ${name} account belongs to somebody else here.`, "Log in as that user, or use another account."],
    "other-account": [`You have another ${name} account connected.`, "Disconnect that one first."],
    "restart-login": ["The login could not be finished.", "Start it again with Connect."],
    "needs-authorize": [`${name} gives its token to the application's own page.`, "This demo cannot connect it."],
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

/** Why the vault is waiting before it asks again. */
export function whyItWaits(code, name) {
  if (code === "uncertain") return `It is not sure yet what became of the last refresh at ${name}.`;
  return name ? `${name} does not answer as it should right now.` : "The vault is busy.";
}

/** A time span as people say it: `2 d 3 h`, `1 h 05 min`, `4:59`. */
export function lasting(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const two = (value) => String(value).padStart(2, "0");
  if (seconds >= 172800) return `${Math.floor(seconds / 86400)} days`;
  if (seconds >= 86400) return `1 day ${Math.floor((seconds - 86400) / 3600)} h`;
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
  return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
}

/** The same in a sentence, for a wait: `42 seconds`, `5 minutes`, `2 hours`. */
export function spoken(seconds) {
  const [count, unit] = seconds < 120 ? [seconds, "second"]
    : seconds < 7200 ? [Math.ceil(seconds / 60), "minute"] : [Math.ceil(seconds / 3600), "hour"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

export const date = (text) => new Date(text).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
