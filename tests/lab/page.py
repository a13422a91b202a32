"""The page of a run in a browser: no error, nothing fetched, as wide as a telephone, dark, by keyboard, no words over
each other, and its numbers are those of --json."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import browser
import tap

WEIR = os.environ["WEIR"]
NAMES = ["lost-synack", "timeout-and-cwnd", "syn-flood", "zero-window", "nat-timeout", "ping-and-traceroute", "reordering"]
TAB, ENTER, DOWN, END, ESCAPE = "\ue004", "\ue007", "\ue015", "\ue010", "\ue00c"


@unittest.skipIf(browser.WHY_NOT, browser.WHY_NOT)
class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="weir-test-")
        cls.runs = {}
        for name in NAMES:
            path = os.path.join(cls.folder, name + ".html")
            answer = subprocess.run([WEIR, "lab", "run", name, "--json", "--html", path], stdout=subprocess.PIPE, text=True, timeout=120, check=True)
            cls.runs[name] = json.loads(answer.stdout), path
        cls.browser = browser.Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        shutil.rmtree(cls.folder, True)

    def test_no_error_nothing_fetched_no_overlap_and_as_narrow_as_a_telephone(self):
        for name, (_, path) in self.runs.items():
            for width in (360, 1200):
                with self.subTest(scenario=name, width=width):
                    self.browser.show(path, width)
                    self.assertEqual(self.browser.complaints(), [])
                    elsewhere, all_of_them = self.browser.requests()
                    self.assertEqual((elsewhere, all_of_them > 0), ([], True))
                    self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth"), width)
                    self.assertEqual(self.browser.run(browser.OVERLAPS), [])

    def test_dark_is_dark(self):
        for is_dark in (False, True):
            self.browser.show(self.runs["timeout-and-cwnd"][1], is_dark=is_dark)
            light = self.browser.run("""const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);
                const [x, y, z] = getComputedStyle(document.body).color.match(/\\d+/g).map(Number); return [r + g + b, x + y + z];""")
            self.assertEqual(light[0] < light[1], is_dark)

    def test_sections_that_have_nothing_to_show_are_absent(self):
        def hidden(name):
            self.browser.show(self.runs[name][1])
            return self.browser.run("return [...document.querySelectorAll('section')].filter((x) => x.hidden).map((x) => x.id)")
        self.assertEqual(hidden("timeout-and-cwnd"), [])
        self.assertIn("curves", hidden("lost-synack"))  # a handshake and a word each way: the ladder tells all
        self.assertEqual({"connections", "states", "curves"} - set(hidden("ping-and-traceroute")), set())

    def test_tables_have_the_numbers_of_json(self):
        for name, (run, path) in self.runs.items():
            self.browser.show(path)
            table = self.browser.run("""const of = (id) => Object.fromEntries([...document.querySelectorAll(`#${id} tbody tr`)].map((tr) =>
                [tr.dataset.counter || tr.dataset.drop || tr.dataset.connection, [...tr.cells].slice(1).map((td) => td.textContent)]));
                return { counters: { ...of("counter-table"), ...of("dull-table") }, drops: of("drop-table"), connections: of("connection-table") };""")
            hosts = [host for host, counters in run["counters"].items() if counters]
            names = {counter for counters in run["counters"].values() for counter in counters}
            for counter in names:
                self.assertEqual(table["counters"][counter], [f'{run["counters"][host][counter]:,}' if counter in run["counters"][host] else "" for host in hosts])
            for reason, n in run["fates"].items():
                self.assertEqual(table["drops"][reason], ["on the way", f"{n:,}"])
            for connection in run["connections"]:
                of_it = [r for r in run["rows"] if r.get("connection") == connection["number"]]
                lost = sum("lost" in r for r in of_it)
                if not run["rows_left_out"]:
                    self.assertEqual(table["connections"][str(connection["number"])][-1], f"{lost:,}", name)

    def test_the_page_tells_bytes_and_repetitions_as_the_stack_counted_them(self):
        run, path = self.runs["timeout-and-cwnd"]
        self.browser.show(path)
        sent, again = self.browser.run("return [...document.querySelectorAll('#connection-table td')].slice(4, 6).map((td) => td.innerText.split('\\n'))")
        totals = [next(s["totals"] for s in run["samples"] if s["node"] == node) for node in ("a", "b")]
        self.assertEqual(sent, [f'{t["bytes_sent"]:,}' for t in totals])
        self.assertEqual(again, [f'{t["retrans"]:,}' for t in totals])

    def test_curves_are_the_samples(self):
        run, path = self.runs["timeout-and-cwnd"]
        self.browser.show(path)
        samples = next(s for s in run["samples"] if s["node"] == "a")
        at, cwnd = samples["columns"].index("at"), samples["columns"].index("cwnd")
        drawn = self.browser.run("return charts.find((c) => c.lines[0].name === 'cwnd').graph.rawData_.map((r) => [r[0], r[1]])")
        drawn = {t: v for t, v in drawn}
        for sample in samples["values"]:
            if sample[at] in drawn and sample[cwnd]:
                self.assertEqual(drawn[sample[at]], sample[cwnd])
        self.assertGreater(len(drawn), 10)
        self.assertTrue(self.browser.run("return charts.every((c) => c.lines.every((l) => l.points.length <= 2000))"))

    def test_a_step_of_the_diagram_and_a_mark_of_a_curve_open_their_segments(self):
        run, path = self.runs["timeout-and-cwnd"]
        self.browser.show(path)
        told = self.browser.run("document.querySelector('#states-svg .step').dispatchEvent(new MouseEvent('click')); return document.querySelector('#detail b + b').innerText")
        self.assertEqual(told, run["rows"][0]["text"] if run["rows"][0]["kind"] == "segment" else "SYN 0 mss 1460")
        row, told = self.browser.run("""const chart = charts[0], hit = chart.hits.find((x) => rows[x.row].event === "rto"), box = chart.figure.getBoundingClientRect();
            chart.figure.dispatchEvent(new MouseEvent("click", { clientX: box.left + hit.x, clientY: box.top + (hit.y0 + hit.y1) / 2 }));
            return [hit.row, document.querySelector("#detail b + b").innerText];""")
        self.assertEqual((run["rows"][row]["event"], told), ("rto", run["rows"][row]["text"]))

    def test_the_keyboard_reaches_all_and_opens(self):
        self.browser.show(self.runs["timeout-and-cwnd"][1])
        reached = set()
        for _ in range(60):
            self.browser.press(TAB)
            reached.add(self.browser.run("""const x = document.activeElement; x.scrollIntoView();
                return x.id || x.className.baseVal?.split(" ")[0] || (x.closest("#steps") ? "steps" : x.closest("#curve-tools") ? "tools" : x.className) || x.tagName"""))
        self.assertEqual({"ladder-svg", "step", "steps", "tools", "figure"} - reached, set())
        self.browser.run("document.querySelector('#steps button').focus()")
        self.browser.press(ENTER)
        self.assertIn("SYN", self.browser.run("return document.getElementById('detail').innerText"))
        self.browser.run("document.getElementById('ladder-svg').focus()")
        self.browser.press(END)
        self.assertIn("CLOSED", self.browser.run("return document.getElementById('detail').innerText"))
        rows = self.browser.run("return document.querySelectorAll('#ladder-svg .row').length")
        self.browser.run("const f = document.querySelector('.fold'); document.getElementById('ladder-svg').setAttribute('aria-activedescendant', f.id)")
        self.browser.press(ENTER)
        self.assertGreater(self.browser.run("return document.querySelectorAll('#ladder-svg .row').length"), rows)
        self.browser.press(ESCAPE)
        self.assertTrue(self.browser.run("return document.getElementById('detail').hidden"))
        self.assertEqual(self.browser.complaints(), [])


if __name__ == "__main__":
    tap.main()
