// Curves over one time axis: sequence numbers in tcptrace's manner, windows, times, queues.
// Knows the samples and rows of the connection that is looked at. All charts share the view V.
const V = { end: 0, t0: 0, t1: 1, all: [0, 1], cursor: undefined };
const charts = [];
const PLOT = { left: 54, right: 8, top: 6, bottom: 18 };

function niceStep(range, count_) {
  const raw = range / count_ || 1, power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].find((m) => m * power >= raw) * power;
}

function ticks(from, to, count_) {
  const step = niceStep(to - from, count_), out = [];
  for (let v = Math.ceil(from / step - 1e-9) * step; v <= to + step * 1e-9; v += step) out.push(+v.toPrecision(12));
  return out;
}

function valueAt(points, t) {
  let low = 0, high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] <= t + 1e-12) low = middle + 1; else high = middle;
  }
  return low ? points[low - 1][1] : undefined;
}

// A curve that holds its value until the next; "slope" goes straight.
function curvePath(line, X, Y) {
  let d = "", last;
  for (let i = 0; i < line.points.length; i++) {
    const [t, v] = line.points[i], next = line.points[i + 1];
    if (next && next[0] < V.t0) continue;
    if (t > V.t1 && last === undefined) break;
    if (v === undefined || v === null) { last = undefined; continue; }
    const x = X(t).toFixed(1), y = Y(v).toFixed(1);
    d += last === undefined ? `M${x} ${y}` : line.slope ? `L${x} ${y}` : `H${x}V${y}`;
    last = v;
    if (t > V.t1) break;
  }
  if (last !== undefined && !line.slope) d += `H${X(Math.max(V.t1, V.t0)).toFixed(1)}`;
  return d;
}

function highest(line) {
  let most = valueAt(line.points, V.t0) || 0;
  for (const [t, v] of line.points) if (t >= V.t0 && t <= V.t1 && v > most) most = v;
  return most;
}

function key(line) {
  return s("svg", { width: 20, height: 9, "aria-hidden": "true" }, s("path", { class: `curve ${line.look}`, d: "M0 5H20" }));
}

function drawAxes(chart, wide, X, Y, low, top) {
  const bottom = chart.height - PLOT.bottom, out = [];
  for (const v of ticks(low, top, chart.height > 200 ? 6 : 3)) out.push(
    s("line", { class: "grid", x1: PLOT.left, x2: wide - PLOT.right, y1: Y(v), y2: Y(v) }),
    s("text", { class: "tick", x: PLOT.left - 5, y: Y(v) + 3.5, "text-anchor": "end" }, chart.unit(v)));
  const step = niceStep(V.t1 - V.t0, wide / 90), digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  for (const t of ticks(V.t0, V.t1, wide / 90)) out.push(
    s("line", { class: "grid", x1: X(t), x2: X(t), y1: PLOT.top, y2: bottom }),
    s("text", { class: "tick", x: X(t), y: chart.height - 4, "text-anchor": "middle" }, `${t.toFixed(digits)}`));
  out.push(s("path", { class: "axis", fill: "none", d: `M${PLOT.left} ${PLOT.top}V${bottom}H${wide - PLOT.right}` }));
  return out;
}

function drawChart(chart, id) {
  const wide = Math.max(260, chart.element.clientWidth), bottom = chart.height - PLOT.bottom;
  const low = chart.low ? chart.low() : 0, top = Math.max(low + 1e-9, chart.top ? chart.top() : Math.max(...chart.lines.map(highest)) * 1.08 || 1);
  const X = (t) => PLOT.left + (t - V.t0) / (V.t1 - V.t0) * (wide - PLOT.left - PLOT.right);
  const Y = (v) => bottom - (v - low) / (top - low) * (bottom - PLOT.top);
  const T = (x) => V.t0 + (x - PLOT.left) / (wide - PLOT.left - PLOT.right) * (V.t1 - V.t0);
  chart.scale = { X, Y, T, wide, bottom };
  chart.hits = [];
  const clip = `clip-${id}`;
  const content = s("g", { "clip-path": `url(#${clip})` }, chart.under ? chart.under(chart) : [],
    chart.lines.map((l) => s("path", { class: `curve ${l.look}`, d: curvePath(l, X, Y) })), chart.over ? chart.over(chart) : []);
  chart.cursor = s("g", {});
  chart.svg = s("svg", { width: wide, height: chart.height, role: "img", "aria-label": `${chart.title}: ${chart.lines.map((l) => l.name).join(", ")}` },
    s("clipPath", { id: clip }, s("rect", { x: PLOT.left, y: PLOT.top - 3, width: wide - PLOT.left - PLOT.right, height: bottom - PLOT.top + 4 })),
    drawAxes(chart, wide, X, Y, low, top), content, chart.cursor);
  chart.figure.replaceChildren(chart.svg);
  listenTo(chart);
}

// -- looking and zooming -----------------------------------------------------------------------

function setView(t0, t1) {
  const all = V.all[1] - V.all[0], range = Math.min(Math.max(t1 - t0, all / 1e6, 1e-6), all);
  V.t0 = Math.min(Math.max(t0, V.all[0]), V.all[1] - range);
  V.t1 = V.t0 + range;
  drawCharts();
}

const zoom = (factor) => {
  const isIn = V.cursor !== undefined && V.cursor > V.t0 && V.cursor < V.t1, middle = isIn ? V.cursor : (V.t0 + V.t1) / 2;
  setView(middle - (middle - V.t0) * factor, middle + (V.t1 - middle) * factor);
};
const pan = (part) => { const d = (V.t1 - V.t0) * part; setView(V.t0 + d, V.t1 + d); };

function moveCursor(t) {
  V.cursor = t;
  for (const chart of charts) {
    const { X, bottom } = chart.scale;
    chart.cursor.replaceChildren(...(t >= V.t0 && t <= V.t1 ? [s("line", { class: "cursor", x1: X(t), x2: X(t), y1: PLOT.top, y2: bottom })] : []));
    chart.lines.forEach((l, i) => {
      const v = valueAt(l.points, t);
      chart.values[i].textContent = v === undefined || v === null ? " –" : ` ${chart.exact(v)}`;
    });
    chart.when.textContent = `at ${t.toFixed(6)} s`;
  }
}

function nearestHit(chart, x, y) {
  let best, least = 14;
  for (const hit of chart.hits) {
    const dy = y < hit.y0 ? hit.y0 - y : y > hit.y1 ? y - hit.y1 : 0, far = Math.hypot(hit.x - x, dy);
    if (far < least) { least = far; best = hit; }
  }
  return best;
}

function listenTo(chart) {
  let from, box;
  const at = (e) => e.clientX - chart.svg.getBoundingClientRect().left;
  chart.svg.addEventListener("pointermove", (e) => {
    moveCursor(chart.scale.T(at(e)));
    if (from === undefined || e.pointerType !== "mouse") return;
    box ??= chart.svg.appendChild(s("rect", { class: "select", y: PLOT.top, height: chart.scale.bottom - PLOT.top }));
    box.setAttribute("x", Math.min(from, at(e)));
    box.setAttribute("width", Math.abs(at(e) - from));
  });
  chart.svg.addEventListener("pointerdown", (e) => { from = at(e); if (e.pointerType === "mouse") chart.svg.setPointerCapture(e.pointerId); });
  chart.svg.addEventListener("pointercancel", () => { from = undefined; });
  chart.svg.addEventListener("pointerup", (e) => {
    const to = at(e), start = from;
    from = undefined;
    if (box && Math.abs(to - start) > 6) { setView(chart.scale.T(Math.min(start, to)), chart.scale.T(Math.max(start, to))); return; }
    const hit = nearestHit(chart, to, e.clientY - chart.svg.getBoundingClientRect().top);
    if (hit) choose(hit.row);
  });
}

function chartKeys(e) {
  const act = { "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), "0": () => setView(...V.all), ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2) }[e.key];
  if (!act || e.ctrlKey || e.altKey || e.metaKey) return;
  e.preventDefault();
  act();
}

function drawCharts() {
  charts.forEach(drawChart);
  if (V.cursor !== undefined) moveCursor(V.cursor);
}

function addChart(chart) {
  chart.values = chart.lines.map(() => h("b", {}));
  chart.when = h("span", { class: "note" });
  chart.figure = h("div", { tabindex: 0, role: "group", "aria-label": `${chart.title}: + and − zoom, arrow keys move, 0 shows all`, on: { keydown: chartKeys } });
  chart.element = h("div", { class: "chart" }, h("h3", {}, chart.title),
    h("div", { class: "legend" }, chart.lines.map((l, i) => h("span", {}, key(l), l.name, chart.values[i])),
      (chart.marks || []).map((m) => h("span", {}, key(m), m.name)), chart.when), chart.figure);
  chart.exact ??= (v) => count(v);
  charts.push(chart);
  $("charts").append(chart.element);
}
