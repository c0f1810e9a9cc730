"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const element = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const column = (c) =>
    Array.isArray(c) ? c : "all" in c ? Array(c.n).fill(c.all) : Array.from({ length: c.n }, (_, k) => c.from + k);
  const table = (columns) => Object.fromEntries(Object.entries(columns).map(([name, c]) => [name, column(c)]));
  const rows = (columns) => {
    const whole = table(columns);
    const names = Object.keys(whole);
    return (names.length ? whole[names[0]] : []).map((_, k) => Object.fromEntries(names.map((n) => [n, whole[n][k]])));
  };
  const parts = [];
  const readParts = () => { parts.splice(0, parts.length, ...data.parts.map((part) => ({ ...part, rows: rows(part.runs) }))); };
  readParts();
  const live = { log: null };  // what the script of a live page puts here
  const views = new Map();
  const state = { metric: data.metrics[0], logValues: false, logSteps: false, seed: null };
  const say = (text) => { $("told").textContent = text; };
  const heard = (text) => { if (!$("told").textContent.includes(text)) say(`${$("told").textContent} ${text}.`.trim()); };

  // --- pictures -------------------------------------------------------------------------------------------------
  const MANY = 1500;
  const own = (of, name) => (Object.hasOwn(of, name) ? of[name] : undefined);  // a metric may be called "toString"
  const shownIn = (figure) => own(figure.shown, state.metric) || own(figure.shown, "");
  const layersOf = (of, table) => {
    const own = (of.data && of.data.name) || table;
    return of.layer ? of.layer.flatMap((layer) => layersOf(layer, own)) : [[of, own]];
  };
  // Makes one axis of some panels logarithmic. An interval that reaches 0 is left out; of anything else that does, the axis
  // stays linear. Gives what the reader has to know.
  const logarithmic = (spec, panels, axis, datasets, what) => {
    const drawn = panels.flatMap((panel) => layersOf(panel, spec.data && spec.data.name))
      .filter(([layer]) => layer.encoding && layer.encoding[axis] && layer.encoding[axis].type === "quantitative");
    const left = [];
    for (const [layer, name] of drawn) {
      const end = layer.encoding[`${axis}2`], fields = [layer.encoding[axis], end].map((of) => of && of.field).filter(Boolean);
      const reaching = datasets[name].filter((row) => fields.some((field) => row[field] !== null && row[field] <= 0));
      const interval = end && ["rule", "area"].includes(layer.mark.type || layer.mark);
      if (reaching.length && !interval) return `${what} of 0 and below have no logarithm: that axis stays linear`;
      left.push(...reaching.map((row) => [row, fields]));
    }
    for (const [row, fields] of left) for (const field of fields) row[field] = null;
    for (const [layer] of drawn) {
      const channel = layer.encoding[axis];
      channel.scale = { ...(channel.scale || {}), type: "log", nice: false };
      delete channel.scale.zero;
    }
    return left.length ? "intervals that reach 0 or below are not drawn on a logarithmic axis" : "";
  };
  const panelsOf = (spec) => (spec.vconcat ? spec.vconcat : spec.concat ? spec.concat : [spec]);
  const zoomable = (panel, encodings) => {
    const first = panel.layer ? panel.layer[0] : panel;
    const drag = "[pointerdown[event.shiftKey], window:pointerup] > window:pointermove!";
    first.params = [...(first.params || []), { name: "zoom", select: { type: "interval", encodings, zoom: "wheel![event.shiftKey]", translate: drag }, bind: "scales" }];
  };
  const turns = new Map();
  const draw = async (id) => {
    const figure = data.figures[id], place = $(`c-${id}`), box = $(`f-${id}`);
    const caption = box.querySelector("figcaption"), shown = shownIn(figure);
    const before = views.get(id);
    const buttons = document.querySelector(`.buttons[data-for="${CSS.escape(id)}"]`);
    buttons.hidden = !shown;
    if (data.live) box.closest("section").hidden = !Object.keys(figure.shown).length;
    if (!shown) {
      if (before) { before.finalize(); views.delete(id); }
      place.replaceChildren();
      caption.textContent = own(figure.missing, state.metric) || "There is no such picture of this metric.";
      return;
    }
    const spec = structuredClone(shown.spec);
    const datasets = Object.fromEntries(Object.entries(shown.data).map(([name, c]) => [name, rows(c)]));
    spec.datasets = datasets;
    spec.config = structuredClone(data.config);
    const width = Math.max(220, place.clientWidth), panels = panelsOf(spec);
    if (state.logValues && figure.values) heard(logarithmic(spec, [panels[0]], figure.values, datasets, "values"));
    if (state.logSteps && figure.steps) heard(logarithmic(spec, panels, figure.steps, datasets, "steps"));
    if (spec.concat) spec.columns = width < 520 ? 1 : width < 900 ? 2 : panels.length;
    const beside = spec.concat ? spec.columns : 1;
    if (["dots", "curves", "ecdf"].includes(id)) zoomable(panels[0], id === "dots" ? ["x"] : ["x", "y"]);
    const big = Object.values(datasets).some((of) => of.length > MANY) && id === "dots";
    spec.config.axis.labelLimit = spec.config.legend.labelLimit = Math.max(90, width * 0.4);
    spec.config.legend.labelLimit = spec.config.legend.titleLimit = width * 0.9;
    const options = { actions: false, ast: true, renderer: big ? "canvas" : "svg", defaultStyle: false, tooltip: { theme: "custom" } };
    let inner = Math.max(60, (width - 60) / beside - 20), result;
    const fresh = element("div", before ? { class: "aside" } : {}), turn = (turns.get(id) || 0) + 1;
    turns.set(id, turn);
    place.append(fresh);
    for (let attempt = 0; attempt < 3; attempt++) {
      panels.forEach((p) => { p.width = inner; });
      if (result) result.finalize();
      result = await vegaEmbed(fresh, spec, options);
      const drawn = fresh.querySelector("svg, canvas");
      const whole = drawn ? parseFloat(drawn.getAttribute("width")) / (big ? devicePixelRatio : 1) : width;
      const off = width - whole;
      if (Math.abs(off) < 6 || (off > 0 && attempt > 0)) break;
      inner = Math.max(60, inner + off / beside);
    }
    if (turns.get(id) !== turn) { result.finalize(); fresh.remove(); return; }  // it was to be drawn once more meanwhile
    if (before) before.finalize();
    fresh.classList.remove("aside");
    place.replaceChildren(fresh);
    views.set(id, result);
    if (state.seed !== null) mark(state.seed);
    const drawn = fresh.querySelector("svg, canvas");
    if (drawn) { drawn.setAttribute("role", "img"); drawn.setAttribute("aria-label", `${figure.title}: ${shown.caption}`); }
    caption.textContent = shown.caption;
    result.view.addEventListener("click", (_, item) => {
      const seed = item && item.datum && item.datum.seed;
      if (seed !== undefined && seed !== null) choose(0, seed, item.datum.group);
    });
    const numbers = document.querySelector(`.numbers[data-for="${CSS.escape(id)}"]`);
    if (numbers.open) fill(numbers); else numbers.querySelector("div").replaceChildren();
  };
  const drawAll = async () => { for (const id of Object.keys(data.figures)) await draw(id); document.body.dataset.drawn = "yes"; };

  // --- tables ---------------------------------------------------------------------------------------------------
  const text = (value) => (value === null || value === undefined ? "–" : typeof value === "number" ? String(value) : value);
  const compared = (a, b) => {
    const x = parseFloat(a), y = parseFloat(b);
    if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
    if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
    return String(a).localeCompare(String(b));
  };
  const sortable = (made) => {
    made.querySelectorAll("thead th").forEach((head, k) => {
      const button = element("button", { type: "button" }, head.textContent);
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        made.querySelectorAll("th").forEach((h) => h.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const body = made.tBodies[0], lines = [...body.rows];
        lines.sort((a, b) => (up ? 1 : -1) * compared(a.cells[k].textContent, b.cells[k].textContent));
        body.replaceChildren(...lines);
      });
    });
  };
  const PAGE = 100;
  const paged = (names, lines, label, press, kept = { from: 0, by: null, up: true }) => {
    let sorted = lines;
    const body = element("tbody"), count = element("span"), heads = [];
    const show = () => {
      body.replaceChildren(...sorted.slice(kept.from, kept.from + PAGE).map((line) => element("tr", {}, ...line.map((value, k) =>
        element("td", typeof value === "number" ? { class: "number" } : {}, k === 0 && press ? press(value) : text(value))))));
      count.textContent = sorted.length > PAGE ? ` ${kept.from + 1} to ${Math.min(kept.from + PAGE, sorted.length)} of ${sorted.length} ` : "";
      back.disabled = kept.from === 0; next.disabled = kept.from + PAGE >= sorted.length;
      back.hidden = next.hidden = sorted.length <= PAGE;
    };
    const sort = () => {
      const by = names.indexOf(kept.by);
      if (by < 0) return;
      heads.forEach((h) => h.removeAttribute("aria-sort"));
      heads[by].setAttribute("aria-sort", kept.up ? "ascending" : "descending");
      sorted = [...lines].sort((a, b) => (kept.up ? 1 : -1) * compared(text(a[by]), text(b[by])));
    };
    const back = element("button", { type: "button" }, "Before"), next = element("button", { type: "button" }, "Next");
    back.addEventListener("click", () => { kept.from = Math.max(0, kept.from - PAGE); show(); });
    next.addEventListener("click", () => { kept.from += PAGE; show(); });
    names.forEach((name) => {
      const button = element("button", { type: "button" }, name), head = element("th", { scope: "col" }, button);
      button.addEventListener("click", () => {
        kept.up = kept.by === name ? !kept.up : true; kept.by = name; kept.from = 0;
        sort();
        show();
      });
      heads.push(head);
    });
    const made = element("table", {}, element("caption", { class: "hidden" }, label), element("thead", {}, element("tr", {}, ...heads)), body);
    const around = element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": label }, made);
    sort();
    show();
    return element("div", {}, around, element("div", { class: "buttons" }, back, count, next));
  };
  const fill = (numbers) => {
    const figure = data.figures[numbers.dataset.for], shown = shownIn(figure), place = numbers.querySelector("div");
    if (!shown) { place.replaceChildren(); return; }
    place.replaceChildren(...Object.entries(shown.data).filter(([name]) => name !== "nothing" && name !== "half").map(([name, c]) => {
      const whole = table(c), names = Object.keys(whole).filter((n) => n !== "height");
      const lines = (names.length ? whole[names[0]] : []).map((_, k) => names.map((n) => whole[n][k]));
      return paged(names, lines, `${figure.title}: ${name}`);
    }));
  };

  // --- runs -----------------------------------------------------------------------------------------------------
  const scores = (k) => {
    const found = new Map();
    for (const metric of data.metrics) {
      const shown = data.figures.dots && own(data.figures.dots.shown, metric);
      if (!shown) continue;
      const dots = table(shown.data.dots), mine = own(parts[k].labels, metric);
      found.set(metric, new Map(dots.seed.map((s, i) => [dots.group[i] === mine ? s : null, dots.value[i]])));
    }
    return found;
  };
  const looks = new Map();  // how the reader has each table of runs
  const listRuns = (k) => {
    const place = document.querySelector(`.runs[data-part="${k}"]`), part = parts[k], known = scores(k);
    if (!place) return;
    const metrics = [...known.keys()], further = Object.keys(part.runs).filter((n) => !["seed", "status", "log"].includes(n));
    const short = (name, value) => (name === "seconds" && typeof value === "number" ? Number(value.toPrecision(4)) : value);
    const lines = part.rows.map((r) => [r.seed, r.status, ...metrics.map((m) => known.get(m).get(r.seed) ?? null), ...further.map((n) => short(n, r[n]))]);
    const press = (seed) => {
      const button = element("button", { type: "button", "aria-label": `show the run under seed ${seed}` }, String(seed));
      button.addEventListener("click", () => choose(k, seed));
      return button;
    };
    if (!looks.has(k)) looks.set(k, { from: 0, by: null, up: true });
    place.replaceChildren(paged(["seed", "status", ...metrics, ...further], lines, `Every run of ${part.name}`, press, looks.get(k)));
  };
  const choose = (k, seed, group, again) => {
    if (group) k = Math.max(0, parts.findIndex((p) => own(p.labels, state.metric) === group));
    const part = parts[k];
    if (!part) return;
    const run = part.rows.find((r) => r.seed === seed), place = $(`run-${k}`);
    if (!run || !place) { if (place) place.textContent = `${part.name} has no run under seed ${seed}.`; return; }
    const known = scores(k), told = [`Seed ${seed} of ${part.name}: ${run.status}`];
    for (const [metric, of] of known) if (of.has(seed)) told.push(`${metric} ${of.get(seed)}`);
    const lines = [element("p", {}, told.join(", ") + (run.why ? `: ${run.why}` : ""))];
    const fact = (word, value) => lines.push(element("p", {}, `${word}: `, element("code", {}, value)));
    if (part.again) fact("To run this seed again", part.again.replaceAll("{the seed}", seed));
    if (part.folder) fact("Its log and files", part.folder.replaceAll("{the seed}", seed) + (run.attempt > 1 ? `-attempt-${run.attempt}` : ""));
    if (run.log) lines.push(element("details", {}, element("summary", {}, "The end of its log"), element("pre", { tabindex: "0" }, run.log)));
    if (live.log) lines.push(live.log(k, seed, run));
    place.replaceChildren(...lines);
    state.part = k;
    if (again) return;
    say(`seed ${seed} of ${part.name} is shown under “Every run”`);
    state.seed = seed;
    mark(seed);
  };
  const mark = (seed) => {
    for (const [, result] of views) { try { result.view.signal("chosen", seed).runAsync(); } catch (_) { /* a picture without seeds */ } }
  };

  // --- what the user does ---------------------------------------------------------------------------------------
  const again = () => { say(""); drawAll(); };
  if ($("metric")) $("metric").addEventListener("change", (e) => { state.metric = data.metrics[e.target.value]; again(); });
  if ($("log-values")) $("log-values").addEventListener("change", (e) => { state.logValues = e.target.checked; again(); });
  if ($("log-steps")) $("log-steps").addEventListener("change", (e) => { state.logSteps = e.target.checked; again(); });
  document.querySelectorAll("form").forEach((form) => form.addEventListener("submit", (e) => {
    e.preventDefault();
    if (form.dataset.part !== undefined) choose(Number(form.dataset.part), Number(form.querySelector("input").value.trim()));
  }));
  document.querySelectorAll(".numbers").forEach((numbers) => numbers.addEventListener("toggle", () => numbers.open && fill(numbers)));
  const save = (name, content, type) => {
    const link = element("a", { href: URL.createObjectURL(new Blob([content], { type })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 5000);
  };
  document.querySelectorAll(".buttons[data-for]").forEach((buttons) => buttons.addEventListener("click", async (e) => {
    const what = e.target.dataset.do, id = buttons.dataset.for, result = views.get(id);
    if (!what || !result) return;
    if (what === "svg") save(`${id}.svg`, (await result.view.toSVG()).replaceAll("currentColor", "#000000"), "image/svg+xml");
    if (what === "png") {
      const canvas = await result.view.toCanvas(2);
      canvas.toBlob((blob) => save(`${id}.png`, blob, "image/png"));
    }
    if (what === "caption") {
      const caption = shownIn(data.figures[id]).caption;
      try { await navigator.clipboard.writeText(caption); say("the caption is in the clipboard"); }
      catch (_) { getSelection().selectAllChildren($(`f-${id}`).querySelector("figcaption")); say("the caption is selected: copy it"); }
    }
  }));
  document.querySelectorAll("table.sortable").forEach(sortable);
  parts.forEach((_, k) => listRuns(k));
  let waiting, width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; clearTimeout(waiting); waiting = setTimeout(drawAll, 200); } });
  addEventListener("beforeprint", () => document.querySelectorAll("details:not(.numbers)").forEach((d) => { d.open = true; }));
  if (!document.querySelector(".chart")) document.body.dataset.drawn = "yes"; else drawAll();
  if (data.live) window.seedwisePage = { data, parts, views, state, live, element, say, draw, fill, sortable, readParts, listRuns, choose };
})();
