// <ts-upload> around an upload form: files are dropped or chosen. Where the form says how uploads are begun (data-begin),
// each file goes in pieces: what broke is sent again, also after a reload, when the same file is chosen once more. Without
// this file the form works as any other.
const PIECE = 4 << 20; // bytes
const TRIES = 8; // of one piece, in a row; some four minutes
const LONGEST_WAIT_MS = 60_000;
const language = document.documentElement.lang;

const size = (bytes) => {
  const power = Math.min(3, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** power).toLocaleString(language, { maximumFractionDigits: 1 })} ${["B", "KiB", "MiB", "GiB"][power]}`;
};
const duration = (seconds) => {
  const [value, unit] = seconds < 90 ? [seconds, "second"] : seconds < 5400 ? [seconds / 60, "minute"] : [seconds / 3600, "hour"];
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 }).format(Math.max(1, Math.round(value)));
};
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);

// What was begun in this browser, by file: the same one goes on where it stopped.
const begun = {
  key: (address, file) => `tunesmith.upload ${address} ${file.name} ${file.size} ${file.lastModified}`,
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // Storage can be forbidden: then a reload begins anew.
    }
  },
  set(key, address) {
    try {
      if (address) localStorage.setItem(key, address);
      else localStorage.removeItem(key);
    } catch {
      // As above.
    }
  },
};

class Refused extends Error {} // by the server, in words: trying again does not help

customElements.define("ts-upload", class extends HTMLElement {
  #stop = null;

  connectedCallback() {
    for (const drop of this.querySelectorAll(".drop")) this.#listen(drop);
    const form = this.querySelector("form");
    if (!this.dataset.begin) return;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.#stop) this.#send(form);
    });
    this.querySelector("[data-stop]").addEventListener("click", () => this.#stop?.abort());
  }

  #listen(drop) {
    const file = drop.querySelector("input"); // It fills the drop, so that the browser itself takes what falls on it.
    file.addEventListener("change", () => {
      const [first] = file.files;
      drop.querySelector("[data-chosen]").textContent = first ? `${first.webkitRelativePath.split("/")[0] || first.name} · ${size(first.size)}` : "";
    });
    for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, () => drop.toggleAttribute("data-over", true));
    for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.removeAttribute("data-over"));
  }

  async #send(form) {
    const inputs = [...form.querySelectorAll("input[type=file]")].filter((input) => input.files.length);
    this.#stop = new AbortController();
    this.#show(true);
    try {
      for (const input of inputs) {
        const id = await this.#upload(input.files[0]);
        form.querySelector(`[name="${input.name}_upload"]`).value = id;
      }
      for (const input of inputs) input.disabled = true; // its bytes are there; the form names them
      form.submit();
    } catch (problem) {
      this.#show(false);
      this.#say(this.#stop.signal.aborted ? this.dataset.wordStopped : problem instanceof Refused ? problem.message : this.dataset.wordUnsent);
      this.#stop = null;
    }
  }

  // Send what the server does not have yet; the upload's number.
  async #upload(file) {
    const key = begun.key(this.dataset.begin, file);
    const known = begun.get(key);
    let upload = known && (await this.#ask(known).catch(() => null));
    if (!upload || upload.size !== file.size) {
      const form = new URLSearchParams({ file_name: file.name, size: file.size });
      upload = await this.#again(() => this.#ask(this.dataset.begin, { method: "POST", body: form }));
      begun.set(key, upload.address);
    }
    const start = { at: performance.now(), received: upload.received };
    while (upload.received < file.size) {
      this.#tell(file, upload.received, start);
      upload = await this.#piece(file, upload);
    }
    this.#tell(file, file.size, start);
    begun.set(key, "");
    return upload.id;
  }

  // One piece; after a failure the server is asked how far it came.
  #piece(file, upload) {
    return this.#again(async (isFirst) => {
      const { received } = isFirst ? upload : await this.#ask(upload.address);
      const body = file.slice(received, received + PIECE);
      if (!body.size) return { ...upload, received };
      const headers = { "Content-Type": "application/octet-stream" };
      return this.#ask(`${upload.address}?offset=${received}`, { method: "POST", body, headers });
    });
  }

  async #again(act) {
    for (let tried = 0; ; tried += 1) {
      try {
        return await act(tried === 0);
      } catch (problem) {
        if (problem instanceof Refused || this.#stop.signal.aborted || tried + 1 >= TRIES) throw problem;
        this.querySelector("[data-left]").textContent = this.dataset.wordAgain;
        await this.#wait(Math.min(LONGEST_WAIT_MS, 1000 * 2 ** tried) * (0.75 + Math.random() / 2));
      }
    }
  }

  #wait(delay) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, delay);
      this.#stop.signal.addEventListener("abort", () => (clearTimeout(timer), reject(this.#stop.signal.reason)), { once: true });
    });
  }

  async #ask(address, { headers = {}, ...rest } = {}) {
    const token = document.querySelector('meta[name="csrf-token"]').content;
    const answer = await fetch(address, { headers: { Accept: "application/json", "X-CSRFToken": token, ...headers }, signal: this.#stop.signal, ...rest });
    const passes = answer.status >= 500 || [408, 409, 429].includes(answer.status); // 409: at another byte than thought
    if (!answer.ok) throw passes ? new Error(answer.status) : new Refused((await answer.json()).message);
    return answer.json();
  }

  #show(isSending) {
    for (const part of this.querySelectorAll("[data-sending]")) part.hidden = !isSending;
    for (const part of this.querySelectorAll("[data-choosing]")) part.hidden = isSending;
    if (isSending) this.querySelector("[data-said]").replaceChildren();
  }

  #tell(file, received, start) {
    const bar = this.querySelector("[data-sending] progress");
    bar.max = file.size || 1;
    bar.value = received;
    this.querySelector("[data-sent]").textContent = filled(this.dataset.wordSent, { file: file.name, sent: size(received), size: size(file.size) });
    const seconds = (performance.now() - start.at) / 1000;
    const rate = (received - start.received) / seconds;
    this.querySelector("[data-left]").textContent = seconds > 2 && rate ? filled(this.dataset.wordLeft, { time: duration((file.size - received) / rate) }) : "";
  }

  #say(text) {
    const note = document.createElement("p");
    note.className = "note note-failed";
    note.role = "alert";
    note.textContent = text;
    this.querySelector("[data-said]").replaceChildren(note);
  }
});
