// <ts-chart data-url data-label>: curves on uPlot. The server answers {series: [{name, label, points: [[step, value], …]}], cursor};
// asked again with ?after=cursor it sends only what is new.
const BASE = new URL("./vendor/uplot/", import.meta.url);
const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
const SERIES_COLOURS = 7;
const FEWEST_SMOOTHED = 20; // points: a curve that is measured every ten steps is shown as it was measured

let library = null;

function loadLibrary() {
  library ??= new Promise((resolve, reject) => {
    document.head.append(make("link", { rel: "stylesheet", href: new URL("uPlot.min.css", BASE) }));
    document.head.append(make("script", { src: new URL("uPlot.iife.min.js", BASE), onload: () => resolve(window.uPlot), onerror: reject }));
  }).catch((problem) => {
    library = null; // the next look tries again
    throw problem;
  });
  return library;
}

/** An exponential moving average without the pull towards zero at its start. A few values are no noise: they stay. */
export function smooth(values, weight) {
  if (values.length < FEWEST_SMOOTHED) return values;
  let sum = 0;
  let total = 0;
  return values.map((value) => {
    if (value == null || !Number.isFinite(value)) return null;
    sum = sum * weight + value;
    total = total * weight + 1;
    return sum / total;
  });
}

/** Points in the order of their steps: an attempt that resumed from a checkpoint counts again from there. */
export function extend(points, fresh) {
  for (const [step, value] of fresh) {
    while (points.length && points.at(-1)[0] >= step) points.pop();
    points.push([step, value]);
  }
}

customElements.define("ts-chart", class extends HTMLElement {
  #series = new Map(); // name → [[step, value], …]
  #labels = new Map(); // name → what it is called in the reader's language
  #cursor = null;
  #weight;
  #plot = null;
  #parts = {};
  #probe;
  #colours = [];
  #hidden = new Set();
  #zoomed = false;
  #busy = false;
  #missed = false;

  connectedCallback() {
    if (this.#parts.plot) return;
    const shut = this.closest("details:not([open])"); // nobody sees it: it asks for nothing until somebody does
    if (shut) return void shut.addEventListener("toggle", () => this.connectedCallback(), { once: true });
    this.#weight = Number(this.dataset.smooth ?? 0.6);
    this.#draw();
    this.addEventListener("hint", () => this.#load());
    document.addEventListener("tunesmith:theme", this.#recolour);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.#recolour);
    new ResizeObserver(() => this.#parts.plot.clientWidth && this.#plot?.setSize(this.#area())).observe(this.#parts.plot);
    this.#recolour();
    this.#load();
  }

  disconnectedCallback() {
    document.removeEventListener("tunesmith:theme", this.#recolour);
    matchMedia("(prefers-color-scheme: dark)").removeEventListener("change", this.#recolour);
  }

  #draw() {
    const words = this.dataset;
    const legend = make("div", { className: "chart-legend", role: "group", ariaLabel: words.wordSeries });
    const range = make("input", { type: "range", min: 0, max: 0.98, step: 0.02, value: this.#weight });
    range.addEventListener("input", () => {
      this.#weight = Number(range.value);
      this.#refresh();
    });
    const smoothing = make("label", { className: "chart-smooth" });
    smoothing.append(words.wordSmoothing, range);
    const whole = make("button", { type: "button", className: "button small", textContent: words.wordWhole, hidden: true });
    whole.addEventListener("click", () => this.#showWhole());
    const table = make("button", { type: "button", className: "button small", textContent: words.wordTable, ariaPressed: "false" });
    table.addEventListener("click", () => this.#showTable(table.ariaPressed !== "true"));
    const log = make("button", { type: "button", className: "button small", textContent: words.wordLog, ariaPressed: String(words.scale === "log") });
    log.addEventListener("click", () => this.#scale(log));
    const csv = make("button", { type: "button", className: "button small", textContent: words.wordCsv });
    csv.addEventListener("click", () => this.#save("csv", new Blob([this.#csv()], { type: "text/csv" })));
    const png = make("button", { type: "button", className: "button small", textContent: words.wordPng });
    png.addEventListener("click", () => this.#plot?.ctx.canvas.toBlob((blob) => this.#save("png", blob)));
    const bar = make("div", { className: "chart-bar" });
    bar.append(legend, whole, smoothing, log, table, csv, png);
    const plot = make("div", { className: "chart-plot", tabIndex: 0, role: "img", ariaLabel: words.label });
    plot.addEventListener("keydown", (event) => this.#move(event));
    const read = make("output", { className: "chart-read", textContent: words.wordLoading });
    const rows = make("div", { className: "chart-table", tabIndex: 0, role: "region", ariaLabel: words.label, hidden: true });
    this.#probe = make("span", { hidden: true });
    this.#parts = { legend, whole, table, plot, read, rows };
    this.append(bar, plot, rows, read, this.#probe);
  }

  // --- data ---

  async #load() {
    if (this.#busy) return void (this.#missed = true);
    this.#busy = true;
    this.#missed = false;
    try {
      await loadLibrary(); // a hint may come before it
      const url = new URL(this.dataset.url, location.href);
      if (this.#cursor !== null) url.searchParams.set("after", this.#cursor);
      const answer = await fetch(url);
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      this.#take(await answer.json());
    } catch {
      this.#parts.read.textContent = this.dataset.wordError;
    } finally {
      this.#busy = false;
    }
    if (this.#missed) this.#load();
  }

  #take({ series, cursor }) {
    const known = this.#series.size;
    for (const { name, label, points } of series) {
      this.#labels.set(name, label ?? name);
      if (!this.#series.has(name)) this.#series.set(name, []);
      extend(this.#series.get(name), points);
    }
    if (this.#series.size !== known) this.#build();
    else this.#refresh();
    this.#cursor = cursor ?? null;
    const empty = [...this.#series.values()].every((points) => !points.length);
    if (empty) this.#parts.read.textContent = this.dataset.wordEmpty;
    else this.#say(null);
  }

  /** One column of steps, then for each series its raw and its smoothed values, aligned on the union of the steps. */
  #columns() {
    const tables = [...this.#series.values()].map((points) => {
      const values = points.map((point) => point[1]);
      return [points.map((point) => point[0]), values, this.#weight ? smooth(values, this.#weight) : values];
    });
    return tables.length ? window.uPlot.join(tables) : [[]];
  }

  // --- drawing ---

  #build() {
    this.#plot?.destroy();
    const names = [...this.#series.keys()];
    const stroke = (index) => () => this.#colours[index % SERIES_COLOURS];
    const quiet = () => this.#colours.at(-2);
    const axis = { stroke: quiet, font: "12px Inter, sans-serif", labelFont: "12px Inter, sans-serif", labelSize: 20, ticks: { show: false } };
    axis.grid = { stroke: () => this.#colours.at(-1), width: 1 };
    const series = names.flatMap((name, index) => {
      const dash = index ? [6, 4] : undefined;
      const show = !this.#hidden.has(name);
      return [
        { label: name, stroke: stroke(index), width: 1, alpha: 0.28, points: { show: false }, show, spanGaps: true },
        { label: name, stroke: stroke(index), width: 2, dash, points: { show: false }, show, spanGaps: true },
      ];
    });
    const options = {
      ...this.#area(),
      legend: { show: false },
      cursor: { sync: this.dataset.sync ? { key: this.dataset.sync } : undefined, y: false, points: { size: 7 } },
      scales: { x: { time: false, range: (plot, low, high) => this.#width(low, high) }, y: { distr: this.dataset.scale === "log" ? 3 : 1 } },
      axes: [{ ...axis, label: this.dataset.xLabel, size: 30 }, { ...axis, label: this.dataset.yLabel, size: 54 }],
      series: [{}, ...series],
      hooks: { setCursor: [(plot) => this.#say(plot.cursor.idx)], setSelect: [() => this.#zoom(true)] },
    };
    this.#plot = new window.uPlot(options, this.#columns(), this.#parts.plot);
    this.#plot.over.addEventListener("dblclick", () => this.#showWhole());
    this.#drawLegend(names);
  }

  #area() {
    const { clientWidth, clientHeight } = this.#parts.plot;
    return { width: clientWidth, height: clientHeight };
  }

  #drawLegend(names) {
    this.#parts.legend.replaceChildren(...names.map((name, index) => {
      const button = make("button", { type: "button", ariaPressed: String(!this.#hidden.has(name)) });
      button.append(make("span", { className: `swatch series-${(index % SERIES_COLOURS) + 1}` }), this.#labels.get(name));
      button.addEventListener("click", () => this.#toggle(button, name, index));
      return button;
    }));
  }

  #toggle(button, name, index) {
    const show = this.#hidden.delete(name);
    if (!show) this.#hidden.add(name);
    button.ariaPressed = String(show);
    for (const column of [1 + 2 * index, 2 + 2 * index]) this.#plot.setSeries(column, { show });
  }

  #refresh() {
    if (!this.#plot) return;
    this.#plot.setData(this.#columns(), !this.#zoomed);
    if (this.#zoomed) this.#plot.redraw();
    if (!this.#parts.rows.hidden) this.#fillTable();
  }

  #recolour = () => {
    const colour = (token) => {
      this.#probe.style.color = `var(--${token})`;
      this.#probe.hidden = false;
      const value = getComputedStyle(this.#probe).color;
      this.#probe.hidden = true;
      return value;
    };
    this.#colours = Array.from({ length: SERIES_COLOURS }, (_, index) => colour(`series-${index + 1}`));
    this.#colours.push(colour("text-3"), colour("hairline"));
    this.#plot?.redraw(false);
  };

  /** The axis ends at the planned steps, so that it does not grow with the run; a zoom is as it was drawn. */
  #width(low, high) {
    const planned = Number(this.dataset.steps || 0);
    return this.#zoomed || !planned ? [low, high] : [Math.min(0, low), Math.max(planned, high)];
  }

  #scale(button) {
    const log = this.dataset.scale !== "log";
    this.dataset.scale = log ? "log" : "";
    button.ariaPressed = String(log);
    if (this.#plot) this.#build();
  }

  /** A row for each step, a column for each curve, as they were reported. */
  #csv() {
    const data = this.#plot?.data ?? [[]];
    const quoted = (text) => `"${text.replaceAll('"', '""')}"`;
    const names = [...this.#series.keys()];
    const rows = [...data[0]].map((step, at) => [step, ...names.map((_, index) => data[1 + 2 * index][at] ?? "")].join(","));
    return [["step", ...names.map(quoted)].join(","), ...rows, ""].join("\r\n");
  }

  #save(ending, blob) {
    const link = make("a", { href: URL.createObjectURL(blob), download: `${document.title.replace(/[^\p{L}\p{N}]+/gu, "-")}.${ending}` });
    link.click();
    URL.revokeObjectURL(link.href);
  }

  #zoom(zoomed) {
    this.#zoomed = zoomed;
    this.#parts.whole.hidden = !zoomed;
  }

  #showWhole() {
    this.#zoom(false);
    this.#plot.setData(this.#plot.data);
  }

  // --- reading without a mouse, and without eyes ---

  #move(event) {
    const last = (this.#plot?.data[0].length ?? 0) - 1;
    const at = this.#plot?.cursor.idx ?? last;
    const stride = event.shiftKey ? 10 : 1;
    const target = { ArrowLeft: at - stride, ArrowRight: at + stride, Home: 0, End: last }[event.key];
    if (target === undefined || last < 0) return;
    event.preventDefault();
    const index = Math.max(0, Math.min(last, target));
    this.#plot.setCursor({ left: this.#plot.valToPos(this.#plot.data[0][index], "x"), top: 0 });
  }

  #format(value) {
    const number = Number(value).toLocaleString(document.documentElement.lang, { maximumSignificantDigits: 4 });
    return this.dataset.unit ? `${number} ${this.dataset.unit}` : number;
  }

  #say(index) {
    const data = this.#plot?.data;
    if (!data?.[0].length) return;
    const at = index ?? data[0].length - 1;
    const values = [...this.#series.keys()].flatMap((name, series) => {
      const value = data[1 + 2 * series]?.[at];
      return value == null || this.#hidden.has(name) ? [] : [`${this.#labels.get(name)} ${this.#format(value)}`];
    });
    this.#parts.read.textContent = `${this.dataset.xLabel} ${data[0][at]}: ${values.join(", ")}`;
  }

  #showTable(shown) {
    this.#parts.table.ariaPressed = String(shown);
    this.#parts.table.textContent = shown ? this.dataset.wordChart : this.dataset.wordTable;
    this.#parts.rows.hidden = !shown;
    this.#parts.plot.hidden = shown;
    if (shown) this.#fillTable();
  }

  #fillTable() {
    const data = this.#plot?.data ?? [[]];
    const table = make("table", { className: "table" });
    table.createCaption().textContent = this.dataset.label;
    const head = table.createTHead().insertRow();
    for (const name of [this.dataset.xLabel, ...this.#labels.values()]) head.append(make("th", { scope: "col", textContent: name, className: "number" }));
    const body = table.createTBody();
    for (let at = data[0].length - 1; at >= 0; at -= 1) {
      const row = body.insertRow();
      row.append(make("th", { scope: "row", textContent: data[0][at], className: "number" }));
      for (let series = 0; series < this.#series.size; series += 1) {
        const value = data[1 + 2 * series][at];
        row.append(make("td", { className: "number", textContent: value == null ? "" : this.#format(value) }));
      }
    }
    this.#parts.rows.replaceChildren(table);
  }
});
