// Which rows the ladder shows, and where. Texts stand in lanes (the gutters beside the hosts and the room between
// them; on a narrow screen there is one lane only), and in a lane nothing begins before the last has ended: so no
// words overlap. Later is lower, and more time takes more room. Draws nothing (ladder_draw.js does).
const PLAIN_KEPT = 4, ROWS_SHOWN = 220, REVEAL = 100;
const LINE = 14, LABEL = 15, FALL = 14, HEADS = 7;

const L = { connection: 0, revealed: new Set(), stops: [] };

// The hosts that send or receive, the two that the scenario shows at the sides.
function ladderNodes() {
  const seen = new Set();
  for (const r of rows) for (const name of [r.from, r.to, r.node]) if (name && r.kind !== "state" && isMine(r)) seen.add(name);
  for (const r of rows) if (r.kind === "state" && isMine(r)) seen.add(r.node);
  const known = D.nodes.filter((n) => n.kind !== "switch" && seen.has(n.name)).map((n) => n.name);
  const c = L.connection ? connections[L.connection - 1] : undefined, sides = c ? c.ends.map((e) => e.node) : D.sides || [];
  const left = known.includes(sides[0]) || !known.length ? sides[0] : known[0], right = known.includes(sides[1]) && sides[1] !== left ? sides[1] : known.find((n) => n !== left);
  return [left, ...known.filter((n) => n !== left && n !== right), right].filter((n) => n);
}

// -- which rows --------------------------------------------------------------------------------

const isMine = (r) => !L.connection || r.connection === undefined || r.connection === L.connection;
// What segments must have in common for a few to stand for all; undefined: each is told.
function likeness(r, told) {
  if (!isSegment(r) || !r.stray && !isLost(r) && (/[SFR]/.test(r.flags || "") || causedBy.has(r.i) || told.has(r.i))) return undefined;
  return [r.fate === "arrived" ? "" : r.fate, r.verdict || "", reasonOf(r) || "", r.stray ? r.flags : ""].join("/");
}

// Of each long run of like segments the first and the last few stay; of too much, the middle goes.
function hiddenRows(all, told) {
  const hidden = new Set(), like = all.map((r) => likeness(r, told));
  let begin = 0;
  for (let i = 1; i <= all.length; i++) {
    if (i < all.length && like[i] !== undefined && like[i] === like[begin]) continue;
    if (i - begin > PLAIN_KEPT + (like[begin] === "///" ? 2 : 8)) for (let k = begin + PLAIN_KEPT / 2; k < i - PLAIN_KEPT / 2; k++) hidden.add(all[k].i);
    begin = i;
  }
  const shown = all.filter((r) => !hidden.has(r.i));
  if (shown.length > ROWS_SHOWN) for (const r of shown.slice(ROWS_SHOWN * 2 / 3, -ROWS_SHOWN / 3)) hidden.add(r.i);
  for (const i of L.revealed) hidden.delete(i);
  return hidden;
}

// Runs of hidden rows, each with the rows that are in it.
function findFolds(all, hidden) {
  const folds = [];
  let fold;
  for (const r of all) {
    if (!hidden.has(r.i)) { fold = undefined; continue; }
    if (!fold) folds.push(fold = { rows: [], key: r.i, at: r.at });
    fold.rows.push(r);
  }
  return folds;
}

function foldText(fold) {
  const segments = fold.rows.filter(isSegment), others = fold.rows.length - segments.length, lost = segments.filter(isLost).length;
  const last = fold.rows[fold.rows.length - 1];
  return `… ${count(segments.length)} segments${lost ? ` (${count(lost)} lost)` : ""}` +
    `${others ? `, ${count(others)} calls` : ""} until ${last.at.toFixed(3)} s`;
}

function reveal(fold) {
  for (const r of fold.rows.slice(0, REVEAL)) L.revealed.add(r.i);
}

function revealAround(i) {
  for (let k = Math.max(0, i - 4); k <= Math.min(rows.length - 1, i + 4); k++) L.revealed.add(k);
}

// The changes of state that no row of their own tells of.
function toldByArrival() {
  const told = new Map();
  for (const c of connections) for (const path of c.paths) for (const step of path)
    if (!step.state && step.row !== undefined) told.set(step.row, { ...step, connection: c.number, node: c.ends[step.end].node });
  return told;
}

// -- where -------------------------------------------------------------------------------------

const roomFor = (dt) => (dt > 0 ? 6 + Math.min(44, 9 * Math.log10(1 + dt * 1000)) : 0);

function stateText(r) {
  const text = r.by_timer && r.waited ? `${r.to} after ${span(r.waited)}` : r.to;
  return r.connection && connections.length > 1 && !L.connection ? `#${nameOf(connections[r.connection - 1])} ${text}` : text;
}

const whyText = (r) => (r.waited > 0 ? `${span(r.waited)} later: ${r.reason}` : r.reason);

// A pen goes down: `y` is where the next may begin, `free` where each lane is empty again.
function newPen(k) {
  return { k, y: 6, free: { L: 0, M: 0, R: 0 }, items: [], bottom: 0 };
}

// Room of `height` in a lane, not above `top`; where it begins.
function take(pen, lane, height, top = pen.y) {
  const from = Math.max(top, pen.free[lane]);
  pen.free[lane] = from + height;
  pen.bottom = Math.max(pen.bottom, from + height);
  return from;
}

function putText(pen, what, node, text, more, top) {
  const lane = laneOf(pen.k, node), lines = wrap(text, roomOf(pen.k, lane), what === "call" ? "600" : "400");
  const from = take(pen, lane, lines.length * LINE + 3, top);
  pen.items.push({ what, node, lines, y: from + LINE - 3, ...more });
  return from;
}

// A reason that holds for several segments at once is said once.
function newReason(pen, e) {
  const text = reasonOf(e.row) && `${e.t} ${e.row.from} ${whyText(e.row)}`;
  if (!text || text === pen.said) return undefined;
  pen.said = text;
  return text;
}

function putSend(pen, e) {
  const r = e.row, why = newReason(pen, e), lane = laneOf(pen.k, r.from);
  pen.y = Math.max(pen.y, (pen.heads.get(r.from) || 0) + 1);
  if (why && lane === "M") pen.y = putText(pen, "why", r.from, whyText(r), { row: r }) + 2;
  const top = take(pen, "M", LABEL + (isLost(r) ? FALL + 6 : 3));
  if (why && lane !== "M") putText(pen, "why", r.from, whyText(r), { row: r }, top);
  pen.items.push({ ...e, y: top + LABEL });
  pen.sent.set(r.i, top + LABEL);
  pen.y = top + 7;
  return top + LABEL;
}

function putArrival(pen, e, told) {
  const r = e.row, node = targetOf(pen.k, r), last = pen.heads.get(node) || 0;
  if (D.is_level) return pen.sent.get(r.i) || pen.y;
  const y = Math.max(pen.y + 4, (pen.sent.get(r.i) || 0) + FALL, last + HEADS);
  pen.heads.set(node, y);
  pen.items.push({ ...e, y });
  pen.y = y - 6;
  pen.bottom = Math.max(pen.bottom, y);
  const below = laneOf(pen.k, node) === "M" ? y + 3 : y - 8;
  if (r.verdict) putText(pen, "verdict", node, r.verdict, { row: r }, below);
  if (told.has(r.i)) putText(pen, "told", node, stateText(told.get(r.i)), { row: r }, below);
  return y;
}

function putFold(pen, e) {
  const top = Math.max(pen.y, pen.free.L, pen.free.M, pen.free.R) + 4;
  for (const lane of ["L", "M", "R"]) take(pen, lane, 30, top);
  pen.items.push({ ...e, y: top + 16 });
  pen.y = top + 26;
  return top + 16;
}

function putOther(pen, e) {
  const r = e.row, text = e.what === "state" ? stateText(r) : e.what === "call" ? r.text : `${r.node ? `${r.node} ` : ""}${r.text}`;
  const top = putText(pen, e.what, e.what === "note" ? undefined : r.node, text, { row: r });
  pen.y = top + 2;
  return top + LINE - 6;
}

// What the ladder tells of, in order.
function eventsShown(told) {
  const all = rows.filter(isMine), hidden = hiddenRows(all, told);
  const events = happenings.filter((e) => isMine(e.row) && !hidden.has(e.row.i) && !(e.what === "state" && e.row.isTold));
  for (const fold of findFolds(all, hidden)) events.push({ t: fold.at, key: fold.key, what: "fold", fold });
  return events.sort((x, y) => x.t - y.t || x.key - y.key);
}

// Everything with its place: { items, times, gaps, height }.
function layOut(k) {
  const told = toldByArrival(), events = eventsShown(told), pen = { ...newPen(k), sent: new Map(), heads: new Map() };
  const times = [], gaps = [];
  let now = events.length ? events[0].t : 0, labelled = -Infinity;
  for (const e of events) {
    if (e.t > now) {
      const from = Math.max(pen.y + 8, pen.bottom - 8), gap = roomFor(e.t - now);
      pen.y = Math.max(pen.y + gap, gap > 28 ? from + gap : 0);
      if (gap > 28) gaps.push({ y: pen.y - gap / 2 + 2, text: span(+(e.t - now).toFixed(2)) });
      now = e.t;
    }
    const y = e.what === "send" ? putSend(pen, e) : e.what === "arrive" ? putArrival(pen, e, told) : e.what === "fold" ? putFold(pen, e) : putOther(pen, e);
    if (e.what !== "fold" && y - labelled >= 13 && (!times.length || clock(times[times.length - 1].t) !== clock(e.t))) {
      times.push({ t: e.t, y });
      labelled = y;
    }
  }
  return { items: pen.items, times, gaps: gaps.filter((g) => !times.some((t) => Math.abs(t.y - g.y) < 13)), height: pen.bottom + 12 };
}
