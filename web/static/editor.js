// <ts-editor> around a textarea: the same text with line numbers and colours. Without this file the textarea works as any other.
import { EditorState, EditorView, HighlightStyle, StreamLanguage, basicSetup, json, python, syntaxHighlighting, tags, toml }
  from "./vendor/codemirror/codemirror.js";

const LANGUAGES = { py: () => python(), json: () => json(), toml: () => StreamLanguage.define(toml) };
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--series-1)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--series-3)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--series-2)" },
  { tag: [tags.comment], color: "var(--text-3)", fontStyle: "italic" },
  { tag: [tags.propertyName, tags.definition(tags.variableName)], color: "var(--series-6)" },
]);
const look = EditorView.theme({
  "&": { backgroundColor: "var(--surface)", color: "var(--text)", border: "1px solid var(--control)", borderRadius: "var(--radius)", fontSize: "var(--size-13)" },
  "&.cm-focused": { outline: "2px solid var(--focus)" },
  ".cm-scroller": { fontFamily: "var(--mono)", minHeight: "20em", maxHeight: "70vh", overflow: "auto" },
  ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--text-2)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--accent-tint) 50%, transparent)" },
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
});

customElements.define("ts-editor", class extends HTMLElement {
  connectedCallback() {
    const area = this.querySelector("textarea"), label = this.querySelector("label");
    const language = LANGUAGES[this.dataset.language];
    const edited = EditorView.updateListener.of((update) => { if (update.docChanged) area.value = update.state.doc.toString(); });
    const extensions = [basicSetup, look, syntaxHighlighting(colours), edited, EditorState.tabSize.of(4),
      EditorView.contentAttributes.of({ "aria-label": label.textContent }), language ? language() : []];
    // in a shadow tree its styles are sheets, which the content security policy allows, and no <style>, which it does not
    const place = document.createElement("div"), root = place.attachShadow({ mode: "open" });
    const view = new EditorView({ state: EditorState.create({ doc: area.value, extensions }), root, parent: root });
    view.scrollDOM.tabIndex = 0; // by keys, too, one reads on to the right and below
    area.hidden = true;
    area.after(place);
    label.addEventListener("click", () => view.focus());
    const line = Number(this.dataset.line);
    if (line > 0 && line <= view.state.doc.lines) {
      view.dispatch({ selection: { anchor: view.state.doc.line(line).from }, scrollIntoView: true });
      view.focus();
    }
  }
});
