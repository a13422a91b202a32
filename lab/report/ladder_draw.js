// The ladder as SVG: lives of hosts, segments as slanted arrows, calls, states, timers as brackets.
// Knows the places that ladder.js gives. Widths from 320 px on; more hosts make it scroll.
const CHAR = 6.1, LANE_MIN = 150;

function columns(width, nodes) {
  const left = (isFine ? 62 : 52) + 20, right = 20;
  const wide = Math.max(width, left + right + LANE_MIN * (nodes.length - 1));
  const x = new Map(nodes.map((n, i) => [n, nodes.length > 1 ? left + i * (wide - left - right) / (nodes.length - 1) : left]));
  return { x, wide, left, right: wide - right, nodes };
}

const cut = (text, room) => (text.length * CHAR <= room ? text : text.slice(0, Math.max(3, Math.floor(room / CHAR) - 1)) + "…");
const isRight = (k, node) => k.nodes.length > 1 && node === k.nodes[k.nodes.length - 1];
const sideX = (k, node) => (isRight(k, node) ? k.x.get(node) - 9 : (k.x.get(node) ?? k.left) + 9);
const sideAnchor = (k, node) => (isRight(k, node) ? "end" : "start");

function aside(k, node, y, text, kind, attributes) {
  return s("text", { class: `aside halo ${kind}`, x: sideX(k, node), y, "text-anchor": sideAnchor(k, node), ...attributes },
    cut(text, (k.right - k.left) / Math.max(1, k.nodes.length - 1) - 16));
}

// Where a segment goes to, also if it did not get there.
function targetOf(k, r) {
  if (k.x.has(r.to)) return r.to;
  const c = connectionOf(r);
  if (c && k.x.has(c.ends[1 - r.end].node)) return c.ends[1 - r.end].node;
  return k.nodes.find((n) => n !== r.from) || k.nodes[0];
}

function shape(r) {
  const kind = r.end === 0 || r.end === 1 ? `end${r.end}` : "other";
  return `row ${kind}${r.len ? " data" : ""}${r.again ? " again" : ""}${isLost(r) ? " lost" : ""}${r.fate === "damaged" ? " damaged" : ""}`;
}

function label(r) {
  return (connections.length > 1 && !L.connection && r.connection ? `#${r.connection} ` : "") + r.text;
}

function say(r) {
  if (r.kind !== "segment") return `${clock(r.at)} s, ${r.node || "the network"}: ${r.kind === "state" ? stateText(r) : r.text}`;
  const end = isLost(r) ? r.fate : r.arrived === undefined ? "under way at the end" : `arrives ${clock(r.arrived)} s`;
  return `${clock(r.at)} s, ${r.from || "nobody"} to ${r.to || "?"}: ${r.text}, ${end}${reasonOf(r) ? `, ${r.reason}` : ""}${r.verdict ? `, ${r.verdict}` : ""}`;
}

function arrow(x0, y0, x1, y1, lost) {
  const long = Math.hypot(x1 - x0, y1 - y0) || 1, ux = (x1 - x0) / long, uy = (y1 - y0) / long;
  if (lost) return s("path", { class: "cross", d: `M${x1 - 5} ${y1 - 5}l10 10M${x1 - 5} ${y1 + 5}l10 -10` });
  return s("path", { class: "arrow", d: `M${x1} ${y1}l${-9 * ux - 4 * uy} ${-9 * uy + 4 * ux}l${8 * uy} ${-8 * ux}z` });
}

function drawSegment(k, r, y0, yArrive) {
  const to = targetOf(k, r), xTo = k.x.get(to), isStray = !k.x.has(r.from);
  const xFrom = isStray ? (xTo + (isRight(k, to) ? k.left : k.right)) / 2 : k.x.get(r.from);
  const lost = isLost(r) && !(k.x.has(r.to) && r.fate === "by a router");
  let x1 = xTo, y1 = yArrive === undefined ? y0 + 14 : yArrive;
  if (lost) { x1 = xFrom + (xTo - xFrom) * 0.72; y1 = y0 + 13; }
  const goesRight = x1 >= xFrom, angle = Math.atan2(goesRight ? y1 - y0 : y0 - y1, Math.abs(x1 - xFrom)) * 180 / Math.PI;
  const text = s("text", {
    class: "halo", "text-anchor": goesRight ? "start" : "end", dy: -4,
    transform: `translate(${xFrom + (goesRight ? 10 : -10)} ${y0 + (y1 - y0) * 10 / Math.max(20, Math.abs(x1 - xFrom))}) rotate(${angle.toFixed(2)})`,
  }, cut(label(r), Math.abs(x1 - xFrom) - 22));
  const ends = { x1: xFrom, y1: y0, x2: x1, y2: y1 };
  return s("g", { class: shape(r), id: `row-${r.i}`, role: "option", "aria-selected": "false", "aria-label": say(r), on: { click: () => choose(r.i, "here") } },
    s("line", { class: "hit", ...ends }), s("line", ends), arrow(xFrom, y0, x1, y1, isLost(r)), text,
    lost && s("text", { class: "halo", x: x1 + (goesRight ? 9 : -9), y: y1 + 4, "text-anchor": goesRight ? "start" : "end" },
      cut(r.fate, Math.abs(xTo - x1) - 12)));
}

function drawPill(k, node, y, text, r, id) {
  const wide = text.length * 5.9 + 12, right = isRight(k, node), x = sideX(k, node) - (right ? wide : 0);
  return s("g", { class: "pill", id, role: "option", "aria-selected": "false", "aria-label": say(r), on: { click: () => choose(r.i, "here") } },
    s("rect", { x, y: y - 11, width: wide, height: 14, rx: 7 }), s("text", { x: x + wide / 2, y, "text-anchor": "middle" }, text));
}

function drawText(k, e) {
  const r = e.row, isCall = e.what === "call" && k.x.has(r.node);
  const attributes = { id: `row-${r.i}`, role: "option", "aria-selected": "false", "aria-label": say(r), on: { click: () => choose(r.i, "here") } };
  if (isCall) return aside(k, r.node, e.y, r.text, "call row", attributes);
  return s("text", { class: "aside halo note-text row", x: (k.left + k.right) / 2, y: e.y, "text-anchor": "middle", ...attributes },
    cut(`${r.node ? `${r.node} ` : ""}${r.text}`, k.right - k.left));
}

function drawFold(k, e) {
  const open = () => { reveal(e.fold); drawLadder(); };
  return s("g", { class: "fold", id: `fold-${e.fold.key}`, role: "option", "aria-selected": "false", "aria-label": `${foldText(e.fold)}: show`, on: { click: open } },
    s("rect", { x: k.left, y: e.y - 15, width: k.right - k.left, height: 22, rx: 4 }),
    s("text", { x: (k.left + k.right) / 2, y: e.y }, cut(`${foldText(e.fold)} · show`, k.right - k.left)));
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
    const x = k.x.get(node), way = (isRight(k, node) ? 1 : -1) * (6 + Math.min(level, 1) * 6);
    out.push(s("path", { class: "bracket", d: `M${x} ${from}h${way}V${e.y}h${-way}` }, s("title", {}, `${span(r.waited)}`)));
  }
  return out;
}

function whyText(r) {
  return r.waited > 0 ? `${span(r.waited)} later: ${r.reason}` : r.reason;
}

function drawItem(k, e, arrivals) {
  const r = e.row;
  switch (e.what) {
  case "send": return drawSegment(k, r, e.y, arrivals.get(r.i));
  case "why": return aside(k, r.from, e.y, whyText(r), "why");
  case "verdict": return aside(k, targetOf(k, r), e.y + 4, r.verdict, "verdict");
  case "told": return drawPill(k, e.step.node, e.y, stateText(e.step), r, undefined);
  case "state": return drawPill(k, r.node, e.y, stateText(r), r, `row-${r.i}`);
  case "fold": return drawFold(k, e);
  case "arrive": return null;
  default: return drawText(k, e);
  }
}

function drawLadder() {
  const nodes = ladderNodes(), k = columns(Math.max(300, $("ladder-svg").clientWidth), nodes);
  const { items, times, gaps, height } = layOut();
  const arrivals = new Map(items.filter((e) => e.what === "arrive").map((e) => [e.row.i, e.y]));
  const lives = nodes.map((n) => s("line", { class: "life", x1: k.x.get(n), x2: k.x.get(n), y1: 0, y2: height }));
  const clocks = times.map((t) => s("text", { class: "time", x: k.left - 20, y: t.y + 4 }, clock(t.t)));
  const breaks = gaps.map((g) => s("text", { class: "gap-text", x: k.left - 20, y: g.y }, `⋮ ${g.text}`));
  // Arrows lie below what is written, so that words stay whole.
  const parts = items.map((e) => [e, drawItem(k, e, arrivals)]).filter((p) => p[1]);
  const isArrow = ([e]) => e.what === "send";
  $("ladder-svg").replaceChildren(s("svg", { width: k.wide, height, role: "none" }, lives, breaks, clocks, drawBrackets(k, items),
    parts.filter(isArrow).map((p) => p[1]), parts.filter((p) => !isArrow(p)).map((p) => p[1])));
  $("ladder-names").replaceChildren(s("svg", { width: k.wide, height: 27, role: "none" }, nodes.map((n, i) => s("text", {
    x: k.x.get(n) + (i ? 0 : -8), y: 18, "font-size": 13, "font-weight": 600, "text-anchor": i === 0 ? "start" : isRight(k, n) ? "end" : "middle",
  }, `${n} ${(D.nodes.find((x) => x.name === n) || {}).address || ""}`))));
  L.stops = parts.filter(([e]) => e.what !== "why" && e.what !== "verdict" && e.what !== "told")
    .map(([e, element]) => ({ element, row: e.row && e.row.i, fold: e.fold, y: e.y })).sort((a, b) => a.y - b.y);
  markLadder();
}
