// <ts-chat data-url>: a conversation with a deployment. The answer streams in as lines `data: {chunk}` in OpenAI's form.
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
  #messages = [];
  #turns;
  #form;
  #asking = null;

  connectedCallback() {
    this.#form = this.querySelector("form");
    this.#turns = this.querySelector(".chat-turns");
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#part("stop").addEventListener("click", () => this.#asking?.abort());
    this.#part("clear").addEventListener("click", () => this.#clear());
    this.#part("text").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return; // Enter also ends a Chinese word.
      event.preventDefault();
      this.#form.requestSubmit();
    });
  }

  #part = (name) => this.#form.elements.namedItem(name);

  #clear() {
    this.#asking?.abort();
    this.#messages = [];
    this.#turns.replaceChildren();
    this.#part("text").focus();
  }

  #request() {
    const request = { messages: this.#messages, stream: true, stream_options: { include_usage: true } };
    const schema = this.#part("schema")?.value.trim();
    if (schema) request.response_format = { type: "json_schema", json_schema: { name: "answer", schema: JSON.parse(schema) } };
    return request;
  }

  #schemaIsWrong() {
    const schema = this.#part("schema");
    if (!schema) return false;
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
    if (!text || this.#asking || this.#schemaIsWrong()) return;
    this.#part("text").value = "";
    this.#messages.push({ role: "user", content: text });
    this.#turn("user", this.dataset.wordYou).text.textContent = text;
    const turn = this.#turn("assistant", this.dataset.wordModel);
    this.#asking = new AbortController();
    this.#busy(true);
    try {
      await this.#stream(turn);
    } catch (error) {
      if (error.name === "AbortError") turn.figures.textContent = this.dataset.wordStopped;
      else this.#fail(turn, error.message);
    } finally {
      this.#remember(turn);
      this.#asking = null;
      this.#busy(false);
    }
  }

  async #stream(turn) {
    const began = performance.now();
    const answer = await fetch(this.dataset.url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": document.querySelector('meta[name="csrf-token"]')?.content ?? "" },
      body: JSON.stringify(this.#request()),
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
      turn.text.append(piece);
      this.#turns.scrollTop = this.#turns.scrollHeight;
    }
    if (first) this.#figures(turn, first - began, tokens, performance.now() - first);
  }

  async #reason(answer) {
    try {
      const { error, message } = await answer.json();
      return error?.message ?? message ?? error;
    } catch {
      return `${this.dataset.wordError} (HTTP ${answer.status})`;
    }
  }

  #figures(turn, wait, tokens, generating) {
    const number = (value) => value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 });
    const rate = generating > 0 && tokens > 1 ? (tokens - 1) / (generating / 1000) : 0; // The first token is the wait.
    const parts = [`${this.dataset.wordFirst} ${number(wait / 1000)} s`, `${tokens} ${this.dataset.wordTokens}`];
    if (rate) parts.push(`${number(rate)} ${this.dataset.wordRate}`);
    turn.figures.textContent = parts.join(" · ");
  }

  #fail(turn, reason) {
    turn.row.classList.add("chat-problem");
    turn.text.textContent = reason || this.dataset.wordError;
  }

  /** What was answered, also in part, belongs to the conversation; a question that failed does not. */
  #remember(turn) {
    const answered = turn.text.textContent;
    if (answered && !turn.row.matches(".chat-problem")) this.#messages.push({ role: "assistant", content: answered });
    else this.#messages.pop();
  }

  #turn(role, who) {
    const row = make("div", { className: `chat-turn chat-${role}` });
    const text = make("div", { className: "chat-text" });
    const figures = make("div", { className: "chat-figures" });
    row.append(make("div", { className: "chat-who", textContent: who }), text, figures);
    this.#turns.append(row);
    this.#turns.scrollTop = this.#turns.scrollHeight;
    return { row, text, figures };
  }

  #busy(busy) {
    this.#turns.ariaBusy = String(busy);
    this.#part("stop").hidden = !busy;
    this.#part("send").disabled = busy;
  }
});
