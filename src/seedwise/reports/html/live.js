"use strict";
(() => {
  const page = window.seedwisePage, { data, element } = page;
  const $ = (id) => document.getElementById(id);
  let version = data.live.version, source = null, over = false;

  // --- the next state -------------------------------------------------------------------------------------------
  // The same four kinds of change as in updates.py.
  const put = (of, key, value) => Object.defineProperty(of, key, { value, writable: true, enumerable: true, configurable: true });
  const apply = (state, told) => {
    for (const [place, what, a, b, c] of told) {  // only what is of the state itself: a metric may be called "__proto__"
      const last = place[place.length - 1];
      const of = place.slice(0, -1).reduce((inner, key) => Object.getOwnPropertyDescriptor(inner, key).value, state);
      const old = what === "set" ? null : Object.getOwnPropertyDescriptor(of, last).value;
      if (what === "set") put(of, last, a);
      else if (what === "drop") delete of[last];
      else if (what === "cut") put(of, last, [...old.slice(0, a), ...c, ...old.slice(a + b)]);
      else a.forEach((number, k) => { old[number] = b[k]; });
    }
  };
  const REACHED = "button, summary, select, input, a[href], [tabindex]";
  const keepingFocus = (box, change) => {
    const held = [...box.querySelectorAll(REACHED)].indexOf(document.activeElement);
    change();
    const again = held < 0 ? null : box.querySelectorAll(REACHED)[held];
    if (again) again.focus({ preventScroll: true });
  };
  const nameOf = (details) => (details.querySelector("summary") || details).textContent.split(",")[0];
  const waiting = new Map();  // pieces in which the reader has marked text
  const replace = (name, html) => {
    const box = document.querySelector(`[data-piece="${CSS.escape(name)}"]`), marked = getSelection();
    if (!box) return;
    if (!marked.isCollapsed && marked.rangeCount && marked.getRangeAt(0).intersectsNode(box)) { waiting.set(name, html); return; }
    waiting.delete(name);
    keepingFocus(box, () => {
      const open = new Map([...box.querySelectorAll("details")].map((d) => [nameOf(d), d.open]));
      box.innerHTML = html;  // the server has escaped it, and the policy runs no script that came with it
      box.querySelectorAll("details").forEach((d) => { if (open.has(nameOf(d))) d.open = open.get(nameOf(d)); });
      box.querySelectorAll("table.sortable").forEach(page.sortable);
    });
  };
  document.addEventListener("selectionchange", () => { if (waiting.size && getSelection().isCollapsed) [...waiting].forEach(([name, html]) => replace(name, html)); });

  // Pictures are drawn when they are seen, one after another; one that the reader has zoomed into stands still.
  const stale = new Set(), seen = new Set(), zoomed = new Set();
  let drawing = false, told = 0;
  const drawStale = async () => {
    if (drawing || document.hidden) return;
    drawing = true;
    for (const id of [...stale]) {
      if (!seen.has(id) || zoomed.has(id)) continue;
      stale.delete(id);
      await page.draw(id);
    }
    drawing = false;
    if ([...stale].some((id) => seen.has(id) && !zoomed.has(id))) setTimeout(drawStale, 50);
  };
  setInterval(() => {  // what is not seen is drawn when there is nothing else to do
    const [id] = [...stale].filter((one) => !zoomed.has(one));
    if (id && !drawing && !document.hidden && performance.now() - told > 5000) { stale.delete(id); page.draw(id); }
  }, 1000);
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) seen[entry.isIntersecting ? "add" : "delete"](entry.target.dataset.figure);
    drawStale();
  }, { rootMargin: "300px" });
  document.addEventListener("visibilitychange", drawStale);
  document.querySelectorAll("figure[data-figure]").forEach((figure) => {
    const id = figure.dataset.figure;
    watcher.observe(figure);
    for (const kind of ["wheel", "pointerdown"]) figure.addEventListener(kind, (e) => { if (e.shiftKey) zoomed.add(id); }, { passive: true });
    figure.addEventListener("dblclick", () => { zoomed.delete(id); drawStale(); });
  });

  const showMetrics = () => {
    const select = $("metric");
    if (!data.metrics.includes(page.state.metric)) page.state.metric = data.metrics[0];
    select.replaceChildren(...data.metrics.map((name, k) => element("option", { value: String(k) }, name)));
    select.value = String(Math.max(0, data.metrics.indexOf(page.state.metric)));
    select.closest("label").hidden = data.metrics.length < 2;
  };
  const take = (changes) => {
    told = performance.now();
    const state = { data, pieces: {} };
    apply(state, changes);
    for (const [name, html] of Object.entries(state.pieces)) replace(name, html);
    const of = new Set(changes.filter(([place]) => place[0] === "data").map(([place]) => place[1]));
    if (of.has("metrics")) showMetrics();
    page.readParts();
    if (of.has("parts") || of.has("figures")) page.parts.forEach((_, k) => {
      const place = document.querySelector(`.runs[data-part="${k}"]`);
      if (place) keepingFocus(place, () => page.listRuns(k));
    });
    if (page.state.seed !== null && $(`run-${page.state.part}`)) keepingFocus($(`run-${page.state.part}`), () => page.choose(page.state.part, page.state.seed, null, true));
    for (const [place] of changes) if (place[0] === "data" && place[1] === "figures") {
      const id = place[2], figure = data.figures[id];
      $(`f-${id}`).closest("section").hidden = !Object.keys(figure.shown).length;
      if (place[3] !== "shown" || !page.state.metric || place[4] === page.state.metric || of.has("metrics")) stale.add(id);
    }
    drawStale();
  };

  // --- logs -----------------------------------------------------------------------------------------------------
  const LOOK_AGAIN = 2000;
  const logs = new Map();
  const fetchLog = async (log) => {
    if (!log.details.open || !log.details.isConnected || document.hidden || over) return;
    let answer = null;
    try { answer = await fetch(`log/${log.part}/${log.seed}?seen=${log.seen}`, { cache: "no-store" }); } catch (_) { return; }
    if (answer.status !== 200) return;
    const told = await answer.json();
    log.seen = told.seen;
    keepingFocus(log.place, () => log.place.replaceChildren(...(told.logs.length ? told.logs.flatMap(({ title, text, whole }) => [
      element("h5", {}, whole ? title : `${title} (the end)`), element("pre", { tabindex: "0" }, text),
    ]) : [element("p", {}, "There is nothing in its log yet.")])));
    log.place.querySelectorAll("pre").forEach((pre) => { pre.scrollTop = pre.scrollHeight; });
  };
  const logOf = (kind, part, seed, summary) => {
    const key = `${kind} ${part} ${seed}`;
    if (!logs.has(key)) {
      const log = { part, seed, seen: "", place: element("div"), summary: element("summary") };
      log.details = element("details", {}, log.summary, log.place);
      log.details.addEventListener("toggle", () => { fetchLog(log); if (!log.details.open) showGoing(); });
      logs.set(key, log);
    }
    const log = logs.get(key);
    if (log.summary.textContent !== summary) log.summary.textContent = summary;
    setTimeout(() => fetchLog(log));
    return log.details;
  };
  page.live.log = (part, seed) => logOf("run", part, seed, "The end of its log");
  setInterval(() => logs.forEach(fetchLog), LOOK_AGAIN);

  // --- what goes on now -----------------------------------------------------------------------------------------
  const lasting = (seconds) => (seconds < 60 ? `${Math.floor(seconds)} s` : seconds < 3600 ? `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
    : `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`);
  let going = [];
  const showGoing = () => {
    if (document.hidden || $("hold").checked) return;
    const now = performance.now() / 1000;
    const shown = going.map((one) => {
      const of = page.parts.length > 1 ? ` of ${page.parts[one.part] ? page.parts[one.part].name : ""}` : "";
      return logOf("going", one.part, one.seed, `seed ${one.seed}${of}, ${lasting(now - one.began)}${one.said ? `: ${one.said}` : ""}`);
    });
    for (const [key, log] of logs) {  // a log that is being read stays until it is closed
      if (key.startsWith("going ") && log.details.open && log.details.isConnected && !shown.includes(log.details)) {
        log.summary.textContent = `seed ${log.seed}, ended`;
        shown.push(log.details);
      }
    }
    const place = $("going");
    if (shown.length !== place.children.length || shown.some((details, k) => place.children[k] !== details)) keepingFocus(place, () => place.replaceChildren(...shown));
  };
  setInterval(showGoing, 1000);
  const title = document.title;
  const showNow = (told) => {
    $("standing").textContent = told.said;
    $("done").max = Math.max(1, told.n);
    $("done").value = told.ended;
    $("done").textContent = told.said;
    document.title = told.n > told.ended ? `${told.ended} of ${told.n} · ${title}` : title;
    const now = performance.now() / 1000;
    going = told.going.map(([part, seed, seconds, said]) => ({ part, seed, began: now - seconds, said }));
    showGoing();
  };

  // --- the server -----------------------------------------------------------------------------------------------
  const line = (text) => { if ($("line").textContent !== text) $("line").textContent = text; };
  const listen = () => {
    source = new EventSource(`events?from=${version}`);
    source.addEventListener("open", () => line(""));
    source.addEventListener("error", () => line(source.readyState === EventSource.CLOSED
      ? "This address is no longer served: see where seedwise watch was typed."
      : "The connection is lost: this is how things stood. Trying again …"));
    source.addEventListener("now", (e) => showNow(JSON.parse(e.data)));
    source.addEventListener("page", (e) => {
      const told = JSON.parse(e.data);
      version = told.version;
      $("as-of").textContent = told.as_of;
      take(told.changes);
      document.body.dataset.version = version;
    });
    source.addEventListener("reload", () => location.reload());
    source.addEventListener("over", (e) => { over = true; source.close(); line(JSON.parse(e.data).said); document.body.dataset.over = "yes"; });
  };
  $("hold").addEventListener("change", () => {
    if ($("hold").checked) { source.close(); line("This page stands still; the runs go on."); } else { line(""); listen(); }
  });
  $("as-of").textContent = data.live.as_of;
  showMetrics();
  listen();
})();
