// TCP's states as a diagram, the path of both ends over it, and the same path as a list.
// Knows a connection's paths. The plan is 360 units wide, and a margin.
const BOX = { w: 100, h: 26 };
const PLACES = {
  "CLOSED": [180, 20], "LISTEN": [60, 82], "SYN-SENT": [300, 82], "SYN-RECEIVED": [60, 158], "ESTABLISHED": [180, 222],
  "FIN-WAIT-1": [60, 290], "CLOSE-WAIT": [300, 290], "FIN-WAIT-2": [60, 380], "CLOSING": [180, 345], "LAST-ACK": [300, 380],
  "TIME-WAIT": [180, 430], "closed": [300, 470],
};
// The ways that are always shown: RFC 9293, figure 5. Others appear when an end takes them.
const WAYS = [
  ["CLOSED", "LISTEN"], ["CLOSED", "SYN-SENT"], ["LISTEN", "SYN-RECEIVED"], ["SYN-SENT", "SYN-RECEIVED"],
  ["SYN-SENT", "ESTABLISHED"], ["SYN-RECEIVED", "ESTABLISHED"], ["SYN-RECEIVED", "FIN-WAIT-1"],
  ["ESTABLISHED", "FIN-WAIT-1"], ["ESTABLISHED", "CLOSE-WAIT"], ["FIN-WAIT-1", "FIN-WAIT-2"],
  ["FIN-WAIT-1", "CLOSING"], ["FIN-WAIT-2", "TIME-WAIT"], ["CLOSING", "TIME-WAIT"], ["CLOSE-WAIT", "LAST-ACK"],
  ["LAST-ACK", "CLOSED"], ["TIME-WAIT", "CLOSED"],
];
// What ends lies below, what begins above.
const goal = (to) => (to === "CLOSED" ? "closed" : to);

// Where a line that begins in a box, beside its middle by `off`, leaves it on its way along (dx, dy).
function rim([x, y], [ox, oy], dx, dy) {
  const reach = (half, o, d) => (d ? (half + 1 - Math.sign(d) * o) / Math.abs(d) : Infinity);
  const k = Math.min(reach(BOX.w / 2, ox, dx), reach(BOX.h / 2, oy, dy));
  return [x + ox + dx * k, y + oy + dy * k];
}

// A way to the end that RFC 9293 has no line for (a RST, a timer that gave up): around all boxes, [path, badge].
function wayAround(from, aside) {
  const [x, y] = PLACES[from], [gx, gy] = PLACES.closed, half = BOX.w / 2;
  if (x === 300) return [`M${x + half + 1} ${y}C${x + 84 + aside} ${y + 30} ${gx + 84 + aside} ${gy - 50} ${gx + half + 1} ${gy - 4}`, [x + 75 + aside * 0.8, (y + gy) / 2 - 8]];
  if (x === 180) return [`M${x + half - 8} ${y + BOX.h / 2}Q${240 + aside} ${y + 26} ${240 + aside} ${y + 50}V${gy - 22}Q${240 + aside} ${gy - 6} ${gx - half - 1} ${gy}`, [240 + aside, (y + gy) / 2 + 8]];
  return [`M${x - half - 1} ${y}C${x - 84 - aside} ${y + 30} ${x - 84 - aside} ${gy + 6} ${x} ${gy + 6}H${gx - half - 1}`, [x - 72 - aside * 0.8, (y + gy) / 2 + 10]];
}

// A line between two boxes, moved aside by `aside`: [path, point of the badge].
function way(from, to, aside) {
  const a = PLACES[from], b = PLACES[to], isUsual = WAYS.some((w) => w[0] === from && goal(w[1]) === to);
  if (to === "closed" && !isUsual) return wayAround(from, aside);
  const long = Math.hypot(b[0] - a[0], b[1] - a[1]);
  const off = [(b[1] - a[1]) / long * aside, (a[0] - b[0]) / long * aside];
  const [x0, y0] = rim(a, off, b[0] - a[0], b[1] - a[1]), [x1, y1] = rim(b, off, a[0] - b[0], a[1] - b[1]);
  return [`M${x0} ${y0}L${x1} ${y1}`, [x0 * 0.54 + x1 * 0.46, y0 * 0.54 + y1 * 0.46]];
}

function drawEdge([from, to]) {
  return s("path", { class: "edge", d: way(from, goal(to), 0)[0], "marker-end": "url(#tip)" });
}

function drawBox(name, c) {
  const [x, y] = PLACES[name], label = name.toUpperCase();
  const been = [0, 1].map((end) => c.paths[end].some((p) => goal(p.to) === name || (p.from === name && name !== "closed")));
  const last = [0, 1].map((end) => stateNow(c, end) && goal(stateNow(c, end)) === name);
  const flag = (end) => been[end] && s("circle", {
    cx: x + (end ? 1 : -1) * (BOX.w / 2 - 1), cy: y, r: last[end] ? 6 : 4, fill: `var(--${"ab"[end]})`, stroke: "var(--card)", "stroke-width": 1.5,
  }, s("title", {}, `${c.ends[end].node} ${last[end] ? "ended here" : "was here"}`));
  return s("g", {},
    s("rect", { class: "box" + (been[0] || been[1] ? " been" : ""), x: x - BOX.w / 2, y: y - BOX.h / 2, width: BOX.w, height: BOX.h, rx: 6 }),
    s("text", { class: "box-text" + (been[0] || been[1] ? "" : " not"), x, y: y + 4 }, label), flag(0), flag(1));
}

// Steps over the same edge share a line; a press goes to the next of them.
function drawStep(steps, aside) {
  const first = steps[0], [d, at] = way(first.from, goal(first.to), aside);
  const numbers = steps.map((x) => x.number).join(","), node = first.node;
  let turn = 0;
  const go = () => chooseStep(steps[turn++ % steps.length]);
  const press = (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); go(); } };
  return s("g", {
    class: `step end${first.end}`, tabindex: 0, role: "button", "data-rows": steps.map((x) => x.row).join(" "),
    "aria-label": `${node}: ${spell(first)} at ${clock(first.at)} s: ${causeText(first)}`, on: { click: go, keydown: press },
  }, s("title", {}, `${node}: ${spell(first)}, ${clock(first.at)} s: ${causeText(first)}`),
  s("path", { class: "hit", d }), s("path", { class: "way", d, "marker-end": `url(#tip${first.end})` }),
  s("circle", { cx: at[0], cy: at[1], r: numbers.length > 2 ? 10 : 8 }), s("text", { x: at[0], y: at[1] + 3.2 }, numbers.length > 4 ? first.number + "…" : numbers));
}

function tip(id, colour) {
  return s("marker", { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 9, markerHeight: 9, markerUnits: "userSpaceOnUse", orient: "auto" },
    s("path", { d: "M0 .5L8 4L0 7.5z", fill: colour }));
}

function chooseStep(step) {
  if (step.row !== undefined) choose(step.row);
  else if (step.state) choose(step.state.i);
}

function numberSteps(c) {
  const all = c.paths.flat().sort((x, y) => x.at - y.at || (x.row ?? 0) - (y.row ?? 0));
  all.forEach((step, i) => { step.number = i + 1; step.node = c.ends[step.end].node; });
  return all;
}

const stepText = (step) => (isCapture ? [h("b", { class: `end${step.end}` }, step.to)] : [h("b", { class: `end${step.end}` }, step.node), ` → ${step.to}`]);
const STEPS_MAX = 40;
function listSteps(all) {
  $("steps").replaceChildren(...all.slice(0, STEPS_MAX).map((step) => h("li", {}, h("button", {
    type: "button", "data-rows": step.row, "data-state": step.state && step.state.i, on: { click: () => chooseStep(step) },
  }, h("b", { class: `end${step.end}` }, step.number), h("span", { class: "num" }, clock(step.at)),
  h("span", {}, stepText(step), h("small", {}, `${isCapture ? `${step.node} · ` : ""}${causeText(step)}`))))),
  all.length > STEPS_MAX ? h("li", { class: "note" }, `and ${count(all.length - STEPS_MAX)} more`) : "");
}

function drawStates(c) {
  const all = numberSteps(c), groups = new Map();
  for (const step of all) {
    const key = `${step.end} ${step.from} ${step.to}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(step);
  }
  const isShared = (step) => groups.has(`${1 - step.end} ${step.from} ${step.to}`);
  const steps = [...groups.values()].filter((g) => PLACES[g[0].from] && PLACES[goal(g[0].to)])
    .map((g) => drawStep(g, isShared(g[0]) ? (g[0].end ? -9 : 9) : 0));
  const names = c.ends.map((e, i) => s("text", { x: -20, y: 14 + 17 * i, "font-size": 11, style: `fill:var(--${"ab"[i]})` },
    `${i ? "- -" : "––"} ${endName(e)}`));
  $("states-svg").replaceChildren(s("svg", { viewBox: "-26 0 412 492", role: "group", "aria-label": "State diagram of TCP" },
    s("defs", {}, tip("tip", "var(--line)"), tip("tip0", "var(--a)"), tip("tip1", "var(--b)")),
    WAYS.map(drawEdge), Object.keys(PLACES).map((name) => drawBox(name, c)), steps, names));
  listSteps(all);
}
