// Live pages. The server sends only hints {topic, version}; whoever shows the topic then asks for the truth by itself,
// so that a missed hint costs nothing. One tab of a browser holds the stream for all: browsers allow few connections.
const POLL_MS = 5000;
const RETRY_STREAM_MS = 60_000;
const LONGEST_BACK_OFF_MS = 5000;

const badge = document.querySelector("[data-live-badge]");
const eventsUrl = badge?.dataset.events;
const tab = crypto.getRandomValues(new Uint32Array(2)).join("-"); // randomUUID needs a secure context; a team's LAN may have none.
const channel = "BroadcastChannel" in window ? new BroadcastChannel("tunesmith.live") : null;

let state = "";
let behind = true; // Something may have changed since the page was drawn, or while the stream was away.

function ownTopics() {
  const names = [...document.querySelectorAll("[data-live]")].flatMap((element) => element.dataset.live.split(" "));
  return [...new Set(names.filter(Boolean))].sort();
}

const missed = new Set(); // Topics hinted at while whoever shows them was asking.

function pass(element, topic, version) {
  if (element.matches(".htmx-request")) missed.add(topic); // Its answer may be older than this hint, and replaces it.
  else element.dispatchEvent(new CustomEvent("hint", { detail: { topic, version } })); // Does not bubble: a hint is for this element alone.
}

function hint(topic, version) {
  document.dispatchEvent(new CustomEvent("tunesmith:hint", { detail: { topic, version } }));
  for (const element of document.querySelectorAll(`[data-live~="${CSS.escape(topic)}"]`)) pass(element, topic, version);
}

document.addEventListener("htmx:afterRequest", () => {
  const again = [...missed];
  missed.clear();
  for (const topic of again) hint(topic, null);
});

function hintAll() {
  for (const element of document.querySelectorAll("[data-live]")) pass(element, element.dataset.live.split(" ")[0], null); // once each
}

function show(next) {
  if (badge && next !== state) {
    badge.dataset.state = next;
    badge.querySelector(".live-word").textContent = badge.dataset[next];
  }
  state = next;
  if (next !== "connected") behind = true;
  else if (behind) {
    behind = false;
    hintAll();
  }
}

// --- the leading tab -----------------------------------------------------------------------------------------------

const wanted = new Map(); // tab → its topics
let source = null;
let opened = "";
let failures = 0;
let timer = 0;
let polling = 0;

function tell(message) {
  channel?.postMessage(message);
  receive(message);
}

function unionOfTopics() {
  wanted.set(tab, ownTopics());
  return [...new Set([...wanted.values()].flat())].sort();
}

function stopPolling() {
  clearInterval(polling);
  polling = 0;
}

function pollInstead() {
  tell({ kind: "state", state: "polling" });
  if (!polling) polling = setInterval(() => tell({ kind: "poll" }), POLL_MS);
  again(RETRY_STREAM_MS);
}

function again(delay) {
  clearTimeout(timer);
  timer = setTimeout(openStream, delay);
}

function openStream() {
  const topics = unionOfTopics();
  opened = topics.join(",");
  if (!opened) return closeStream();
  const query = new URLSearchParams({ topics: opened });
  const first = state === "" && badge.dataset.since; // This stream hints at what has changed since the page was begun.
  if (first) query.set("since", badge.dataset.since);
  const next = new EventSource(`${eventsUrl}?${query}`);
  const previous = source;
  source = next;
  const heard = (event) => tell({ kind: "hint", ...JSON.parse(event.data) });
  next.onmessage = heard;
  next.addEventListener("hint", heard);
  next.onopen = () => {
    previous?.close(); // Only now: between two streams no hint is missed.
    // What is watched only since now may have changed since it was drawn, or since another tab held the stream.
    if (previous || (!first && state === "connected")) tell({ kind: "poll" });
    failures = 0;
    stopPolling();
    if (first) behind = false;
    tell({ kind: "state", state: "connected" });
  };
  next.onerror = () => {
    previous?.close();
    if (source !== next) return;
    source = null;
    const refused = next.readyState === EventSource.CLOSED; // 204 or an error page: the server is there, the stream is not.
    next.close();
    if (refused) return pollInstead();
    tell({ kind: "state", state: "offline" });
    failures += 1;
    again(Math.min(LONGEST_BACK_OFF_MS, 500 * 2 ** failures) * (0.75 + Math.random() / 2));
  };
}

function closeStream() {
  source?.close();
  source = null;
}

let leading = false;

function refresh() {
  if (!leading || unionOfTopics().join(",") === opened) return;
  again(100);
}

function lead() {
  leading = true;
  channel?.postMessage({ kind: "who" });
  openStream();
}

// --- every tab -----------------------------------------------------------------------------------------------------

function receive(message) {
  if (message.kind === "hint") hint(message.topic, message.version);
  else if (message.kind === "poll") hintAll();
  else if (message.kind === "state") show(message.state);
  else if (message.kind === "who") announce();
  else if (leading && message.kind === "want") {
    wanted.set(message.tab, message.topics);
    refresh();
    channel.postMessage({ kind: "state", state });
  } else if (leading && message.kind === "bye") wanted.delete(message.tab);
}

function announce() {
  if (leading) refresh();
  else channel?.postMessage({ kind: "want", tab, topics: ownTopics() });
}

if (badge) badge.hidden = !document.querySelector("[data-live]:not(#bell)"); // Nothing but the bell is live: a badge would promise it.

if (eventsUrl) {
  if (channel) channel.onmessage = (event) => receive(event.data);
  // Locks need a secure context: without them each tab holds its own stream.
  if (channel && navigator.locks) {
    navigator.locks.request("tunesmith.live", () => {
      lead();
      return new Promise(() => {}); // Held until this tab closes; the next one in line then leads.
    });
    announce();
  } else lead();
  window.addEventListener("pagehide", () => channel?.postMessage({ kind: "bye", tab }));
  window.addEventListener("pageshow", (event) => event.persisted && announce());
  document.addEventListener("htmx:afterSettle", announce);
}
