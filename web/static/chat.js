// <ts-chat data-url>: a conversation with a deployment. The answer streams in as lines `data: {chunk}` in OpenAI's form.
// data-examples: where held-out questions come from; data-prefix: how each question of the training data begins;
// data-serving-in: the element whose data-serving says whether anything can be sent. What was said survives a reload.
const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

/** The chunks of an event stream, each parsed, until `[DONE]` or the end. */
async function* chunks(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split(/\r?\n/);
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data:")) continue;
      const data = line.slice(5).trim();
      if (data === "[DONE]") return;
      yield JSON.parse(data);
    }
  }
}

customElements.define("ts-chat", class extends HTMLElement {
  #said = []; // {role, content, figures, beside: [[label, text], …]}, and `failed` for what is no part of the conversation
  #rows;
  #form;
  #asking = null;
  #example = null;
  #next = 0; // which held-out question comes next

  connectedCallback() {
    this.#form = this.querySelector("form");
    this.#rows = this.querySelector(".chat-turns");
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#part("stop").addEventListener("click", () => this.#asking?.abort());
    this.#part("clear").addEventListener("click", () => this.#clear());
    this.#part("example")?.addEventListener("click", () => this.#insert());
    this.#part("text").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return; // Enter also ends a Chinese word.
      event.preventDefault();
      this.#form.requestSubmit();
    });
    this.#recall();
    this.#watch();
  }

  #part = (name) => this.#form.elements.namedItem(name);

  #clear() {
    this.#asking?.abort();
    this.#said = [];
    this.#rows.replaceChildren();
    this.#keep();
    this.#part("text").focus();
  }

  // --- whether it serves ---

  #watch() {
    if (!this.dataset.servingIn) return;
    const look = () => this.#busy(Boolean(this.#asking));
    new MutationObserver(look).observe(document.querySelector(this.dataset.servingIn).parentElement, { childList: true });
    look();
  }

  get #serves() {
    const place = this.dataset.servingIn;
    return !place || document.querySelector(place)?.dataset.serving === "true";
  }

  // --- held-out questions ---

  async #insert() {
    const url = new URL(this.dataset.examples, location.href);
    url.searchParams.set("at", this.#next);
    const answer = await fetch(url);
    if (!answer.ok) return;
    this.#example = await answer.json();
    this.#next += 1;
    const { prompt } = this.#example;
    const prefix = this.#prefix();
    this.#part("text").value = prompt.startsWith(prefix) ? prompt.slice(prefix.length) : prompt;
    this.#part("text").focus();
  }

  #prefix() {
    return this.#part("begin")?.checked ? this.dataset.prefix : "";
  }

  /** What stands beside the answer to a held-out question. */
  #beside(question) {
    const known = this.#example;
    if (!known || known.prompt.trim() !== question.trim()) return [];
    return [[this.dataset.wordExpected, known.expected], [this.dataset.wordBase, known.base]].filter(([, text]) => text);
  }

  // --- asking ---

  #request() {
    const turns = this.#said.filter((turn) => !turn.failed && turn.content);
    const messages = (this.#part("alone")?.checked ? turns.slice(-1) : turns).map(({ role, content }) => ({ role, content }));
    const system = this.#part("system").value.trim();
    if (system) messages.unshift({ role: "system", content: system });
    const carried = (this.#part("with-prompt")?.checked ? "+prompt" : "") + (this.#part("with-schema")?.checked ? "+schema" : "");
    const request = { messages, stream: true, stream_options: { include_usage: true }, temperature: Number(this.#part("temperature").value) };
    if (this.#part("length").value) request.max_tokens = Number(this.#part("length").value);
    const schema = this.#part("schema").value.trim();
    if (schema) request.response_format = { type: "json_schema", json_schema: { name: "answer", schema: JSON.parse(schema) } };
    if (carried) request.model = carried;
    return request;
  }

  #schemaIsWrong() {
    const schema = this.#part("schema");
    schema.setCustomValidity("");
    try {
      if (schema.value.trim()) JSON.parse(schema.value);
    } catch (error) {
      schema.closest("details").open = true;
      schema.setCustomValidity(`${this.dataset.wordSchemaError} ${error.message}`);
      schema.reportValidity();
    }
    return schema.validationMessage !== "";
  }

  async #send() {
    const text = this.#part("text").value.trim();
    if (!text || this.#asking || !this.#serves || this.#schemaIsWrong()) return;
    this.#part("text").value = "";
    const prefix = this.#prefix();
    this.#say({ role: "user", content: text.startsWith(prefix.trim()) ? text : prefix + text });
    await this.#ask();
  }

  /** Have the last question answered. */
  async #ask() {
    const question = this.#said.at(-1);
    const request = this.#request();
    const turn = { role: "assistant", content: "", figures: "", beside: this.#beside(question.content) };
    const row = this.#say(turn);
    this.#asking = new AbortController();
    this.#busy(true);
    try {
      await this.#stream(request, turn, row);
    } catch (error) {
      if (error.name === "AbortError") turn.figures = this.dataset.wordStopped;
      else turn.failed = error.message || this.dataset.wordError;
    } finally {
      if (turn.failed || !turn.content) question.failed = " "; // what was not answered is no part of the conversation
      row.replaceWith(this.#row(turn));
      this.#asking = null;
      this.#busy(false);
      this.#keep();
    }
  }

  async #stream(request, turn, row) {
    const began = performance.now();
    const answer = await fetch(this.dataset.url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": document.querySelector('meta[name="csrf-token"]')?.content ?? "" },
      body: JSON.stringify(request),
      signal: this.#asking.signal,
    });
    if (!answer.ok) throw new Error(await this.#reason(answer));
    let first = 0;
    let tokens = 0;
    for await (const chunk of chunks(answer.body)) {
      if (chunk.error) throw new Error(chunk.error.message);
      tokens = chunk.usage?.completion_tokens ?? tokens;
      const piece = chunk.choices?.[0]?.delta?.content;
      if (!piece) continue;
      first ||= performance.now();
      if (!chunk.usage) tokens += 1;
      turn.content += piece;
      row.querySelector(".chat-text").append(piece);
      this.#rows.scrollTop = this.#rows.scrollHeight;
    }
    if (first) turn.figures = this.#figures(first - began, tokens, performance.now() - first);
  }

  async #reason(answer) {
    try {
      const { error, message } = await answer.json();
      return error?.message ?? message ?? error;
    } catch {
      return `${this.dataset.wordError} (HTTP ${answer.status})`;
    }
  }

  #figures(wait, tokens, generating) {
    const number = (value) => value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 });
    const rate = generating > 0 && tokens > 1 ? (tokens - 1) / (generating / 1000) : 0; // The first token is the wait.
    const parts = [`${this.dataset.wordFirst} ${number(wait / 1000)} s`, `${tokens} ${this.dataset.wordTokens}`];
    if (rate) parts.push(`${number(rate)} ${this.dataset.wordRate}`);
    return parts.join(" · ");
  }

  #again() {
    const last = this.#said.pop();
    if (last.role !== "assistant") return void this.#said.push(last);
    this.#rows.lastElementChild.remove();
    delete this.#said.at(-1).failed;
    this.#ask();
  }

  // --- what was said ---

  #say(turn) {
    this.#said.push(turn);
    const row = this.#row(turn);
    this.#rows.append(row);
    this.#rows.scrollTop = this.#rows.scrollHeight;
    return row;
  }

  #row(turn) {
    const problem = turn.failed?.trim();
    const row = make("div", { className: `chat-turn chat-${turn.role}${problem ? " chat-problem" : ""}` });
    row.append(
      make("div", { className: "chat-who", textContent: turn.role === "user" ? this.dataset.wordYou : this.dataset.wordModel }),
      make("div", { className: "chat-text", textContent: problem || turn.content }),
    );
    if (turn.role === "assistant") row.append(...this.#under(turn));
    return row;
  }

  #under(turn) {
    const beside = (turn.content ? turn.beside ?? [] : []).map(([label, text]) => {
      const line = make("div", { className: "chat-beside" });
      line.append(make("span", { className: "chat-who", textContent: label }), make("div", { className: "chat-text", textContent: text }));
      return line;
    });
    const foot = make("div", { className: "chat-figures", textContent: turn.figures });
    const acts = make("div", { className: "chat-acts" });
    const act = (text, does) => {
      const button = make("button", { type: "button", className: "button plain small", textContent: text });
      button.addEventListener("click", () => does(button));
      acts.append(button);
    };
    if (turn.content) act(this.dataset.wordCopy, async (button) => {
      await navigator.clipboard.writeText(turn.content);
      button.textContent = this.dataset.wordCopied;
    });
    act(this.dataset.wordAgain, () => this.#serves && !this.#asking && turn === this.#said.at(-1) && this.#again());
    return [...beside, foot, acts];
  }

  get #place() {
    return `chat:${new URL(this.dataset.url, location.href).pathname}`;
  }

  #keep() {
    try {
      sessionStorage.setItem(this.#place, JSON.stringify(this.#said));
    } catch { // a browser without a store, or a full one: it is only not remembered
    }
  }

  #recall() {
    try {
      for (const turn of JSON.parse(sessionStorage.getItem(this.#place) ?? "[]")) this.#say(turn);
    } catch {
      sessionStorage.removeItem(this.#place);
    }
  }

  #busy(busy) {
    this.#rows.ariaBusy = String(busy);
    this.#part("stop").hidden = !busy;
    this.#part("send").disabled = busy || !this.#serves;
    this.querySelector("[data-not-serving]").hidden = this.#serves;
  }
});
