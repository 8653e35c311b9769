// <ts-log data-url>: a log that opens at its end and follows until the reader scrolls up.
// The server answers ?offset=BYTES (negative: from the end) or ?line=N with bytes and the headers X-Log-Start (offset of
// the first byte), X-Log-Line (number of the line it belongs to, from 1), X-Log-Size and X-Log-Sealed (no more will come).
const CHUNK = 65_536;
const MOST_LINES = 4000;
const COLOURS = ["", "red", "green", "yellow", "blue", "magenta", "cyan", ""];
const ESCAPE = /\x1b\[([0-9;]*)m|\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)/g;

/** The line as spans: colours become classes, every other escape is dropped, text stays text. */
function spans(text) {
  const line = document.createElement("span");
  let classes = new Set();
  let at = 0;
  const add = (part) => {
    if (!part) return;
    if (!classes.size) return line.append(part);
    const span = document.createElement("span");
    span.className = [...classes].join(" ");
    span.textContent = part;
    line.append(span);
  };
  for (const match of text.matchAll(ESCAPE)) {
    add(text.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[1] !== undefined) classes = styled(classes, match[1]);
  }
  add(text.slice(at));
  return line;
}

function styled(before, codes) {
  const classes = new Set(before);
  for (const code of (codes || "0").split(";").map(Number)) {
    if (code === 0) classes.clear();
    else if (code === 1) classes.add("ansi-bold");
    else if (code === 2) classes.add("ansi-dim");
    else if (code === 39 || (code >= 30 && code <= 37) || (code >= 90 && code <= 97)) {
      for (const name of classes) if (name !== "ansi-bold" && name !== "ansi-dim") classes.delete(name);
      const colour = code === 39 ? "" : COLOURS[code % 10];
      if (colour) classes.add(`ansi-${colour}`);
    }
  }
  return classes;
}

const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

customElements.define("ts-log", class extends HTMLElement {
  #lines;
  #search;
  #follow;
  #count;
  #start = 0; // The bytes of the log on screen: from here …
  #end = 0; // … to here, …
  #size = 0; // … of so many that the server had when last asked.
  #following = true;
  #busy = false;
  #missed = false;
  #decoder = new TextDecoder();

  connectedCallback() {
    if (this.#lines) return;
    this.#draw();
    this.addEventListener("hint", () => this.#following && this.#below());
    const line = /^#L(\d+)$/.exec(location.hash)?.[1];
    if (line) this.#openAt(line);
    else this.#toEnd();
  }

  #draw() {
    const { wordSearch, wordFollow, label } = this.dataset;
    this.#search = make("input", { type: "search", className: "control", placeholder: wordSearch, ariaLabel: wordSearch });
    this.#search.value = new URLSearchParams(location.search).get("q") ?? "";
    this.#search.addEventListener("input", () => this.#filter());
    this.#count = make("span", { className: "faint", role: "status" });
    this.#follow = make("button", { type: "button", className: "button small", textContent: wordFollow, hidden: true });
    this.#follow.dataset.shortcut = "f";
    this.#follow.addEventListener("click", () => this.#toEnd());
    // aria-live is off: a busy log would never let a screen reader speak of anything else.
    this.#lines = make("div", { className: "log-lines", tabIndex: 0, role: "log", ariaLive: "off", ariaLabel: label });
    this.#lines.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    const bar = make("div", { className: "log-bar" });
    bar.append(this.#search, this.#follow, this.#count);
    this.append(bar, this.#lines);
  }

  // --- reading: three ways in, each one request at a time ---

  async #openAt(line) {
    this.#follows(false);
    await this.#read(`line=${line}`, (chunk) => this.#begin(chunk, 0));
    if (this.#start > 0) await this.#above(); // What led to the line matters as much.
    const row = this.#lines.querySelector(`[id="L${line}"]`);
    row?.setAttribute("data-linked", "");
    row?.scrollIntoView({ block: "center" });
  }

  async #toEnd() {
    this.#follows(true);
    await this.#read(`offset=-${CHUNK}`, (chunk) => this.#begin(chunk, chunk.start > 0 ? chunk.bytes.indexOf(10) + 1 : 0));
    this.#scrollDown();
  }

  async #below() {
    const behind = this.#end;
    await this.#read(`offset=${behind}`, (chunk) => this.#append(chunk, 0));
    if (!this.#following) return;
    if (this.#size - this.#end > 4 * CHUNK) return this.#toEnd();
    this.#scrollDown();
    if (this.#end > behind && this.#end < this.#size) this.#below();
  }

  #above() {
    const from = Math.max(0, this.#start - CHUNK);
    return this.#read(`offset=${from}`, (chunk) => this.#prepend(chunk), this.#start - from);
  }

  async #read(query, use, limit = CHUNK) {
    if (this.#busy) return void (this.#missed = true);
    this.#busy = true;
    this.#missed = false;
    try {
      const answer = await fetch(`${this.dataset.url}?${query}&limit=${limit}`);
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      const number = (name) => Number(answer.headers.get(name)) || 0;
      this.#size = number("X-Log-Size");
      const bytes = new Uint8Array(await answer.arrayBuffer());
      use({ bytes, start: number("X-Log-Start"), line: number("X-Log-Line"), sealed: answer.headers.has("X-Log-Sealed") });
      this.#filter();
    } catch {
      this.#count.textContent = this.dataset.wordError;
    } finally {
      this.#busy = false;
    }
    if (this.#missed && this.#following) this.#below(); // A hint came while this request was under way.
  }

  // --- putting whole lines on screen ---

  #begin(chunk, from) {
    this.#lines.replaceChildren();
    this.#start = this.#end = chunk.start + from;
    this.#append(chunk, from);
  }

  #append(chunk, from) {
    let to = chunk.bytes.lastIndexOf(10) + 1;
    const last = chunk.sealed && chunk.start + chunk.bytes.length >= this.#size;
    if (last || (to <= from && chunk.bytes.length >= CHUNK)) to = chunk.bytes.length; // The end, or one line longer than a chunk.
    if (to <= from) return;
    this.#lines.append(...this.#rows(chunk, from, to));
    this.#end = chunk.start + to;
    const tall = this.#lines.scrollHeight;
    while (this.#lines.childElementCount > MOST_LINES) this.#start += this.#drop(this.#lines.firstElementChild);
    if (!this.#following) this.#lines.scrollTop -= tall - this.#lines.scrollHeight;
  }

  #prepend(chunk) {
    const from = chunk.start > 0 ? chunk.bytes.indexOf(10) + 1 : 0; // The first line begins in the chunk before.
    const tall = this.#lines.scrollHeight;
    this.#lines.prepend(...this.#rows(chunk, from, chunk.bytes.length));
    this.#lines.scrollTop += this.#lines.scrollHeight - tall;
    this.#start = chunk.start + from;
    while (this.#lines.childElementCount > MOST_LINES) this.#end -= this.#drop(this.#lines.lastElementChild);
  }

  #rows(chunk, from, to) {
    const first = chunk.line && from ? chunk.line + 1 : chunk.line;
    const text = this.#decoder.decode(chunk.bytes.subarray(from, to)).replace(/\n$/, "");
    return text.split("\n").map((line, index) => this.#row(line, first && first + index));
  }

  #row(text, number) {
    const row = make("div", { className: "log-line" });
    const link = make("a", number ? { href: `#L${number}`, textContent: number } : {});
    if (number) row.id = `L${number}`;
    row.append(link, spans(text.replace(/\r+$/, "").split("\r").pop())); // Of a progress bar, what it said last.
    row.bytes = new TextEncoder().encode(text).length + 1;
    return row;
  }

  #drop(row) {
    row.remove();
    return row.bytes;
  }

  // --- searching and following ---

  #filter() {
    const wanted = this.#search.value.toLowerCase();
    let shown = 0;
    for (const row of this.#lines.children) {
      row.hidden = Boolean(wanted) && !row.lastElementChild.textContent.toLowerCase().includes(wanted);
      if (!row.hidden) shown += 1;
    }
    const all = this.#lines.childElementCount;
    this.#count.textContent = wanted ? `${shown} / ${all} ${this.dataset.wordLines}` : all ? "" : this.dataset.wordEmpty;
    const url = new URL(location.href);
    if (wanted) url.searchParams.set("q", this.#search.value);
    else url.searchParams.delete("q");
    if (url.href !== location.href) history.replaceState(history.state, "", url);
  }

  #follows(following) {
    this.#following = following;
    this.#follow.hidden = following;
  }

  #scrollDown() {
    this.#lines.scrollTop = this.#lines.scrollHeight;
  }

  #scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.#lines;
    const atEnd = scrollHeight - scrollTop - clientHeight < 24;
    if (this.#busy || this.#search.value) return;
    if (atEnd !== this.#following) {
      this.#follows(atEnd && this.#end >= this.#size);
      if (atEnd) this.#below();
    }
    if (scrollTop < 80 && this.#start > 0) this.#above();
  }
});
