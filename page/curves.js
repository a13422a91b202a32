// Which charts there are, and what is in them. Knows samples and rows; charts.js draws.
const line = (name, colour_, points, more) => ({ name, colour: colour_, points, ...more });
const hasAny = (l) => l.points.some((p) => p[1]);
const ms = (v) => (v >= 1000 ? `${+(v / 1000).toPrecision(3)} s` : `${+v.toPrecision(3)} ms`);
// A zero says that there is none (yet, or any more).
const known = (points) => points.map(([t, v]) => [t, v || null]);
const differ = (points) => new Set(points.map((p) => p[1]).filter((v) => v)).size;
// A chart of one or two segments tells less than the ladder does.
const SEGMENTS_LEAST = 5;

// -- sequence numbers --------------------------------------------------------------------------

// What the sender knows: acknowledgments and windows count from when they reach it.
function ackLines(c, end) {
  if (c.seen) return [c.seen[end].acked.map(([t, a]) => [t, a]), c.seen[end].acked.map(([t, , w]) => [t, w])];
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

function stroke(ctx, name, width, draw) {
  ctx.strokeStyle = colour(name);
  ctx.lineWidth = width;
  ctx.beginPath();
  draw();
  ctx.stroke();
}

function cross(ctx, x, y) {
  ctx.moveTo(x - 4, y - 4); ctx.lineTo(x + 4, y + 4);
  ctx.moveTo(x + 4, y - 4); ctx.lineTo(x - 4, y + 4);
}

function paintSent(chart, sent, end, ctx, X, Y) {
  ctx.font = "10px system-ui, sans-serif";
  ctx.fillStyle = colour("soft");
  for (const r of sent) {
    if (r.at < V.t0 || r.at > V.t1) continue;
    const x = X(r.at), y1 = Y(r.seq), y0 = Math.min(Y(r.past), y1 - 3), isBad = isLost(r) || r.again;
    stroke(ctx, isBad ? "bad" : "ab"[end], 2, () => {
      ctx.moveTo(x, y0); ctx.lineTo(x, y1);
      ctx.moveTo(x - 2.5, y0); ctx.lineTo(x + 2.5, y0);
      ctx.moveTo(x - 2.5, y1); ctx.lineTo(x + 2.5, y1);
      if (isLost(r)) cross(ctx, x, y0 - 6);
    });
    const mark = r.flags.match(/[SFR]/), text = `${r.again ? "R" : ""}${mark ? ` ${{ S: "SYN", F: "FIN", R: "RST" }[mark[0]]}` : ""}`.trim();
    const room = ctx.measureText(text).width + 4;
    if (text) ctx.fillText(text, x + 4 + room > ctx.canvas.clientWidth ? x - room : x + 4, Math.max(12, y0 - 2));
    if (r.i !== undefined) chart.hits.push({ x, y0, y1, row: r.i });
  }
}

function paintSack(list, ctx, X, Y) {
  stroke(ctx, "sack", 2, () => {
    for (const r of list) for (const [from, to] of r.sack) { ctx.moveTo(X(r.arrived), Y(from)); ctx.lineTo(X(r.arrived), Y(to)); }
  });
}

function sequenceChart(c, end) {
  const [ack, win] = ackLines(c, end), sent = sentOf(c, end), sacks = c.rows.filter((r) => r.end !== end && r.sack && r.arrived !== undefined);
  const inView = (list) => list.filter((p) => p[0] >= V.t0 && p[0] <= V.t1).map((p) => p[1]), ends = sent.map((r) => [r.at, r.past]);
  const floor = () => Math.max(0, Math.min(valueAt(ack, V.t0) ?? 0, ...inView(ends)));
  const top = () => {
    const low = floor(), data = Math.max(1, valueAt(ack, V.t1) || 0, ...inView(ends));
    const near = [valueAt(win, V.t0), ...inView(win)].filter((v) => v !== undefined && v - low < 2.2 * (data - low));
    return low + (Math.max(data, ...near) - low) * 1.1 + 1e-6;
  };
  const { node } = c.ends[end], isAgain = sent.some((r) => r.again), isAnyLost = sent.some(isLost);
  addChart({
    title: `Sequence numbers: the bytes that ${node} sends`, height: 300, unit: bytes, low: floor, top, hits: [],
    note: "Each bar is a segment, from its first byte to its last. It can be sent when it lies below the dashed line, and is done when the green line has passed it.",
    lines: [line("acknowledged", "ack", ack), line("acknowledged + window", "win", win, { dash: "dash" })],
    marks: [{ name: "sent", sign: "I", colour: "ab"[end] }, ...(isAgain ? [{ name: "sent again", sign: "R", colour: "bad" }] : []),
      ...(isAnyLost ? [{ name: "lost", sign: "×", colour: "bad" }] : []), ...(sacks.length ? [{ name: "SACK: this part has arrived", sign: "I", colour: "sack" }] : [])],
    paint(ctx, X, Y) { paintSack(sacks, ctx, X, Y); paintSent(this, sent, end, ctx, X, Y); },
  });
}

// -- what the samples hold ---------------------------------------------------------------------

function paintLosses(chart, list, ctx, X, area) {
  const bottom = area.y + area.h;
  for (const r of list) {
    const x = X(r.at);
    if (r.at < V.t0 || r.at > V.t1) continue;
    stroke(ctx, "bad", 2, () => { if (isLost(r)) cross(ctx, x, bottom - 6); else { ctx.moveTo(x, bottom - 9); ctx.lineTo(x, bottom); } });
    chart.hits.push({ x, y0: bottom - 10, y1: bottom, row: r.i });
  }
}

function windowChart(c, end, x) {
  const { node } = c.ends[end], get = (name) => curveOf(x, name);
  const threshold = known(get("ssthresh")), bad = sentOf(c, end).filter((r) => isLost(r) || r.again);
  const lines = [line("cwnd", "a", known(get("cwnd"))), line("ssthresh", "timer", threshold, { dash: "dash" }), line("in flight", "b", get("in_flight")),
    line("peer's window", "win", get("snd_wnd"), { dash: "dot" })];
  const most = () => Math.max(...lines.slice(0, 3).map(highest), 1), wide = () => highest(lines[3]);
  const isFar = leastOf(lines[3]) > 2 * Math.max(...lines.slice(0, 3).map(highestOf));
  addChart({
    title: `How much ${node} may send, in bytes`, height: 190, unit: bytes, hits: [],
    note: "What is in flight stays below cwnd, which the sender finds by trial, and below the peer's window.",
    lines: lines.slice(0, isFar ? 3 : 4).filter(hasAny), top: () => 1.08 * (wide() < 2 * most() ? Math.max(wide(), most()) : most()),
    marks: [...(isFar ? [{ name: `peer's window: ${bytes(leastOf(lines[3]))} and more, above the chart`, sign: "↑", colour: "win" }] : []), ...(bad.some(isLost) ? [{ name: "lost", sign: "×", colour: "bad" }] : []), ...(bad.some((r) => !isLost(r)) ? [{ name: "sent again", sign: "|", colour: "bad" }] : [])],
    paint(ctx, X, Y, area) { paintLosses(this, bad, ctx, X, area); },
  });
}

function timeChart(c, end, x) {
  const { node } = c.ends[end];
  addChart({
    title: `Round trip and timeout of ${node}`, height: 140, unit: ms, exact: ms,
    note: "srtt is the round trip as it is measured, smoothed; without an acknowledgment for rto, the sender repeats.",
    lines: [line("rto", "timer", known(curveOf(x, "rto_us", 1e-3))), line("srtt", "ack", known(curveOf(x, "srtt_us", 1e-3)), { dash: "dash" })].filter(hasAny),
  });
}

// What was measured from outside: of a capture.
function seenCharts(c, end) {
  const seen = (c.seen || [])[end], { node } = c.ends[end];
  if (!isCapture || !isWorthIt(c, end)) return;
  const flight = line("in flight, as seen", "b", seen.flight), window_ = line("peer's window", "win", seen.window, { dash: "dot" });
  const lines = [flight, window_].filter(hasAny), most = () => Math.max(highest(flight), 1), wide = () => highest(window_);
  if (hasAny(flight)) addChart({
    title: `In flight from ${node}, in bytes`, height: 170, unit: bytes, lines, top: () => 1.08 * (wide() < 2 * most() ? Math.max(wide(), most()) : most()),
    note: "What has passed the place of the capture and was not acknowledged there. cwnd is inside of the sender: no capture knows it.",
  });
  if (seen.rtt.length > 1) addChart({
    title: `Round trips from the capture to ${c.ends[1 - end].node} and back`, height: 130, unit: ms, exact: ms,
    lines: [line("round trip", "ack", seen.rtt.map(([t, v]) => [t, v * 1000]))],
  });
}

function queueChart(c) {
  const lines = [];
  c.ends.forEach((e, end) => {
    const x = samplesOf(c, end), [own, unsent, unread] = [["a", "win", "ack"], ["b", "sack", "timer"]][end];
    if (!x || !isWorthIt(c, 0) && !isWorthIt(c, 1)) return;
    lines.push(line(`${e.node} sends`, own, curveOf(x, "send_queue")), line(`of it not yet sent`, unsent, curveOf(x, "unsent"), { dash: "dot" }),
      line(`${e.node} has to read`, unread, curveOf(x, "recv_queue"), { dash: "dash" }));
  });
  const kept = lines.filter(hasAny);
  if (kept.length) addChart({
    title: "Queues of the sockets, in bytes", height: 150, unit: bytes, lines: kept,
    note: "What a program has written and the peer has not acknowledged; what has arrived and no program has read.",
  });
}

function listenCharts() {
  for (const x of D.listeners) {
    const lines = [line("half open", "timer", curveOf(x, "half_open"), { dash: "dash" }), line("wait for accept", "a", curveOf(x, "waiting")), line("room", "soft", curveOf(x, "most"), { dash: "dot" })];
    if (!lines.slice(0, 2).some((l) => highestOf(l) > 1)) continue;
    const most = () => Math.max(...lines.slice(0, 2).map(highest), 1), room = () => highest(lines[2]);
    addChart({ title: `Queues of the listener ${x.node}:${x.port}, in connections`, height: 130, unit: (v) => (v % 1 ? "" : `${v}`), lines, top: () => 1.1 * (room() < 4 * most() ? Math.max(most(), room()) : most()) });
  }
}

function linkChart() {
  const looks = [["a"], ["b", "dash"], ["ack"], ["timer", "dash"], ["win"], ["soft", "dot"]];
  const lines = D.queues.map((q, i) => line(`${q.from} → ${q.to}`, looks[i % 6][0], q.values, { slope: true, dash: looks[i % 6][1] })).filter(hasAny);
  if (lines.length) addChart({ title: "Waiting at the links, in bytes", height: 140, unit: bytes, lines });
}

const leastOf = (l) => l.points.reduce((least, p) => (p[1] ? Math.min(least, p[1]) : least), Infinity);
const highestOf = (l) => l.points.reduce((most, p) => Math.max(most, p[1] || 0), 0);
const isWorthIt = (c, end, least = SEGMENTS_LEAST) => sentOf(c, end).filter((r) => r.len).length >= least;

function chartsOfEnd(c, end) {
  const x = samplesOf(c, end);
  if (isWorthIt(c, end)) sequenceChart(c, end);
  if (x && isWorthIt(c, end)) windowChart(c, end, x);
  if (x && (isWorthIt(c, end, 10) || differ(curveOf(x, "rto_us")) > 2)) timeChart(c, end, x);
  seenCharts(c, end);
}

// From the first segment to the last arrival; a wait for 2MSL would leave no room for the rest.
function rangeOf(c) {
  let from = Infinity, to = -Infinity;
  for (const r of c ? c.rows : rows) { from = Math.min(from, r.at); to = Math.max(to, r.arrived ?? r.at); }
  const room = Math.max((to - from) * 0.02, 1e-4);
  return [Math.max(0, from - room), to + room];
}

function makeCharts(c) {
  for (const chart of charts) if (chart.graph) chart.graph.destroy();
  charts.length = 0;
  V.cursor = undefined;
  $("charts").replaceChildren();
  if (!hasCurves) { $("charts").append(h("p", { class: "note" }, "This weir was built without dygraphs, which draws the curves.")); return; }
  V.all = rangeOf(c);
  [V.t0, V.t1] = V.all;
  $("curves").hidden = false;
  if (c) { chartsOfEnd(c, V.end); queueChart(c); }
  listenCharts();
  linkChart();
  $("curves").hidden = charts.length === 0;
  drawCharts();
}
