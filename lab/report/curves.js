// Which charts there are, and what is in them. Knows samples and rows; charts.js draws.
const line = (name, look, points, slope) => ({ name, look, points, slope });
const hasAny = (l) => l.points.some((p) => p[1]);
const ms = (v) => `${+v.toPrecision(3)} ms`;

// -- sequence numbers --------------------------------------------------------------------------

// What the sender knows: acknowledgments and windows count from when they reach it.
function ackLines(c, end) {
  const ack = [], win = [];
  for (const e of happenings) {
    const r = e.row;
    if (e.what !== "arrive" || connectionOf(r) !== c || r.end === end || r.ack === undefined || r.fate !== "arrived" || /R/.test(r.flags)) continue;
    const last = ack.length ? ack[ack.length - 1][1] : 0;
    if (r.ack < last) continue;
    ack.push([r.arrived, r.ack]);
    win.push([r.arrived, r.ack + r.window]);
  }
  return [ack, win];
}

function drawSent(c, end) {
  return (chart) => {
    const { X, Y } = chart.scale, out = [];
    for (const r of c.rows) {
      if (r.end !== end || r.at < V.t0 || r.at > V.t1) continue;
      const mark = r.flags.match(/[SFR]/), past = r.seq + r.len + (/[SF]/.test(r.flags) ? 1 : 0);
      if (past === r.seq && !mark) continue;
      const x = X(r.at), y1 = Y(r.seq), y0 = Math.min(Y(past), y1 - 2.5), look = isLost(r) || r.again ? "c-bad" : end ? "c-b" : "c-a";
      out.push(s("path", { class: `sent ${look}`, d: `M${x} ${y0}V${y1}M${x - 2.5} ${y0}h5M${x - 2.5} ${y1}h5` }));
      if (isLost(r)) out.push(s("path", { class: "sent c-bad", fill: "none", d: `M${x - 4} ${y0 - 9}l8 8m-8 0l8 -8` }));
      if (mark || r.again) out.push(s("text", { class: "tick", x: x + 4, y: y0 - 2 }, `${r.again ? "R" : ""}${mark ? { S: "SYN", F: "FIN", R: "RST" }[mark[0]] : ""}`));
      chart.hits.push({ x, y0, y1, row: r.i });
    }
    return out;
  };
}

function drawSack(c, end) {
  return (chart) => {
    const { X, Y } = chart.scale, out = [];
    for (const r of c.rows) if (r.end !== end && r.sack && r.arrived !== undefined) for (const [from, to] of r.sack)
      out.push(s("line", { class: "c-sack", "stroke-width": 2, x1: X(r.arrived), x2: X(r.arrived), y1: Y(from), y2: Y(to) }));
    return out;
  };
}

function sequenceChart(c, end) {
  const [ack, win] = ackLines(c, end), mine = c.rows.filter((r) => r.end === end);
  const ends = mine.map((r) => [r.at, r.seq + r.len + (/[SF]/.test(r.flags) ? 1 : 0)]);
  const inView = (list) => list.filter((p) => p[0] >= V.t0 && p[0] <= V.t1).map((p) => p[1]);
  const top = () => {
    const data = Math.max(1, valueAt(ack, V.t1) || 0, ...inView(ends)), low = floor();
    const windows = [valueAt(win, V.t0), ...inView(win)].filter((v) => v !== undefined);
    const near = windows.filter((v) => v - low < 2.2 * (data - low));
    return low + (Math.max(data, ...near) - low) * 1.06 + 1e-6;
  };
  const floor = () => Math.max(0, Math.min(valueAt(ack, V.t0) ?? 0, ...inView(ends)));
  const { node } = c.ends[end], look = end ? "c-b" : "c-a";
  addChart({
    title: `Sequence numbers of what ${node} sends`, height: 300, unit: bytes, low: floor, top,
    lines: [line("acknowledged", "c-ack", ack), line("window", "c-win d-dash", win)],
    marks: [{ name: "sent", look }, { name: "R again, × lost", look: "c-bad" }, ...(c.rows.some((r) => r.end !== end && r.sack) ? [{ name: "SACK", look: "c-sack" }] : [])],
    under: drawSack(c, end), over: drawSent(c, end),
  });
}

// -- what the samples hold ---------------------------------------------------------------------

function drawLosses(c, end) {
  return (chart) => c.rows.filter((r) => r.end === end && (isLost(r) || r.again) && r.at >= V.t0 && r.at <= V.t1).map((r) => {
    const x = chart.scale.X(r.at), y = chart.scale.bottom;
    chart.hits.push({ x, y0: y - 8, y1: y, row: r.i });
    return s("path", { class: "sent c-bad", d: isLost(r) ? `M${x - 3} ${y - 7}l6 6m-6 0l6 -6` : `M${x} ${y - 7}V${y}` });
  });
}

function windowCharts(c, end, x) {
  const { node } = c.ends[end], get = (name, factor) => curveOf(x, name, factor);
  const threshold = get("ssthresh").map(([t, v]) => [t, v || null]);
  const lines = [line("cwnd", "c-a", get("cwnd")), line("ssthresh", "c-timer d-dash", threshold), line("in flight", "c-b", get("in_flight")),
    line("peer's window", "c-win d-dot", get("snd_wnd"))];
  const most = () => Math.max(...lines.slice(0, 3).map(highest), 1), wide = () => highest(lines[3]);
  addChart({
    title: `Window of ${node}, bytes`, height: 170, unit: bytes, lines: lines.filter(hasAny), top: () => 1.08 * (wide() < 2 * most() ? Math.max(wide(), most()) : most()),
    marks: c.rows.some((r) => r.end === end && (isLost(r) || r.again)) ? [{ name: "× lost, | again", look: "c-bad" }] : [], over: drawLosses(c, end),
  });
  addChart({
    title: `Round trip and timeout of ${node}`, height: 130, unit: ms, exact: ms,
    lines: [line("rto", "c-timer", get("rto_us", 1e-3)), line("srtt", "c-ack d-dash", get("srtt_us", 1e-3))].filter(hasAny),
  });
}

function queueChart(c) {
  const lines = [];
  c.ends.forEach((e, end) => {
    const x = samplesOf(c, end);
    if (!x) return;
    lines.push(line(`${e.node} send`, end ? "c-b" : "c-a", curveOf(x, "send_queue")), line(`${e.node} not yet sent`, `${end ? "c-b" : "c-a"} d-dot`, curveOf(x, "unsent")),
      line(`${e.node} receive`, `${end ? "c-b" : "c-a"} d-dash`, curveOf(x, "recv_queue")));
  });
  const kept = lines.filter(hasAny);
  if (kept.length) addChart({ title: "Queues of the sockets, bytes", height: 130, unit: bytes, lines: kept });
}

function listenChart() {
  for (const x of D.listeners) {
    const lines = [line("half open", "c-timer d-dash", curveOf(x, "half_open")), line("wait for accept", "c-a", curveOf(x, "waiting")), line("room", "c-soft d-dot", curveOf(x, "most"))];
    if (!lines.slice(0, 2).some(hasAny)) continue;
    const most = () => Math.max(...lines.slice(0, 2).map(highest), 1);
    addChart({ title: `Queues of the listener ${x.node}:${x.port}`, height: 110, unit: (v) => `${v}`, lines, top: () => 1.1 * (highest(lines[2]) < 4 * most() ? Math.max(most(), highest(lines[2])) : most()) });
  }
}

function linkChart() {
  const looks = ["c-a", "c-b d-dash", "c-ack", "c-timer d-dash", "c-win", "c-soft d-dot"];
  const lines = D.queues.map((q, i) => line(`${q.from} → ${q.to}`, looks[i % looks.length], q.values, true));
  if (lines.some(hasAny)) addChart({ title: "Waiting at the links, bytes", height: 120, unit: bytes, lines });
}

// From the first segment to the last arrival; a wait for 2MSL would leave no room for the rest.
function rangeOf(c) {
  const times = c ? c.rows.flatMap((r) => [r.at, r.arrived ?? r.at]) : rows.map((r) => r.at);
  const from = Math.min(...times), to = Math.max(...times), room = Math.max((to - from) * 0.02, 1e-4);
  return [Math.max(0, from - room), to + room];
}

function makeCharts(c) {
  charts.length = 0;
  $("charts").replaceChildren();
  V.all = rangeOf(c);
  [V.t0, V.t1] = V.all;
  if (c) {
    const x = samplesOf(c, V.end);
    sequenceChart(c, V.end);
    if (x) windowCharts(c, V.end, x);
    queueChart(c);
  }
  listenChart();
  linkChart();
  $("curves").hidden = charts.length === 0;
  drawCharts();
}
