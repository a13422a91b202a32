// The page as a whole: which connection and which row are chosen, and what is said of them.
// Knows all the other pieces.
let chosen, connection;

// -- a row in words ----------------------------------------------------------------------------

function fact(name, value) {
  return value === undefined || value === "" ? [] : [h("span", {}, name ? h("i", {}, `${name} `) : "", value)];
}

function stateFacts(r) {
  const how = r.kind !== "state" ? "" : r.by_timer ? `a timer${r.waited ? ` of ${span(r.waited)}` : ""}` : r.cause !== undefined ? rows[r.cause].text : "a call of the program";
  return [...fact("at", `${clock(r.at)} s`), ...fact("by", how)];
}

// A drop by its name, and what that means.
function dropText(r) {
  const meaning = r.verdict && (D.meanings || {})[r.verdict.replace(/^.*: /, "")];
  return meaning ? `${r.verdict} (${meaning.replace(/\.$/, "")})` : r.verdict;
}

function segmentFacts(r) {
  const way = r.arrived !== undefined ? `${clock(r.arrived)} s, after ${span(+(r.arrived - r.at).toFixed(9))}` : isLost(r) ? fateText(r) : "still under way at the end";
  const states = r.states && r.states.filter(Boolean).length ? `${r.from || "?"} ${r.states[0] || "?"}, ${r.to || "?"} ${r.states[1] || "?"}` : undefined;
  return [...fact(D.is_level ? "seen" : "sent", `${clock(r.at)} s`), ...(D.is_level ? [] : fact(isLost(r) ? "" : "arrives", way)), ...fact("seq", r.seq), ...fact("ack", r.ack),
    ...fact("bytes", r.proto === "TCP" || r.len ? count(r.len) : undefined), ...fact("window", r.window === undefined ? undefined : count(r.window)),
    ...(r.sack || []).flatMap((x) => fact("SACK", `${x[0]}:${x[1]}`)), ...fact("why", reasonOf(r) && whyText(r)), ...fact("receiver", dropText(r)), ...fact("states", states)];
}

function describe(r) {
  if (!isSegment(r)) return [h("b", { class: sideOf(r) === undefined ? "" : `end${r.end}` }, `${r.node || ""} `),
    h("b", {}, r.kind === "state" ? `${r.from} → ${r.to}` : r.text), h("div", { class: "facts" }, stateFacts(r))];
  return [h("b", { class: sideOf(r) === undefined ? "" : `end${r.end}` }, `${r.from || "?"} → ${r.to || "?"} `), h("b", {}, r.text),
    h("div", { class: "facts" }, segmentFacts(r))];
}

function showTip(r, e) {
  const tip_ = $("tip");
  if (e.pointerType === "touch" || !matchMedia("(hover: hover)").matches) return;
  tip_.replaceChildren(...describe(r));
  tip_.hidden = false;
  const wide = tip_.offsetWidth, high = tip_.offsetHeight, room = document.documentElement;
  tip_.style.left = `${Math.max(4, Math.min(e.clientX + 14, room.clientWidth - wide - 6))}px`;
  tip_.style.top = `${e.clientY + 18 + high > room.clientHeight ? e.clientY - high - 12 : e.clientY + 18}px`;
}

function hideTip() {
  $("tip").hidden = true;
}

// -- the chosen row ----------------------------------------------------------------------------

function markLadder() {
  for (const old of document.querySelectorAll(".is-on:not(tr)")) { old.classList.remove("is-on"); old.removeAttribute("aria-current"); }
  for (const old of document.querySelectorAll('#ladder-svg [aria-selected="true"]')) old.setAttribute("aria-selected", "false");
  if (chosen === undefined) return;
  const element = $(`row-${chosen}`), id = String(chosen), line_ = document.querySelector(`[data-of="${chosen}"]`);
  if (line_) line_.classList.add("is-on");
  if (element) { element.classList.add("is-on"); element.setAttribute("aria-selected", "true"); $("ladder-svg").setAttribute("aria-activedescendant", element.id); }
  for (const step of document.querySelectorAll("[data-rows], [data-state]"))
    if ((step.dataset.rows || "").split(" ").includes(id) || step.dataset.state === id) step.classList.add("is-on");
}

// Into sight, below the names of the hosts and above the details.
function bring(element) {
  const box = element.getBoundingClientRect(), top = 50, bottom = window.innerHeight - 130;
  if (box.top < top || box.bottom > bottom) window.scrollBy({ top: box.top - window.innerHeight * 0.4 });
}

function tell(...content) {
  const close = h("button", { type: "button", class: "close", "aria-label": "close", on: { click: () => { forget(); $("ladder-svg").focus({ preventScroll: true }); } } }, "×");
  $("detail").replaceChildren(close, ...content);
  $("detail").hidden = false;
}

function forget() {
  chosen = undefined;
  $("detail").hidden = true;
  $("ladder-svg").removeAttribute("aria-activedescendant");
  markLadder();
}

function choose(i, from) {
  const r = rows[i];
  if (r.connection && r.connection !== connection && connectionOf(r)) look(r.connection);
  chosen = i;
  if (!$(`row-${i}`)) { revealAround(i); drawLadder(); }
  markLadder();
  tell(...describe(r));
  if ($(`row-${i}`) && from !== "here") bring($(`row-${i}`));
  if (charts.length) moveCursor(r.at);
}

function openFold(fold) {
  const first = fold.rows[0].i;
  reveal(fold);
  drawLadder();
  choose(first);
}

// Rows and folds from top to bottom; a fold opens with Enter.
function ladderKeys(e) {
  const stops = L.stops, at = stops.findIndex((x) => x.element.id === $("ladder-svg").getAttribute("aria-activedescendant"));
  const to = { ArrowDown: at + 1, ArrowUp: at < 0 ? 0 : at - 1, Home: 0, End: stops.length - 1, PageDown: at + 10, PageUp: at - 10 }[e.key];
  const isOpening = e.key === "Enter" || e.key === " ";
  if (e.key === "Escape") { forget(); return; }
  if (!stops.length || (to === undefined && !isOpening)) return;
  e.preventDefault();
  if (isOpening && at >= 0 && stops[at].fold) { openFold(stops[at].fold); return; }
  const stop = stops[Math.min(Math.max(to === undefined ? at : to, 0), stops.length - 1)];
  if (stop.row !== undefined) { choose(stop.row); return; }
  chosen = undefined;
  markLadder();
  stop.element.classList.add("is-on");
  stop.element.setAttribute("aria-selected", "true");
  $("ladder-svg").setAttribute("aria-activedescendant", stop.element.id);
  tell(h("b", {}, foldText(stop.fold)), h("div", { class: "facts" }, "Enter shows them"));
  bring(stop.element);
}

// -- the chosen connection ---------------------------------------------------------------------

const toggle = (text, isOn, f, label_) => h("button", { type: "button", "aria-pressed": isOn === undefined ? undefined : String(isOn), "aria-label": label_, on: { click: f } }, text);

function fillTools(c) {
  const turn = (i) => () => { V.end = i; fillTools(c); makeCharts(c); };
  const ends = c ? c.ends.map((e, i) => (isWorthIt(c, i) || V.end === i ? toggle(`what ${e.node} sends`, V.end === i, turn(i)) : undefined)).filter(Boolean) : [];
  $("curve-tools").replaceChildren(...(ends.length > 1 ? ends : []),
    h("span", { class: "gap" }), toggle("+", undefined, () => zoom(0.5), "zoom in"), toggle("−", undefined, () => zoom(2), "zoom out"),
    toggle("◂", undefined, () => pan(-0.3), "earlier"), toggle("▸", undefined, () => pan(0.3), "later"), toggle("all", undefined, () => setView(...V.all), "show all of it"));
  if (connections.length < 2) return;
  const only = (n) => () => { L.connection = n; drawLadder(); fillTools(c); };
  $("ladder-tools").replaceChildren(toggle("all connections", L.connection === 0, only(0)), toggle(`only #${nameOf(connections[connection - 1])}`, L.connection !== 0, only(connection)));
}

function look(n) {
  const c = connections[n - 1];
  connection = n;
  for (const tr of document.querySelectorAll("#connection-table tr")) tr.classList.toggle("is-on", tr.dataset.connection === String(n) && connections.length > 1);
  V.end = c.sent[1] > c.sent[0] ? 1 : 0;
  $("states").hidden = !c.paths[0].length && !c.paths[1].length;
  document.querySelector(".pair").classList.toggle("one", $("states").hidden);
  drawStates(c);
  if (L.connection || isCapture) { L.connection = n; drawLadder(); }
  fillTools(c);
  makeCharts(c);
  markLadder();
}

// The connection with the most to tell is looked at first: the worst of a capture.
function mostTold() {
  const grade = { failed: 2e6, slow: 1e6 };
  const isKnown = (c) => c.ends.every((e) => e.node) && c.sent[0] + c.sent[1] > 0;
  const worth = (c) => (grade[c.severity] || 0) + (isKnown(c) ? 1e3 : 0) + Math.min(c.lost * 20 + (c.again[0] + c.again[1]) * 20, 4e5) + c.sent[0] / 1e6 + c.rows.length;
  return connections.reduce((best, c) => (worth(c) > worth(best) ? c : best), connections[0]);
}

function fillNotes() {
  $("ladder-note").replaceChildren(isCapture ? "Time goes down, not to scale. A capture knows of each segment when it passed, not when it was sent or arrived: so arrows are level. "
    : "Time goes down, not to scale. ", "Press a row for all that is known of it",
  h("span", { class: "keys" }, "; ", h("kbd", {}, "↑"), " ", h("kbd", {}, "↓"), " go from row to row"), ".");
  $("states-note").textContent = `Numbers are the steps, in order; a press opens the segment that made one.${isCapture ? " States are those that the segments prove." : ""}`;
  if (D.rows_left_out) $("ladder-note").after(h("p", { class: "note" }, `${count(D.rows_left_out)} rows in the middle are left out here; the curves below are of all.`));
}

function drawAll() {
  drawLadder();
  if (charts.length) drawCharts();
}

fillHead();
fillClaims();
fillConnections();
fillDrops();
fillCounters();
fillLinks();
fillNotes();
fill($("ladder-svg"), { tabindex: 0, role: "listbox", "aria-label": "Segments, calls and timers, in order", on: { keydown: ladderKeys } });
$("ladder-svg").addEventListener("scroll", () => { $("ladder-names").scrollLeft = $("ladder-svg").scrollLeft; });
// Rows of several long transfers at once are hard to read: of those, one.
if (D.rows_left_out && connections.length > 1 && D.connections_all < 20) L.connection = mostTold().number;
if (connections.length) look(mostTold().number);
else { document.querySelector(".pair").classList.add("one"); fillTools(undefined); makeCharts(undefined); }
drawLadder();
fillWords();

let widthWas = window.innerWidth;
window.addEventListener("resize", () => { if (window.innerWidth !== widthWas) { widthWas = window.innerWidth; drawAll(); } });
window.addEventListener("beforeprint", drawAll);
window.addEventListener("scroll", hideTip, { passive: true });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (charts.length) drawCharts(); });
