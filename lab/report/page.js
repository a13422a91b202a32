// The page as a whole: head, claims, tables; which connection and which row are chosen.
// Knows all the other pieces. The JSON is the only source of what is written.
let chosen, connection;

// -- head, claims ------------------------------------------------------------------------------

function fillHead() {
  const items = [["Question", D.question], ["Look at", D.look_at]].filter((x) => x[1]);
  for (const [name, value] of Object.entries(D.knobs)) items.push(["Knob", [h("code", {}, `${name} = ${value}`), ` ${D.knobs_doc[name] || ""}`]]);
  items.push(["Run", `seed ${D.seed}, ${span(D.seconds)} of the lab's time`]);
  $("head").append(...items.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  $("name").textContent = D.name;
  $("again").textContent = D.again;
}

function tag(holds, text) {
  return h("span", { class: `tag ${holds ? "holds" : "fails"}` }, text || (holds ? "holds" : "fails"));
}

function fillClaims() {
  const failed = D.claims.filter((c) => !c.holds).length;
  $("verdict-h").append(tag(!failed, failed ? `${failed} of ${D.claims.length} fail` : "all holds"));
  $("claims").append(...D.claims.map((c) => h("li", {}, tag(c.holds),
    h("span", {}, c.text, c.holds ? "" : h("small", { class: "bad" }, ` (line ${c.line}, at ${c.at} s)`)))));
  $("conclusion").textContent = D.conclusion || "";
}

// -- tables ------------------------------------------------------------------------------------

const cell = (...content) => h("td", {}, ...content);
const number = (n) => h("td", { class: "n" }, n === undefined ? "" : count(n));
const headRow = (...names) => h("thead", {}, h("tr", {}, names.map(([name, isNumber]) => h("th", { scope: "col", class: isNumber ? "n" : "" }, name))));

const TABLE_ROWS = 50;
function connectionRow(c) {
  const x = [samplesOf(c, 0), samplesOf(c, 1)];
  const sent = (end) => (x[end] && x[end].totals.bytes_sent) || c.sent[end];
  const end = (i) => h("span", { class: `end${i}` }, `${c.ends[i].node}:${c.ends[i].port}`);
  const state = (i) => stateNow(c, i) || "–";
  return h("tr", { "data-connection": c.number },
    cell(h("button", { type: "button", class: "plain", on: { click: () => look(c.number) }, "aria-label": `connection ${c.number}` }, `#${c.number}`)),
    cell(end(0), " – ", end(1), h("small", {}, `${clock(c.began)} s`)), cell(h("span", { class: "end0" }, state(0)), h("br"), h("span", { class: "end1" }, state(1))),
    h("td", { class: "n" }, count(sent(0)), h("br"), count(sent(1))), h("td", { class: "n" }, count(c.again[0]), h("br"), count(c.again[1])),
    h("td", { class: "n" }, c.lost ? h("b", { class: "bad" }, count(c.lost)) : "0"));
}

function fillConnections() {
  if (!connections.length) return;
  $("connections").hidden = false;
  $("connection-table").append(headRow(["#"], ["between"], ["state at the end"], ["bytes sent", 1], ["again", 1], ["lost", 1]),
    h("tbody", {}, connections.slice(0, TABLE_ROWS).map(connectionRow)));
  const more = D.connections_all - Math.min(connections.length, TABLE_ROWS);
  $("connections-more").textContent = more > 0 ? `and ${count(more)} more` : "";
}

function fillDrops() {
  const found = Object.entries(D.fates).map(([name, n]) => [name, "on the way", n, ""]);
  for (const [host, drops] of Object.entries(D.drops)) for (const [name, n] of Object.entries(drops)) found.push([name, host, n, D.meanings[name]]);
  $("drops").hidden = !found.length;
  $("drop-table").append(headRow(["what"], ["where"], ["how many", 1]), h("tbody", {}, found.map(([name, where, n, doc]) =>
    h("tr", { "data-drop": name }, cell(h("code", {}, name), h("small", {}, doc)), cell(where), number(n)))));
}

const dullNames = new Set(["IpInReceives", "IpInDelivers", "IpOutRequests", "TcpInSegs", "TcpOutSegs", "TcpExtTCPPureAcks"]);
function fillCounters() {
  const hosts = Object.keys(D.counters).filter((x) => Object.keys(D.counters[x]).length);
  const names = [...new Set(hosts.flatMap((x) => Object.keys(D.counters[x])))];
  const table = (list) => [headRow(["counter"], ...hosts.map((x) => [x, 1])), h("tbody", {}, list.map((name) =>
    h("tr", { "data-counter": name }, cell(h("code", {}, name), h("small", {}, D.meanings[name])), hosts.map((x) => number(D.counters[x][name])))))];
  const plain = names.filter((n) => !dullNames.has(n)), dull = names.filter((n) => dullNames.has(n));
  $("counters").hidden = !names.length;
  $("counter-table").append(...table(plain));
  $("counter-table").hidden = !plain.length;
  $("dull").hidden = !dull.length;
  $("dull-table").append(...table(dull));
}

function fillLinks() {
  const rate = (b) => (b ? b >= 1e9 ? `${b / 1e9} Gb/s` : b >= 1e6 ? `${b / 1e6} Mb/s` : `${b / 1e3} kb/s` : "no limit");
  $("links").hidden = !D.links.length;
  $("link-table").append(headRow(["from", 0], ["to", 0], ["delay", 1], ["rate", 1], ["frames", 1], ["lost", 1]), h("tbody", {}, D.links.map((l) =>
    h("tr", {}, cell(l.from), cell(l.to), h("td", { class: "n" }, span(l.delay)), h("td", { class: "n" }, rate(l.rate_bps)), number(l.frames), number(l.lost)))));
}

// -- the chosen row ----------------------------------------------------------------------------

function fact(name, value) {
  return value === undefined || value === "" ? [] : [`${name} ${value}`];
}

function describe(r) {
  if (!isSegment(r)) {
    const what = r.kind === "state" ? `${r.from} → ${r.to}` : r.text;
    const how = r.kind !== "state" ? "" : r.by_timer ? `by a timer${r.waited ? ` of ${span(r.waited)}` : ""}` : r.cause !== undefined ? `by ${rows[r.cause].text}` : "by a call";
    return [h("b", {}, `${r.node || ""} `), h("b", {}, what), h("div", { class: "facts" }, [`at ${clock(r.at)} s`, how].filter(Boolean).join(" · "))];
  }
  const way = r.arrived !== undefined ? `arrives ${clock(r.arrived)} s (${span(+(r.arrived - r.at).toFixed(9))})` : isLost(r) ? r.fate : "still under way at the end";
  const facts = [`sent ${clock(r.at)} s`, way, ...fact("flags", r.flags), ...fact("seq", r.seq), ...fact("ack", r.ack), `${count(r.len)} bytes`,
    ...fact("window", r.window === undefined ? undefined : count(r.window)), ...(r.sack || []).map((x) => `SACK ${x[0]}:${x[1]}`), ...fact("why:", reasonOf(r)),
    ...fact("after", r.waited ? span(r.waited) : undefined), ...fact("", r.verdict), ...(r.states ? [r.states.filter(Boolean).join(" → ")] : [])];
  return [h("b", { class: sideOf(r) === undefined ? "" : `end${r.end}` }, `${r.from || "?"} → ${r.to || "?"} `), h("b", {}, r.text),
    h("div", { class: "facts" }, facts.join(" · "))];
}

function markLadder() {
  for (const old of document.querySelectorAll(".is-on:not(tr)")) { old.classList.remove("is-on"); old.removeAttribute("aria-current"); }
  for (const old of document.querySelectorAll('#ladder-svg [aria-selected="true"]')) old.setAttribute("aria-selected", "false");
  if (chosen === undefined) return;
  const element = $(`row-${chosen}`), id = String(chosen);
  if (element) { element.classList.add("is-on"); element.setAttribute("aria-selected", "true"); $("ladder-svg").setAttribute("aria-activedescendant", element.id); }
  for (const step of document.querySelectorAll("[data-rows], [data-state]"))
    if ((step.dataset.rows || "").split(" ").includes(id) || step.dataset.state === id) step.classList.add("is-on");
}

// Into sight, below the names of the hosts and above the details.
function bring(element) {
  const box = element.getBoundingClientRect(), top = 50, bottom = window.innerHeight - 110;
  if (box.top < top || box.bottom > bottom) window.scrollBy({ top: box.top - window.innerHeight * 0.4 });
}

function choose(i, from) {
  const r = rows[i];
  if (r.connection && r.connection !== connection && connectionOf(r)) look(r.connection);
  chosen = i;
  if (!$(`row-${i}`)) { revealAround(i); drawLadder(); }
  markLadder();
  $("detail").replaceChildren(...describe(r));
  if ($(`row-${i}`) && from !== "here") bring($(`row-${i}`));
  if (charts.length) moveCursor(r.at);
}

// Rows and folds from top to bottom; a fold opens with Enter.
function ladderKeys(e) {
  const stops = L.stops, at = stops.findIndex((x) => x.element.id === $("ladder-svg").getAttribute("aria-activedescendant"));
  const to = { ArrowDown: at + 1, ArrowUp: at < 0 ? 0 : at - 1, Home: 0, End: stops.length - 1, PageDown: at + 10, PageUp: at - 10 }[e.key];
  const isOpening = (e.key === "Enter" || e.key === " ") && at >= 0 && stops[at].fold;
  if (!stops.length || (to === undefined && !isOpening)) return;
  e.preventDefault();
  if (isOpening) { const first = stops[at].fold.rows[0].i; reveal(stops[at].fold); drawLadder(); choose(first); return; }
  const stop = stops[Math.min(Math.max(to, 0), stops.length - 1)];
  if (stop.row !== undefined) { choose(stop.row); return; }
  chosen = undefined;
  markLadder();
  stop.element.classList.add("is-on");
  stop.element.setAttribute("aria-selected", "true");
  $("ladder-svg").setAttribute("aria-activedescendant", stop.element.id);
  $("detail").replaceChildren(h("b", {}, foldText(stop.fold)), h("div", { class: "facts" }, "Enter shows them"));
  bring(stop.element);
}

// -- the chosen connection ---------------------------------------------------------------------

const toggle = (text, isOn, f, label_) => h("button", { type: "button", "aria-pressed": isOn === undefined ? undefined : String(isOn), "aria-label": label_, on: { click: f } }, text);

function fillTools(c) {
  $("curve-tools").replaceChildren(...(c ? c.ends.map((e, i) => toggle(`what ${e.node} sends`, V.end === i, () => { V.end = i; fillTools(c); makeCharts(c); })) : []),
    h("span", { class: "gap" }), toggle("+", undefined, () => zoom(0.5), "zoom in"), toggle("−", undefined, () => zoom(2), "zoom out"),
    toggle("◂", undefined, () => pan(-0.3), "earlier"), toggle("▸", undefined, () => pan(0.3), "later"), toggle("all", undefined, () => setView(...V.all), "show all of it"));
  if (connections.length < 2) return;
  const only = (n) => () => { L.connection = n; drawLadder(); fillTools(c); };
  $("ladder-tools").replaceChildren(toggle("all connections", L.connection === 0, only(0)), toggle(`only #${connection}`, L.connection !== 0, only(connection)));
}

function look(n) {
  const c = connections[n - 1];
  connection = n;
  for (const tr of document.querySelectorAll("#connection-table tr")) tr.classList.toggle("is-on", tr.dataset.connection === String(n) && connections.length > 1);
  V.end = c.sent[1] > c.sent[0] ? 1 : 0;
  $("states").hidden = false;
  drawStates(c);
  if (L.connection) { L.connection = n; drawLadder(); }
  fillTools(c);
  makeCharts(c);
  markLadder();
}

// The connection with the most to tell is looked at first.
function mostTold() {
  const worth = (c) => c.lost * 20 + (c.again[0] + c.again[1]) * 20 + c.rows.length;
  return connections.reduce((best, c) => (worth(c) > worth(best) ? c : best), connections[0]);
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
if (D.rows_left_out) $("ladder").append(h("p", { class: "note" }, `${count(D.rows_left_out)} rows in the middle are left out.`));
fill($("ladder-svg"), { tabindex: 0, role: "listbox", "aria-label": "Segments, calls and timers, in order", on: { keydown: ladderKeys } });
$("ladder-svg").addEventListener("scroll", () => { $("ladder-names").scrollLeft = $("ladder-svg").scrollLeft; });
if (connections.length) look(mostTold().number);
else { document.querySelector(".pair").classList.add("one"); fillTools(undefined); makeCharts(undefined); }
drawLadder();
$("detail").append(h("div", { class: "facts" }, "A row that is chosen is told here in full."));

let widthWas = window.innerWidth;
window.addEventListener("resize", () => { if (window.innerWidth !== widthWas) { widthWas = window.innerWidth; drawAll(); } });
window.addEventListener("beforeprint", drawAll);
