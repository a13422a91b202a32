// Head, claims and tables. The JSON is the only source of what is written.

// -- head, claims ------------------------------------------------------------------------------

function fillHead() {
  const items = [["Question", D.question], ["Look at", D.look_at]].filter((x) => x[1]);
  for (const [name, value] of Object.entries(D.knobs || {})) items.push(["Knob", [h("code", {}, `${name} = ${value}`), ` ${D.knobs_doc[name] || ""}`]]);
  (D.facts || []).forEach((text, i) => items.push([i ? "" : "Capture", text.startsWith(`${D.name}: `) ? text.slice(D.name.length + 2) : text]));
  if (!isCapture) items.push(["Run", `seed ${D.seed}, ${span(D.seconds)} of the lab's time, which passed in a blink`]);
  $("head").append(...items.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  $("verb").textContent = isCapture ? "weir explain" : "weir lab";
  $("name").textContent = D.name;
  $("again").textContent = D.again || "";
  $("repeat").hidden = !D.again;
}

function tag(kind, text) {
  return h("span", { class: `tag ${kind}` }, text);
}

// Of a capture: a connection that stands alone is told of above, not in the table.
const isAlone = isCapture && connections.length === 1;
const gradeOf = (c) => tag({ failed: "fails", slow: "slow", fine: "holds" }[c.severity], c.severity);

const sign = (holds) => h("span", { class: holds ? "sign holds" : "sign fails", role: "img", "aria-label": holds ? "true" : "not true" }, holds ? "✓" : "✗");

function fillClaims() {
  const claims = D.claims || [], failed = claims.filter((c) => !c.holds).length;
  if (claims.length) $("verdict-h").append(tag(failed ? "fails" : "holds", failed ? `${failed} of ${claims.length} claims are not true` : "as expected"));
  $("claims").append(...claims.map((c) => h("li", {}, sign(c.holds),
    h("span", {}, c.text, c.holds ? "" : h("small", { class: "bad" }, ` (line ${c.line} of the scenario, at ${c.at} s)`)))));
  if (isAlone) $("verdict-h").append(gradeOf(connections[0]));
  $("conclusion").textContent = isAlone ? connections[0].verdict : D.conclusion || "";
  $("verdict").hidden = !claims.length && !$("conclusion").textContent;
}

// -- tables ------------------------------------------------------------------------------------

const cell = (...content) => h("td", {}, ...content);
const number = (n) => h("td", { class: "n" }, n === undefined ? "" : count(n));
const headRow = (...names) => h("thead", {}, h("tr", {}, names.map(([name, isNumber, kind]) => h("th", { scope: "col", class: `${isNumber ? "n" : ""} ${kind || ""}`.trim() }, name))));

const TABLE_ROWS = 200;
function connectionRow(c) {
  const x = [samplesOf(c, 0), samplesOf(c, 1)];
  const sent = (end) => ((!isCapture && x[end] && x[end].totals.bytes_sent) || (c.bytes || c.sent)[end]);
  const end = (i) => h("span", { class: `end${i}` }, endName(c.ends[i]));
  const sampled = (i) => x[i] && x[i].values.length && x[i].values[x[i].values.length - 1][x[i].columns.indexOf("state")];
  const state = (i) => (D.rows_left_out && sampled(i)) || stateNow(c, i) || "–", again = c.resent || c.again;
  const press = () => { if (connection !== c.number) look(c.number); };
  return h("tr", { "data-connection": c.number, on: { click: press } },
    cell(h("button", { type: "button", class: "plain", on: { click: press }, "aria-label": `connection ${nameOf(c)}` }, `#${nameOf(c)}`)),
    cell(end(0), h("br"), end(1)), h("td", { class: "n extra" }, `${clock(c.began)} s`),
    h("td", { class: "extra" }, h("span", { class: "end0" }, state(0)), h("br"), h("span", { class: "end1" }, state(1))),
    h("td", { class: "n" }, count(sent(0)), h("br"), count(sent(1))), h("td", { class: "n" }, count(again[0]), h("br"), count(again[1])),
    isCapture ? "" : h("td", { class: "n" }, (c.told ?? c.lost) ? h("b", { class: "bad" }, count(c.told ?? c.lost)) : "0"),
    c.verdict && !isAlone ? h("td", { class: "say" }, gradeOf(c), ` ${c.verdict}`) : "");
}

function fillConnections() {
  if (!connections.length) return;
  const shown = Math.min(connections.length, TABLE_ROWS), more = D.connections_all - shown;
  $("connections").hidden = false;
  $("connections-note").hidden = connections.length < 2;
  $("connection-table").classList.toggle("has-say", isCapture && !isAlone);
  $("connection-table").append(headRow(["#"], ["ends"], ["began at", 1, "extra"], ["state at the end", 0, "extra"], ["bytes sent", 1], ["sent again", 1],
    ...(!isCapture ? [["segments lost", 1]] : isAlone ? [] : [["what became of it", 0, "say"]])), h("tbody", {}, connections.slice(0, shown).map(connectionRow)));
  $("connections-more").textContent = more > 0 ? `and ${count(more)} more, which this page does not tell of` : "";
  $("connections-more").hidden = more <= 0;
}

function fillDrops() {
  const found = Object.entries(D.fates || {}).map(([name, n]) => [name, "on the way", n, FATES[name] || ""]);
  for (const [host, drops] of Object.entries(D.drops || {})) for (const [name, n] of Object.entries(drops)) found.push([name, `by ${host}`, n, D.meanings[name]]);
  $("drops").hidden = !found.length;
  $("drop-table").append(headRow(["why"], ["where"], ["segments", 1]), h("tbody", {}, found.map(([name, where, n, doc]) =>
    h("tr", { "data-drop": name }, cell(h("code", {}, name), h("small", {}, doc)), cell(where), number(n)))));
}

const dullNames = new Set(["IpInReceives", "IpInDelivers", "IpOutRequests", "TcpInSegs", "TcpOutSegs", "TcpExtTCPPureAcks"]);
function fillCounters() {
  const hosts = Object.keys(D.counters || {}).filter((x) => Object.keys(D.counters[x]).length);
  const names = [...new Set(hosts.flatMap((x) => Object.keys(D.counters[x])))];
  const table = (list) => [headRow(["counter"], ...hosts.map((x) => [x, 1])), h("tbody", {}, list.map((name) =>
    h("tr", { "data-counter": name }, cell(h("code", {}, name), h("small", {}, D.meanings[name])), hosts.map((x) => number(D.counters[x][name])))))];
  const plain = names.filter((n) => !dullNames.has(n)), dull = names.filter((n) => dullNames.has(n));
  $("counters").hidden = !names.length;
  $("counter-table").append(...table(plain));
  $("counter-table").hidden = !plain.length;
  $("dull").hidden = !dull.length;
  $("dull-table").append(...table(dull));
}

function fillLinks() {
  const rate = (b) => (b ? b >= 1e9 ? `${b / 1e9} Gb/s` : b >= 1e6 ? `${b / 1e6} Mb/s` : `${b / 1e3} kb/s` : "no limit");
  $("links").hidden = !D.links.length;
  $("link-table").append(headRow(["from", 0], ["to", 0], ["delay", 1], ["rate", 1], ["frames", 1], ["lost", 1]), h("tbody", {}, D.links.map((l) =>
    h("tr", {}, cell(l.from), cell(l.to), h("td", { class: "n" }, span(l.delay)), h("td", { class: "n" }, rate(l.rate_bps)), number(l.frames), number(l.lost)))));
}
