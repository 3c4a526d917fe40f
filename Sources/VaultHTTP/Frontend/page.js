// Pieces of the page that know nothing of the vault: the notice, the dialog, lists that keep their items.
// Data from outside goes into the page as text, never as markup.

export const $ = (id) => document.getElementById(id);

export function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** The notice: one at a time, read out when it changes. */
export function say(title, detail = "", { kind = "good", code } = {}) {
  const parts = [element("strong", title)];
  if (detail) parts.push(element("span", detail));
  if (code) parts.push(element("code", code));
  $("notice").dataset.kind = kind;
  $("notice").hidden = false;
  $("notice-text").replaceChildren(...parts);
}

/** Who waits for the dialog's answer. */
let answer = () => {};

$("confirm").addEventListener("close", ({ target }) => {
  // The news of a closing may come when the dialog is open again, with another question.
  if (!target.open) answer(target.returnValue === "yes");
});

/** Asks in a dialog; Escape and the backdrop mean no. The focus returns to where it was. */
export function confirmed(title, text) {
  answer(false);
  const dialog = $("confirm");
  $("confirm-title").textContent = title;
  $("confirm-text").textContent = text;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    answer = resolve;
  });
}

/** Makes the list hold one item for each value, keeping items (and the focus in them) that stay. */
export function list(parent, values, key, template, show, empty) {
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
