// Which rows the ladder shows, and where: each has a place from top to bottom in the order in which
// things happened, with more room where more time passed. Draws nothing (ladder_draw.js does).
const PLAIN_KEPT = 6, ROWS_SHOWN = 220, REVEAL = 100;
const LINE = 18, SMALL = 14, ARRIVAL = 5;

const L = { connection: 0, revealed: new Set(), stops: [] };

// The hosts that send or receive, the two that the scenario shows at the sides.
function ladderNodes() {
  const seen = new Set();
  for (const r of rows) for (const name of [r.from, r.to, r.node]) if (name && r.kind !== "state") seen.add(name);
  for (const r of rows) if (r.kind === "state") seen.add(r.node);
  const known = D.nodes.filter((n) => n.kind !== "switch" && seen.has(n.name)).map((n) => n.name);
  const [left, right] = D.sides || [known[0], known[1]];
  const middle = known.filter((n) => n !== left && n !== right);
  return [left, ...middle, right].filter((n) => n !== undefined);
}

const isMine = (r) => !L.connection || r.connection === undefined || r.connection === L.connection;
const isPlain = (r) => isSegment(r) && r.fate === "arrived" && !r.verdict && !r.stray && !reasonOf(r) &&
  !(r.states && r.states[0] !== r.states[1]);

// Of each long run of ordinary segments the first and the last few stay; of too much, the middle goes.
function hiddenRows(all) {
  const hidden = new Set();
  let begin = 0;
  for (let i = 0; i <= all.length; i++) {
    if (i < all.length && isPlain(all[i])) continue;
    if (i - begin > PLAIN_KEPT + 2) for (let k = begin + PLAIN_KEPT / 2; k < i - PLAIN_KEPT / 2; k++) hidden.add(all[k].i);
    begin = i + 1;
  }
  const shown = all.filter((r) => !hidden.has(r.i));
  if (shown.length > ROWS_SHOWN) for (const r of shown.slice(ROWS_SHOWN * 2 / 3, -ROWS_SHOWN / 3)) hidden.add(r.i);
  for (const i of L.revealed) hidden.delete(i);
  return hidden;
}

// Runs of hidden rows: [first, last] among `all`.
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

const roomFor = (dt) => (dt > 0 ? 8 + Math.min(44, 9 * Math.log10(1 + dt * 1000)) : 0);

function stateText(r) {
  const text = r.by_timer && r.waited ? `after ${span(r.waited)}: ${r.from} → ${r.to}` : r.to;
  return r.connection && connections.length > 1 && !L.connection ? `#${r.connection} ${text}` : text;
}

// Everything with its height: { items, times, height }.
function layOut() {
  const all = rows.filter(isMine), hidden = hiddenRows(all), told = toldByArrival();
  const events = happenings.filter((e) => isMine(e.row) && !hidden.has(e.row.i) && !(e.what === "state" && e.row.isTold));
  for (const fold of findFolds(all, hidden)) events.push({ t: fold.at, key: fold.key, what: "fold", fold });
  events.sort((x, y) => x.t - y.t || x.key - y.key);
  const items = [], times = [], gaps = [];
  let y = 8, now = events.length ? events[0].t : 0, labelled = -Infinity;
  const put = (item, height) => { y += height; items.push({ ...item, y }); };
  for (const e of events) {
    const gap = roomFor(e.t - now), before = y;
    y += gap;
    if (gap > 28 && e.t - now >= 0.15) gaps.push({ y: (before + y) / 2 + 8, text: span(+(e.t - now).toFixed(2)) });
    now = e.t;
    if (e.what === "send") {
      if (reasonOf(e.row)) put({ what: "why", row: e.row }, SMALL);
      put(e, LINE);
    } else if (e.what === "arrive") {
      put(e, ARRIVAL);
    } else if (e.what === "fold") {
      put(e, LINE + 8);
      y += 6;
    } else {
      put(e, LINE);
    }
    const line = y;
    if (e.what === "arrive" && e.row.verdict) put({ what: "verdict", row: e.row }, SMALL);
    if (e.what === "arrive" && told.has(e.row.i)) put({ what: "told", step: told.get(e.row.i), row: e.row }, LINE);
    if (e.what !== "fold" && line - labelled >= 12 && (!times.length || times[times.length - 1].t !== e.t)) {
      times.push({ t: e.t, y: line });
      labelled = line;
    }
  }
  return { items, times, gaps, height: y + 16 };
}
