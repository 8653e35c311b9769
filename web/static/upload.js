// <ts-upload> around an upload form: files are dropped or chosen, the first one's name becomes the dataset's, and a request
// that broke says so. Without this file the form works as any other.
const WRITTEN_OUT = { ä: "ae", ö: "oe", ü: "ue", ß: "ss", æ: "ae", ø: "oe", å: "aa" };
const written = (text) => text.normalize("NFC").replace(/[äöüßæøå]/g, (letter) => WRITTEN_OUT[letter]).normalize("NFKD").replace(/\p{M}/gu, "");
const nameOf = (file) => written(file.toLowerCase().replace(/\.[^.]*$/, "")).replace(/[^a-z0-9._-]+/g, "-").replace(/^[-._]+|[-._]+$/g, "").slice(0, 64) || "data";
const size = (file) => `${(file.size / 1024).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 })} KiB`;

customElements.define("ts-upload", class extends HTMLElement {
  connectedCallback() {
    for (const drop of this.querySelectorAll(".drop")) this.#listen(drop);
    const name = this.querySelector("[name=name]"), train = this.querySelector("[name=train]");
    let proposed = name?.value;
    train?.addEventListener("change", ({ target: { files: [first] } }) => {
      if (first && name.value === proposed) name.value = proposed = nameOf(first.name);
    });
    this.addEventListener("htmx:sendError", () => this.#say(this.dataset.wordUnsent)); // e.g. the file changed since it was chosen
    this.addEventListener("htmx:responseError", () => this.#say(this.dataset.wordRefused));
  }

  #listen(drop) {
    const file = drop.querySelector("input"); // It fills the drop, so that the browser itself takes what falls on it.
    file.addEventListener("change", () => {
      const [first] = file.files;
      drop.querySelector("[data-chosen]").textContent = first ? `${first.webkitRelativePath.split("/")[0] || first.name} · ${size(first)}` : "";
    });
    for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, () => drop.toggleAttribute("data-over", true));
    for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.removeAttribute("data-over"));
  }

  #say(text) {
    const note = document.createElement("p");
    note.className = "note note-failed";
    note.textContent = text;
    this.querySelector("#problems").replaceChildren(note);
  }
});
