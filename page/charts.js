// Curves over one time axis, drawn by dygraphs; a press on a mark chooses its row.
// Knows points and looks, not what they mean (curves.js does). All charts share the view V.
const V = { end: 0, t0: 0, t1: 1, all: [0, 1], cursor: undefined };
const charts = [];
const HIT = 14, AXIS = 54;
const hasCurves = typeof Dygraph === "function";
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function valueAt(points, t) {
  let low = 0, high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] <= t + 1e-12) low = middle + 1; else high = middle;
  }
  return low ? points[low - 1][1] : undefined;
}

function highest(line) {
  let most = valueAt(line.points, V.t0) || 0;
  for (const [t, v] of line.points) if (t >= V.t0 && t <= V.t1 && v > most) most = v;
  return most;
}

// -- points ------------------------------------------------------------------------------------

// Of many points every so-many-th, and the last: no line on a screen needs more.
const POINTS = 2000;
function thin(points) {
  if (points.length <= POINTS) return points;
  const step = (points.length - 1) / (POINTS - 1);
  return Array.from({ length: POINTS }, (_, i) => points[Math.round(i * step)]);
}

// One table for dygraphs: a row for each instant, in which each line holds its last value.
function tableOf(lines) {
  const times = [...new Set([V.all[0], ...lines.flatMap((l) => l.points.map((p) => p[0])), V.all[1]])].sort((x, y) => x - y);
  const at = lines.map(() => 0);
  return times.map((t) => [t, ...lines.map((l, i) => {
    while (at[i] < l.points.length && l.points[at[i]][0] <= t) at[i]++;
    const last = l.points[at[i] - 1], next = l.points[at[i]];
    if (!last || last[1] === null || last[1] === undefined) return null;
    if (!l.slope || !next) return last[1];
    return last[1] + (next[1] - last[1]) * (t - last[0]) / (next[0] - last[0]);
  })]);
}

// -- one chart ---------------------------------------------------------------------------------

const DASHES = { dash: [7, 4], dot: [2, 3] };
const rangeY = (chart) => {
  const low = chart.low ? chart.low() : 0;
  return [low, Math.max(low + 1e-9, chart.top ? chart.top() : Math.max(...chart.lines.map(highest)) * 1.08 || 1)];
};

function timeLabel(t, range) {
  const digits = Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(range || 1))));
  return `${+t.toFixed(digits)}`;
}

// What lies below the lines: cut to the plot, with places for presses.
function paintMarks(chart) {
  return (ctx, area, g) => {
    if (!chart.marks) return;
    chart.hits = [];
    ctx.save();
    ctx.beginPath();
    ctx.rect(area.x, area.y - 3, area.w, area.h + 4);
    ctx.clip();
    chart.paint(ctx, (t) => g.toDomXCoord(t), (v) => g.toDomYCoord(v), area);
    ctx.restore();
  };
}

function optionsOf(chart) {
  const series = {};
  for (const l of chart.lines) series[l.name] = { color: colour(l.colour), strokePattern: DASHES[l.dash] || null, stepPlot: !l.slope };
  return {
    labels: ["at", ...chart.lines.map((l) => l.name)], series, height: chart.height, legend: "never", dateWindow: [V.t0, V.t1],
    valueRange: rangeY(chart), strokeWidth: 1.8, highlightCircleSize: 3, gridLineColor: colour("grid"), axisLineColor: colour("line"),
    axisLabelFontSize: 11, xRangePad: 0, yRangePad: 1, showRoller: false, animatedZooms: false, connectSeparatedPoints: false,
    axes: {
      x: { axisLabelFormatter: (t) => timeLabel(t, V.t1 - V.t0), pixelsPerLabel: 76, axisLabelWidth: 64 },
      y: { axisLabelFormatter: (v) => chart.unit(v), axisLabelWidth: AXIS, pixelsPerLabel: 34 },
    },
    underlayCallback: paintMarks(chart),
    highlightCallback: (e, t) => moveCursor(t),
    zoomCallback: (from, to) => setView(from, to),
    interactionModel: fingers(),
  };
}

// One finger goes over the page as everywhere; two zoom the chart.
function fingers() {
  const model = { ...Dygraph.defaultInteractionModel };
  for (const name of ["touchstart", "touchmove", "touchend"]) {
    const own = model[name];
    model[name] = (e, g, context) => { if (e.touches.length > 1 || context.touches) own(e, g, context); };
  }
  model.dblclick = () => setView(...V.all);
  return model;
}

function nearestHit(chart, x, y) {
  let best, least = HIT;
  for (const hit of chart.hits || []) {
    const dy = y < hit.y0 ? hit.y0 - y : y > hit.y1 ? y - hit.y1 : 0, far = Math.hypot(hit.x - x, dy);
    if (far < least) { least = far; best = hit; }
  }
  return best;
}

function listenTo(chart) {
  const at = (e) => { const box = chart.figure.getBoundingClientRect(); return nearestHit(chart, e.clientX - box.left, e.clientY - box.top); };
  chart.figure.addEventListener("mousemove", (e) => { const hit = at(e); if (hit) showTip(rows[hit.row], e); else hideTip(); });
  chart.figure.addEventListener("mouseleave", hideTip);
  chart.figure.addEventListener("click", (e) => { const hit = at(e); if (hit) choose(hit.row); });
}

function drawChart(chart) {
  if (chart.graph) { chart.graph.updateOptions(optionsOf(chart)); return; }
  const table = tableOf(chart.lines);
  chart.times = table.map((r) => r[0]);
  chart.graph = new Dygraph(chart.plot, table, optionsOf(chart));
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
    const x = chart.graph.toDomXCoord(t), area = chart.graph.getArea();
    chart.cursor.hidden = !(x >= area.x && x <= area.x + area.w);
    chart.cursor.style.left = `${x}px`;
    chart.lines.forEach((l, i) => {
      const v = valueAt(l.points, t);
      chart.values[i].textContent = v === undefined || v === null ? " –" : ` ${chart.exact(v)}`;
    });
    chart.when.textContent = `at ${t.toFixed(6)} s`;
  }
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

function key(line) {
  const dash = { dash: "5 3", dot: "1.5 3" }[line.dash];
  return s("svg", { width: 22, height: 9, "aria-hidden": "true" }, s("path", { d: "M1 5H21", fill: "none", "stroke-width": 2, "stroke-dasharray": dash, style: `stroke:var(--${line.colour})` }));
}

function addChart(chart) {
  for (const l of chart.lines) l.points = thin(l.points);
  chart.values = chart.lines.map(() => h("b", {}));
  chart.when = h("span", { class: "note" });
  chart.cursor = h("i", { class: "cursor", hidden: true });
  chart.plot = h("div", { class: "plot" });
  chart.figure = h("div", {
    class: "figure", tabindex: 0, role: "group", on: { keydown: chartKeys },
    "aria-label": `${chart.title}: ${chart.lines.map((l) => l.name).join(", ")}. Plus and minus zoom, arrow keys move, 0 shows all.`,
  }, chart.plot, chart.cursor);
  chart.element = h("div", { class: "chart" }, h("h3", {}, chart.title), chart.note && h("p", { class: "note" }, chart.note),
    h("div", { class: "legend" }, chart.lines.map((l, i) => h("span", {}, key(l), l.name, chart.values[i])),
      (chart.marks || []).map((m) => h("span", {}, h("i", { class: "mark", style: `color:var(--${m.colour})` }, m.sign), m.name)), chart.when), chart.figure);
  chart.exact ??= (v) => count(v);
  charts.push(chart);
  $("charts").append(chart.element);
  listenTo(chart);
}
