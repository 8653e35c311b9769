// Notifications of the browser: asked for by a button alone, kept in this browser, and fed by the bell, which the stream
// of hints renews. Each tab has a bell: the first that sees something new says it.
const possible = "Notification" in window && window.isSecureContext;
const box = document.querySelector("[data-notify]");

function kept(name) {
  try {
    return localStorage.getItem(`tunesmith.${name}`);
  } catch {
    return null;
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(`tunesmith.${name}`, value);
  } catch {
    // Storage is forbidden: then nothing is remembered, and nothing is notified.
  }
}

function state() {
  if (!possible) return "impossible";
  if (Notification.permission === "denied") return "denied";
  return Notification.permission === "granted" && kept("notify") === "on" ? "on" : "off";
}

function show() {
  if (!box) return;
  box.hidden = false;
  for (const part of box.querySelectorAll("[data-notify-state]")) part.hidden = part.dataset.notifyState !== state();
}

function tell() {
  const bell = document.getElementById("bell");
  const { newest, title, text, address } = bell?.dataset ?? {};
  if (!newest || state() !== "on" || kept("notified") === newest) return;
  keep("notified", newest);
  const said = new Notification(title, { body: text, tag: newest, lang: document.documentElement.lang });
  said.onclick = () => {
    window.focus();
    location.assign(address);
  };
}

box?.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-notify-set]");
  if (!button) return;
  if (button.dataset.notifySet === "on") await Notification.requestPermission();
  keep("notify", button.dataset.notifySet);
  show();
});
document.addEventListener("htmx:afterSettle", tell);
show();
