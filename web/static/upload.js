// <ts-upload> around an upload form: a file can be dropped anywhere in it, its name becomes the dataset's, and a request
// that broke says so. Without this file the form works as any other.
const WRITTEN_OUT = { ä: "ae", ö: "oe", ü: "ue", ß: "ss", æ: "ae", ø: "oe", å: "aa" };
const written = (text) => text.normalize("NFC").replace(/[äöüßæøå]/g, (letter) => WRITTEN_OUT[letter]).normalize("NFKD").replace(/\p{M}/gu, "");
const nameOf = (file) => written(file.toLowerCase().replace(/\.[^.]*$/, "")).replace(/[^a-z0-9._-]+/g, "-").replace(/^[-._]+|[-._]+$/g, "").slice(0, 64) || "data";

customElements.define("ts-upload", class extends HTMLElement {
  connectedCallback() {
    const [drop, file, chosen, name] = [".drop", "[name=train]", "[data-chosen]", "[name=name]"].map((part) => this.querySelector(part));
    let proposed = name.value;
    const show = () => {
      const [first] = file.files;
      chosen.textContent = first ? `${first.name} · ${(first.size / 1024).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 })} KiB` : "";
      if (!first || name.value !== proposed) return;
      name.value = proposed = nameOf(first.name);
    };
    file.addEventListener("change", show);
    for (const kind of ["dragenter", "dragover"]) {
      drop.addEventListener(kind, (event) => {
        event.preventDefault();
        drop.toggleAttribute("data-over", true);
      });
    }
    drop.addEventListener("dragleave", () => drop.removeAttribute("data-over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.removeAttribute("data-over");
      if (!event.dataTransfer.files.length) return;
      file.files = event.dataTransfer.files;
      show();
    });
    this.addEventListener("htmx:sendError", () => this.#say(this.dataset.wordUnsent)); // e.g. the file changed since it was chosen
    this.addEventListener("htmx:responseError", () => this.#say(this.dataset.wordRefused));
  }

  #say(text) {
    const note = document.createElement("p");
    note.className = "note note-failed";
    note.textContent = text;
    this.querySelector("#problems").replaceChildren(note);
  }
});
