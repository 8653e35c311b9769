// What every page does: theme, copy, dialogs, shortcuts, form levels, and an answer to each press within 100 ms.
import "./live.js";

const elements = { "ts-chart": "./chart.js", "ts-log": "./log.js", "ts-chat": "./chat.js" };

function loadElements(root) {
  for (const [name, path] of Object.entries(elements)) {
    if (!customElements.get(name) && root.querySelector(name)) import(path);
  }
}

const remembered = {
  get(key) {
    try {
      return localStorage.getItem(`tunesmith.${key}`);
    } catch {
      return null; // Storage can be forbidden: then choices last for one page.
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(`tunesmith.${key}`, value);
    } catch {
      // As above.
    }
  },
};

// --- theme -------------------------------------------------------------------------------------------------------

function showTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const button of document.querySelectorAll("[data-set-theme]")) {
    if (button.dataset.setTheme === theme) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  document.dispatchEvent(new CustomEvent("tunesmith:theme"));
}

// --- presses -----------------------------------------------------------------------------------------------------

async function copy(button) {
  const source = button.dataset.copy ? document.querySelector(button.dataset.copy) : null;
  const text = source ? (source.value ?? source.textContent) : button.dataset.copyText;
  const word = button.querySelector("[data-copy-word]") ?? button;
  const before = word.textContent;
  try {
    await navigator.clipboard.writeText(text.trim());
  } catch {
    if (!source) return;
    getSelection().selectAllChildren(source); // Without a secure context the reader copies the selection.
    return;
  }
  word.textContent = button.dataset.copied;
  setTimeout(() => (word.textContent = before), 1600);
}

const presses = {
  "[data-copy], [data-copy-text]": copy,
  "[data-set-theme]": (button) => {
    remembered.set("theme", button.dataset.setTheme);
    showTheme(button.dataset.setTheme);
    button.closest("details")?.removeAttribute("open");
  },
  "[data-open]": (button) => document.getElementById(button.dataset.open)?.showModal(),
  "[data-close]": (button) => (button.closest("dialog") ?? button.closest(".toast"))[button.closest("dialog") ? "close" : "remove"](),
  "[data-menu]": (button) => {
    const open = document.body.classList.toggle("nav-open");
    button.setAttribute("aria-expanded", String(open));
  },
};

document.addEventListener("click", (event) => {
  for (const [selector, act] of Object.entries(presses)) {
    const button = event.target.closest(selector);
    if (button) act(button);
  }
  if (event.target instanceof HTMLDialogElement) event.target.close(); // A press on the backdrop.
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.removeAttribute("open");
  }
});

// A form that was refused comes back open.
for (const dialog of document.querySelectorAll("dialog[data-refused]")) {
  dialog.close();
  dialog.showModal();
}
document.querySelector("[aria-invalid=true]")?.focus();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[hx-get], [hx-post], [data-busy-own], [method=dialog]")) return;
  if (form.hasAttribute("data-sent")) return event.preventDefault(); // The second of two quick presses.
  form.setAttribute("data-sent", "");
  (event.submitter ?? form.querySelector("[type=submit]"))?.setAttribute("aria-busy", "true");
});

window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) form.removeAttribute("data-sent");
  for (const button of document.querySelectorAll(".button[aria-busy]")) button.removeAttribute("aria-busy");
});

// --- htmx: the CSRF header, and the busy mark ----------------------------------------------------------------------

document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token;
});

const pressed = (event) => (event.detail.requestConfig?.triggeringEvent?.submitter ?? event.detail.elt);
document.addEventListener("htmx:beforeRequest", (event) => {
  if (pressed(event).matches?.(".button")) pressed(event).setAttribute("aria-busy", "true");
});
document.addEventListener("htmx:afterRequest", (event) => pressed(event).removeAttribute?.("aria-busy"));
document.addEventListener("htmx:afterSettle", (event) => prepare(event.detail.elt));

// --- forms drawn from a method's parameters ------------------------------------------------------------------------

function controlOf(form, name) {
  const found = form.elements.namedItem(name);
  return found instanceof RadioNodeList ? [...found].find((item) => item.type === "checkbox") : found;
}

function valueOf(form, name) {
  const control = controlOf(form, name);
  return control?.type === "checkbox" ? String(control.checked) : control?.value;
}

function showConditional(form) {
  for (const field of form.querySelectorAll("[data-visible-if]")) {
    const wanted = Object.entries(JSON.parse(field.dataset.visibleIf));
    field.hidden = !wanted.every(([name, values]) => values.includes(valueOf(form, `parameter.${name}`)));
  }
}

// A time zone that nobody has chosen yet is the browser's.
function guessTimeZone(form) {
  const control = form.querySelector("select[data-time-zone]");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (control && [...control.options].some((one) => one.value === zone)) control.value = zone;
}

// A preset is chosen as long as the fields hold its values, whoever put them there.
function showPreset(form, chosen) {
  const values = (preset) => Object.entries(JSON.parse(preset.dataset.preset));
  for (const [name, value] of chosen ? values(chosen) : []) {
    const control = controlOf(form, name);
    if (control?.type === "checkbox") control.checked = value === "true";
    else if (control) control.value = value;
  }
  for (const preset of form.querySelectorAll("[data-preset]")) {
    preset.checked = values(preset).every(([name, value]) => valueOf(form, name) === value);
  }
}

function showLevel(form, level) {
  form.dataset.level = level;
  for (const radio of form.querySelectorAll("[data-level-choice]")) radio.checked = radio.value === level;
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-level]");
  if (!form) return;
  if (event.target.matches("[data-level-choice]")) {
    remembered.set("level", event.target.value);
    showLevel(form, event.target.value);
  }
  showPreset(form, event.target.matches("[data-preset]") ? event.target : null);
  showConditional(form);
});

// The browser cannot point at a wrong value that is not on screen.
document.addEventListener(
  "invalid",
  (event) => {
    const form = event.target.closest("form[data-level]");
    if (form && !event.target.checkVisibility()) showLevel(form, "expert");
  },
  true,
);

// What was just changed is not saved before it was sent and drawn anew.
document.addEventListener("change", ({ target }) => {
  const shown = target.closest("[hx-post]")?.closest("[data-shown]");
  for (const button of shown?.querySelectorAll("[data-as-shown]") ?? []) button.disabled = true;
});

// --- shortcuts ----------------------------------------------------------------------------------------------------

let prefix = "";

function shortcut(event) {
  if (remembered.get("shortcuts") === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]") || document.querySelector("dialog[open]")) return;
  const keys = prefix ? `${prefix} ${event.key}` : event.key;
  prefix = "";
  const target = document.querySelector(`[data-shortcut="${CSS.escape(keys)}"]`);
  if (!target) {
    if (event.key === "g") prefix = "g";
    setTimeout(() => (prefix = ""), 1200);
    return;
  }
  event.preventDefault();
  if (target.matches("input, [data-shortcut-only-focus]")) target.focus(); // a bare key starts nothing that costs
  else target.click();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.removeAttribute("open");
      menu.querySelector("summary").focus();
    }
  }
  shortcut(event);
});

// --- search ---------------------------------------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  const palette = document.getElementById("palette");
  if (!palette) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    if (!palette.open) palette.showModal();
    palette.querySelector("input").select();
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!palette.open || !step) return;
  event.preventDefault();
  const stops = [...palette.querySelectorAll("input, a")];
  stops.at((stops.indexOf(document.activeElement) + step + stops.length) % stops.length).focus();
});

// --- at the start, and for each fragment that arrives ---------------------------------------------------------------

const ticked = new Set(); // boxes of a list that is drawn anew at each hint
document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-keep-checked]")) ticked[target.checked ? "add" : "delete"](target.value);
});

const opened = new Set(); // disclosures, likewise
document.addEventListener(
  "toggle",
  ({ target }) => {
    if (target.matches("[data-keep-open]")) opened[target.open ? "add" : "delete"](target.id);
  },
  true,
);

function prepare(root) {
  for (const part of root.querySelectorAll("[data-keep-open]")) part.open ||= opened.has(part.id);
  for (const box of root.querySelectorAll("[data-keep-checked]")) box.checked ||= ticked.has(box.value);
  loadElements(root.parentElement ?? root);
  for (const form of root.querySelectorAll("form[data-level]")) {
    if (remembered.get("level")) showLevel(form, remembered.get("level"));
    guessTimeZone(form);
    showConditional(form);
  }
}

const shortcutSwitch = document.querySelector("[data-shortcut-switch]");
if (shortcutSwitch) {
  shortcutSwitch.checked = remembered.get("shortcuts") !== "off";
  shortcutSwitch.addEventListener("change", () => remembered.set("shortcuts", shortcutSwitch.checked ? "on" : "off"));
}
if (remembered.get("notify") === "on" || document.querySelector("[data-notify]")) import("./notify.js");
showTheme(remembered.get("theme") ?? "auto");
prepare(document.body);
