// The run as the page needs it: rows with their neighbours, connections with the path of each end.
// Knows the JSON of `weir lab run --json`, and of captures; draws nothing. Times are seconds.
const D = JSON.parse(document.getElementById("run").textContent);
const rows = D.rows;
const $ = (id) => document.getElementById(id);

// -- making elements ---------------------------------------------------------------------------

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, f] of Object.entries(value)) element.addEventListener(event, f);
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of [children].flat(9)) if (child !== undefined && child !== null && child !== false) element.append(child);
  return element;
}

const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

// -- numbers as text ---------------------------------------------------------------------------

const count = (n) => Math.round(n).toLocaleString("en-US");
const isFine = D.kind === "capture" || rows.every((r) => r.at < 1 && !(r.arrived >= 1));
const clock = (t) => t.toFixed(isFine ? 6 : 3);

function span(t) {
  if (t >= 1) return `${+t.toFixed(3)} s`;
  return t >= 0.001 ? `${+(t * 1000).toFixed(3)} ms` : `${+(t * 1e6).toFixed(3)} µs`;
}

function bytes(n) {
  if (Math.abs(n) >= 1e6) return `${+(n / 1e6).toFixed(2)} MB`;
  return Math.abs(n) >= 1e4 ? `${+(n / 1e3).toFixed(1)} kB` : count(n);
}

// -- rows --------------------------------------------------------------------------------------

const isSegment = (r) => r.kind === "segment";
const isLost = (r) => isSegment(r) && r.lost !== undefined;
const timedReasons = new Set(["rto", "fast_retransmit", "loss_retransmit", "syn_retry", "synack_retry"]);
// Reasons that say no more than the segment itself does.
const plainReasons = new Set(["syn", "fin", "none"]);
const reasonOf = (r) => (r.event && !plainReasons.has(r.event) ? r.reason : undefined);
const sideOf = (r) => (r.connection === undefined ? undefined : r.end);

rows.forEach((r, i) => { r.i = i; });

// What a change of state is told by: its own row comes with the arrival that caused it.
const causedBy = new Map();
for (const r of rows) if (r.kind === "state" && r.cause !== undefined) {
  if (!causedBy.has(r.cause)) causedBy.set(r.cause, []);
  causedBy.get(r.cause).push(r);
}

// Before which row a segment arrived, where several things happen in one instant.
function arrivalKey(r) {
  if (D.is_level) return r.i + 0.25;
  const key = r.order === undefined ? r.i : r.order;
  const first = (causedBy.get(r.i) || []).find((c) => c.at === r.arrived && c.i < key);
  return (first ? Math.min(first.i, key) : key) - 0.5;
}

// -- connections -------------------------------------------------------------------------------

const connections = D.connections.map((c) => ({ ...c, told: c.lost, paths: [[], []], rows: [], lost: 0, again: [0, 0], sent: [0, 0], top: [0, 0] }));
const isCapture = D.kind === "capture";
const endName = (e) => (isCapture ? e.node : `${e.node || "?"}:${e.port}`);
// In a capture connections keep their numbers, though the worst stand first.
const nameOf = (c) => c.name ?? c.number;
const connectionOf = (r) => connections[r.connection - 1];

function addStep(c, end, step) {
  step.end = end;
  c.paths[end].push(step);
}

const stateNow = (c, end) => (c.paths[end].length ? c.paths[end][c.paths[end].length - 1].to : undefined);

// A listener's answer to a SYN has no row of its own: the segment that arrives tells of it.
function readArrival(c, r) {
  const end = 1 - r.end, now = stateNow(c, end);
  if (r.flags !== "S" || r.states[1] !== "SYN-RECEIVED" || now === "SYN-RECEIVED" || now === "SYN-SENT") return;
  addStep(c, end, { from: now && now !== "CLOSED" ? now : "LISTEN", to: "SYN-RECEIVED", at: r.arrived, row: r.i });
}

function readState(c, r) {
  const now = stateNow(c, r.end);
  if (r.from === "CLOSED" && r.to === "SYN-RECEIVED") {
    r.isTold = true; // the half-open one is made whole
    if (now === "SYN-RECEIVED") return;
    addStep(c, r.end, { from: "LISTEN", to: r.to, at: r.at, row: r.cause, state: r });
    return;
  }
  addStep(c, r.end, { from: r.from, to: r.to, at: r.at, row: r.cause, state: r });
}

// Whether the segment brings what was sent before.
function readSent(c, r) {
  const past = r.past = r.seq + r.len + (/[SF]/.test(r.flags) ? 1 : 0);
  r.again ??= timedReasons.has(r.event) || (past > r.seq && past <= c.top[r.end] && !r.stray && !/keepalive|window_probe/.test(r.event || ""));
  c.top[r.end] = /S/.test(r.flags) ? 1 : Math.max(c.top[r.end], past);
  c.sent[r.end] += r.len;
  c.again[r.end] += r.again ? 1 : 0;
  c.lost += isLost(r) ? 1 : 0;
}

// All that happens, in the order in which it does.
const happenings = [];
for (const r of rows) {
  happenings.push({ t: r.at, key: r.i, what: isSegment(r) ? "send" : r.kind, row: r });
  if (isSegment(r) && r.arrived !== undefined) happenings.push({ t: r.arrived, key: arrivalKey(r), what: "arrive", row: r });
}
happenings.sort((x, y) => x.t - y.t || x.key - y.key);
for (const e of happenings) {
  const c = connectionOf(e.row);
  if (!c) continue;
  if (e.what === "send") { c.rows.push(e.row); readSent(c, e.row); }
  if (e.what === "arrive" && e.row.fate === "arrived") readArrival(c, e.row);
  if (e.what === "state") readState(c, e.row);
}

// What an end sends that has numbers, or ends it.
function sentOf(c, end) {
  if (!c.seen) return ownSent(c, end);
  const at = new Map(c.rows.filter((r) => r.end === end && r.past > r.seq).map((r) => [`${r.at} ${r.seq}`, r.i]));
  return c.allSent?.[end] ?? ((c.allSent ??= [])[end] = c.seen[end].sent.map(([t, seq, past, mark]) => ({
    kind: "segment", at: t, seq, past, len: past - seq, again: mark === 1 || mark === true, lost: mark === 2 ? t : undefined, flags: "", i: at.get(`${t} ${seq}`),
  })));
}
const ownSent = (c, end) => c.rows.filter((r) => r.end === end && (r.past > r.seq || /[SFR]/.test(r.flags)));

// The samples of a connection's end; addresses may differ behind a NAT, ports and host do not.
function samplesOf(c, end) {
  const me = c.ends[end], peer = c.ends[1 - end];
  const mine = D.samples.filter((x) => x.node === me.node && x.port === me.port);
  return mine.find((x) => x.peer_address === peer.address && x.peer_port === peer.port) ||
    mine.find((x) => x.peer_port === peer.port) || (mine.length === 1 && connections.length === 1 ? mine[0] : undefined);
}

function curveOf(samples, name, factor = 1) {
  const at = samples.columns.indexOf(name);
  return samples.values.map((v) => [v[0], v[at] * factor]);
}

const spell = (step) => `${step.from} to ${step.to}`;
function causeText(step) {
  if (step.row !== undefined) return rows[step.row].text;
  if (step.state && step.state.by_timer) return step.state.waited ? `${span(step.state.waited)} are over` : "a timer";
  return "a call of the program";
}
