// The ladder as SVG: lives of hosts, segments as slanted arrows, calls, states, timers as brackets.
// Knows the places that ladder.js gives. Widths from 300 px on; more hosts make it scroll.
const LANE_MIN = 170, GUTTERS_FROM = 620, FONT = '11px system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif';

const pencil = document.createElement("canvas").getContext("2d");
function textWidth(text, weight = "400") {
  pencil.font = `${weight} ${FONT}`;
  return pencil.measureText(text).width;
}

function cut(text, room, weight) {
  if (textWidth(text, weight) <= room) return text;
  let n = text.length - 1;
  while (n > 3 && textWidth(`${text.slice(0, n)}…`, weight) > room) n--;
  return `${text.slice(0, n)}…`;
}

function breakLines(text, room, weight) {
  const lines = [];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    if (last !== undefined && textWidth(`${last} ${word}`, weight) <= room) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

// Lines of about the same length: no word stands alone if it need not.
function wrap(text, room, weight) {
  let lines = breakLines(text, room, weight);
  for (let less = room - 8; lines.length > 1 && less > 60; less -= 8) {
    const tighter = breakLines(text, less, weight);
    if (tighter.length > lines.length) break;
    lines = tighter;
  }
  return lines.map((l) => cut(l, room, weight));
}

// -- columns and lanes -------------------------------------------------------------------------

function columns(width, nodes) {
  const time = isFine ? 62 : 52, isWide = width >= GUTTERS_FROM, gutter = isWide ? Math.min(230, Math.max(150, (width - time) * 0.24)) : 0;
  const left = time + 18 + gutter, rest = isWide ? gutter + 10 : 18;
  const wide = Math.max(width, left + rest + LANE_MIN * (nodes.length - 1));
  const x = new Map(nodes.map((n, i) => [n, nodes.length > 1 ? left + i * (wide - left - rest) / (nodes.length - 1) : left]));
  return { x, wide, left, right: nodes.length > 1 ? wide - rest : wide - 10, nodes, gutter, time };
}

const isRight = (k, node) => k.nodes.length > 1 && node === k.nodes[k.nodes.length - 1];
const laneOf = (k, node) => (!k.gutter || !k.x.has(node) ? "M" : node === k.nodes[0] ? "L" : isRight(k, node) ? "R" : "M");
const laneWidth = (k) => (k.right - k.left) / Math.max(1, k.nodes.length - 1);
const roomOf = (k, lane) => (lane === "M" ? laneWidth(k) - 22 : k.gutter - 24);

// Where a text of a host stands: in its gutter, or inside beside its line.
function spot(k, node) {
  const lane = laneOf(k, node);
  if (!k.x.has(node)) return { x: (k.left + k.right) / 2, anchor: "middle" };
  if (lane === "L") return { x: k.x.get(node) - 20, anchor: "end" };
  if (lane === "R") return { x: k.x.get(node) + 20, anchor: "start" };
  return isRight(k, node) ? { x: k.x.get(node) - 10, anchor: "end" } : { x: k.x.get(node) + 10, anchor: "start" };
}

// Where a segment goes to, also if it did not get there.
function targetOf(k, r) {
  if (k.x.has(r.to)) return r.to;
  const c = connectionOf(r);
  if (c && k.x.has(c.ends[1 - r.end].node)) return c.ends[1 - r.end].node;
  return k.nodes.find((n) => n !== r.from) || k.nodes[0];
}

// -- segments ----------------------------------------------------------------------------------

function shape(r) {
  const kind = r.end === 0 || r.end === 1 ? `end${r.end}` : "other";
  return `row ${kind}${r.len ? " data" : ""}${r.again ? " again" : ""}${isLost(r) ? " lost" : ""}${r.fate === "damaged" ? " damaged" : ""}`;
}

function label(r) {
  return (connections.length > 1 && !L.connection && r.connection ? `#${nameOf(connections[r.connection - 1])} ` : "") + r.text;
}

function say(r) {
  if (r.kind !== "segment") return `${clock(r.at)} s, ${r.node || "the network"}: ${r.kind === "state" ? stateText(r) : r.text}`;
  const end = isLost(r) ? fateText(r) : r.arrived === undefined ? "under way at the end" : `arrives ${clock(r.arrived)} s`;
  return `${clock(r.at)} s, ${r.from || "nobody"} to ${r.to || "?"}: ${r.text}, ${end}${reasonOf(r) ? `, ${r.reason}` : ""}${r.verdict ? `, ${r.verdict}` : ""}`;
}

const option = (r) => ({
  role: "option", "aria-selected": "false", "aria-label": say(r),
  on: { click: () => choose(r.i, "here"), mousemove: (e) => showTip(r, e), mouseleave: hideTip },
});

function arrow(x0, y0, x1, y1, lost) {
  const long = Math.hypot(x1 - x0, y1 - y0) || 1, ux = (x1 - x0) / long, uy = (y1 - y0) / long;
  if (lost) return s("path", { class: "cross", d: `M${x1 - 5} ${y1 - 5}l10 10M${x1 - 5} ${y1 + 5}l10 -10` });
  return s("path", { class: "arrow", d: `M${x1} ${y1}l${-9 * ux - 4 * uy} ${-9 * uy + 4 * ux}l${8 * uy} ${-8 * ux}z` });
}

// From where to where: [x, y] twice.
function placeOf(k, r, y0, yArrive) {
  const to = targetOf(k, r), xTo = k.x.get(to), isStray = !k.x.has(r.from);
  const xFrom = isStray ? (xTo + (isRight(k, to) ? k.left : k.right)) / 2 : k.x.get(r.from);
  if (D.is_level) return [[xFrom, y0], [xTo, y0]];
  if (isLost(r) && !(k.x.has(r.to) && r.fate === "by a router")) return [[xFrom, y0], [xFrom + (xTo - xFrom) * 0.6, y0 + FALL]];
  return [[xFrom, y0], [xTo, yArrive === undefined ? y0 + FALL : yArrive]];
}

// The line lies below all words, the words above: two pieces of one row.
function drawSegment(k, r, y0, yArrive) {
  const [[x0, , ], [x1, y1]] = placeOf(k, r, y0, yArrive), goesRight = x1 >= x0, room = laneWidth(k) - 22;
  const text = s("text", { class: "halo", x: x0 + (goesRight ? 10 : -10), y: y0 - 4, "text-anchor": goesRight ? "start" : "end" }, cut(label(r), room));
  const end = x0 + (goesRight ? 1 : -1) * laneWidth(k), lost = isLost(r) && Math.abs(end - x1) > 30;
  const line_ = s("g", { class: shape(r), "data-of": r.i, "aria-hidden": "true", on: option(r).on },
    s("line", { class: "hit", x1: x0, y1: y0, x2: x1, y2: y1 }), s("line", { x1: x0, y1: y0, x2: x1, y2: y1 }), arrow(x0, y0, x1, y1, isLost(r)));
  const words = s("g", { class: shape(r), id: `row-${r.i}`, ...option(r) }, text,
    lost && s("text", { class: "halo", x: x1 + (goesRight ? 9 : -9), y: y1 + 4, "text-anchor": goesRight ? "start" : "end" }, cut(fateText(r), Math.abs(end - x1) - 14)));
  return [line_, words];
}

// -- what else there is ------------------------------------------------------------------------

function drawLines(k, e, kind, attributes) {
  const { x, anchor } = spot(k, e.node);
  return s("text", { class: `aside halo ${kind}`, x, y: e.y, "text-anchor": anchor, ...attributes },
    e.lines.map((l, i) => s("tspan", { x, dy: i ? LINE : 0 }, l)));
}

function drawPill(k, e, id) {
  const text = e.lines.join(" "), { x, anchor } = spot(k, e.node), wide = Math.min(textWidth(text) + 14, roomOf(k, laneOf(k, e.node)) + 14);
  const left = anchor === "end" ? x - wide : x;
  return s("g", { class: "pill", id, ...option(e.row) },
    s("rect", { x: left, y: e.y - 11, width: wide, height: 15, rx: 7.5 }), s("text", { x: left + wide / 2, y: e.y, "text-anchor": "middle" }, text));
}

function drawFold(k, e) {
  const open = () => { reveal(e.fold); drawLadder(); };
  return s("g", { class: "fold", id: `fold-${e.fold.key}`, role: "option", "aria-selected": "false", "aria-label": `${foldText(e.fold)}: show`, on: { click: open } },
    s("rect", { x: k.left, y: e.y - 14, width: k.right - k.left, height: 22, rx: 4 }),
    s("text", { x: (k.left + k.right) / 2, y: e.y + 1 }, cut(`${foldText(e.fold)} · show`, k.right - k.left - 8)));
}

// Timers run beside the lives, on the outer side; those that overlap stand beside each other.
function drawBrackets(k, items) {
  const at = new Map(), out = [], busy = new Map();
  for (const e of items) if (e.row) at.set(`${e.what} ${e.row.i}`, e.y);
  for (const e of items) {
    const r = e.row;
    if (!r || (e.what !== "send" && e.what !== "state") || r.since === undefined || !(r.waited > 0)) continue;
    const node = r.node || r.from;
    const from = at.get(`${r.event === "delayed_ack" ? "arrive" : rows[r.since].kind === "state" ? "state" : "send"} ${r.since}`);
    if (from === undefined || !k.x.has(node)) continue;
    const ends = busy.get(node) || [];
    let level = ends.findIndex((y) => y <= from);
    if (level < 0) level = ends.length;
    ends[level] = e.y;
    busy.set(node, ends);
    const x = k.x.get(node), way = (isRight(k, node) ? 1 : -1) * (6 + Math.min(level, 1) * 5);
    out.push(s("path", { class: "bracket", d: `M${x} ${from}h${way}V${e.y}h${-way}` }, s("title", {}, `a timer: ${span(r.waited)}`)));
  }
  return out;
}

function drawItem(k, e) {
  const r = e.row;
  switch (e.what) {
  case "why": return drawLines(k, e, "why");
  case "verdict": return drawLines(k, e, "verdict");
  case "told": return drawPill(k, e, undefined);
  case "state": return drawPill(k, e, `row-${r.i}`);
  case "fold": return drawFold(k, e);
  case "call": return drawLines(k, e, "call row", { id: `row-${r.i}`, ...option(r) });
  default: return drawLines(k, e, "note-text row", { id: `row-${r.i}`, ...option(r) });
  }
}

function drawNames(k) {
  const text = (n) => `${n} ${(D.nodes.find((x) => x.name === n) || {}).address || ""}`.trim();
  const anchor = (n, i) => (k.gutter ? "middle" : i === 0 ? "start" : isRight(k, n) ? "end" : "middle");
  $("ladder-names").replaceChildren(s("svg", { width: k.wide, height: 27, role: "none" }, k.nodes.map((n, i) => s("text", {
    x: k.x.get(n) + (k.gutter ? 0 : i ? 10 : -10), y: 18, "font-size": 13, "font-weight": 600, "text-anchor": anchor(n, i),
  }, cut(text(n), laneWidth(k) / (k.gutter ? 0.8 : 2.2))))));
}

function drawLadder() {
  hideTip();
  const nodes = ladderNodes(), k = columns(Math.max(300, $("ladder-svg").clientWidth), nodes);
  const { items, times, gaps, height } = layOut(k);
  const arrivals = new Map(items.filter((e) => e.what === "arrive").map((e) => [e.row.i, e.y]));
  const lives = nodes.map((n) => s("line", { class: "life", x1: k.x.get(n), x2: k.x.get(n), y1: 0, y2: height }));
  const clocks = times.map((t) => s("text", { class: "time", x: k.time - 6, y: t.y + 4 }, clock(t.t)));
  const breaks = gaps.map((g) => s("text", { class: "gap-text", x: k.time - 6, y: g.y + 3 }, g.text));
  const segments = items.filter((e) => e.what === "send").map((e) => [e, drawSegment(k, e.row, e.y, arrivals.get(e.row.i))]);
  const others = items.filter((e) => e.what !== "send" && e.what !== "arrive").map((e) => [e, drawItem(k, e)]);
  $("ladder-svg").replaceChildren(s("svg", { width: k.wide, height, role: "none" }, lives, breaks, clocks, drawBrackets(k, items),
    segments.map(([, p]) => p[0]), others.map(([, p]) => p), segments.map(([, p]) => p[1])));
  drawNames(k);
  L.stops = [...segments.map(([e, p]) => [e, p[1]]), ...others].filter(([e]) => !["why", "verdict", "told"].includes(e.what))
    .map(([e, element]) => ({ element, row: e.row && e.row.i, fold: e.fold, y: e.y })).sort((a, b) => a.y - b.y);
  markLadder();
}
