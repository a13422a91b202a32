"""weir explain --html: the numbers of --json, rows and curves that stay bounded, and a page that a browser shows."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import browser
import caps
import tap

NAMES = ["timeout-and-cwnd", "syn-flood", "rst-closed-port", "zero-window", "simultaneous-close"]


def data_of(path):
    with open(path, encoding="utf-8") as stream:
        return json.loads(re.search(r'<script type="application/json" id="run">(.*?)</script>', stream.read(), re.S)[1])


class Html(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="weir-test-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.captures = {}
        for name in NAMES:
            path = os.path.join(cls.folder, name + ".pcapng")
            subprocess.run([caps.WEIR, "lab", "run", name, "--quiet", "--pcapng", path], capture_output=True, timeout=60, check=True)
            cls.captures[name] = cls.explain(path)

    @classmethod
    def explain(cls, path, *words):
        """The page's path, what is in it, and what --json says in the same run."""
        page = path + ".html"
        done = subprocess.run([caps.WEIR, "explain", path, "--json", "--html", page, *words], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode in (0, 1) and not done.stderr, done.stderr
        return page, data_of(page), json.loads(done.stdout)

    def test_connections_are_those_of_json_worst_first(self):
        for name, (_, page, said) in self.captures.items():
            with self.subTest(capture=name):
                of = {c["number"]: c for c in said["connections"]}
                grades = [c["severity"] for c in page["connections"]]
                self.assertEqual(grades, sorted(grades, key=["failed", "slow", "fine"].index))
                self.assertEqual(page["connections_all"], said["summary"]["connections"])
                self.assertEqual(len(page["connections"]), min(20, len(of)))
                for c in page["connections"]:
                    own = of[c["name"]]
                    self.assertEqual((c["verdict"], c["severity"], c["began"]), (own["verdict"], own["severity"], own["at"]))
                    self.assertEqual(c["bytes"], [e["bytes"] for e in own["ends"]])
                    self.assertEqual(c["resent"], [e["rto"] + e["fast"] + e["early"] + e["spurious"] + max(0, e["syns"] - 1) for e in own["ends"]])

    def test_rows_are_the_segments_and_the_states(self):
        for name, (_, page, said) in self.captures.items():
            for c in page["connections"]:
                own = next(x for x in said["connections"] if x["number"] == c["name"])
                rows = [r for r in page["rows"] if r["connection"] == c["number"]]
                for end in (0, 1):
                    sent = [r for r in rows if r["kind"] == "segment" and r["end"] == end]
                    self.assertEqual(len(sent), own["ends"][end]["segments"], (name, c["name"]))
                    path = [r["to"] for r in rows if r["kind"] == "state" and r["end"] == end]
                    self.assertEqual(path, [s["state"] for s in own["ends"][end]["states"]], (name, c["name"]))
            for r in page["rows"]:
                if r["kind"] == "state":
                    cause = page["rows"][r["cause"]]
                    self.assertEqual((cause["at"], cause["connection"]), (r["at"], r["connection"]))

    def test_what_a_capture_can_not_know_is_not_there(self):
        text = json.dumps([page for _, page, _ in self.captures.values()])
        self.assertNotIn("cwnd\":", text)
        self.assertTrue(all(not page["samples"] for _, page, _ in self.captures.values()))

    def test_a_window_that_closes_and_in_flight(self):
        _, page, _ = self.captures["zero-window"]
        [c] = page["connections"]
        self.assertIn(0, [v for _, v in c["seen"][0]["window"]])
        flights = [v for _, v in c["seen"][0]["flight"]]
        self.assertEqual((flights[-1], max(flights) > 10000), (0, True))
        self.assertTrue(any("the window closes" in r.get("reason", "") for r in page["rows"]))

    def test_a_long_capture_stays_bounded_and_says_what_is_left_out(self):
        talk = caps.Talk().open()
        for i in range(8000):
            talk.a("A", 1 + 1000 * i, 1, length=1000).b("A", 1, 1001 + 1000 * i)
        talk.a("A", 7990001, 1, length=1000, after=1)  # again, needlessly
        talk.close(8000001, 1)
        path = os.path.join(self.folder, "long.pcap")
        with open(path, "wb") as stream:
            stream.write(caps.pcap(talk.packets))
        page, d, _ = self.explain(path)
        self.assertLess(os.path.getsize(page), 3 << 20)
        segments = [r for r in d["rows"] if r["kind"] == "segment"]
        self.assertLessEqual(len(d["rows"]), 5000)
        self.assertEqual(d["rows_left_out"], 16008 - len(segments))
        self.assertEqual([r["flags"] for r in segments[-4:]], ["FA", "A", "FA", "A"])
        self.assertTrue(any(r["again"] for r in segments))
        seen = d["connections"][0]["seen"][0]
        for name in ("sent", "acked", "flight"):
            self.assertTrue(1000 <= len(seen[name]) <= 2000, (name, len(seen[name])))
        times = [p[0] for p in seen["sent"]]
        self.assertEqual(times, sorted(times))
        self.assertLess(max(b - a for a, b in zip(times, times[1:]) if b < 16), 0.1)  # the middle is there
        self.assertEqual(sum(len(p) > 3 for p in seen["sent"]), 1)

    def test_mistakes_end_with_2(self):
        path = os.path.join(self.folder, NAMES[0] + ".pcapng")
        for words, said in ((["-", "--html", "x"], "write it to a file first"), ([path, "--html", self.folder], "Is a directory"),
                            ([path, "--html", os.path.join(self.folder, "none", "x")], "No such file"), ([path, "--html"], "unknown option, or one without")):
            done = subprocess.run([caps.WEIR, "explain", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual((done.returncode, said in done.stderr), (2, True), (words, done.stderr))

    @unittest.skipIf(browser.WHY_NOT, browser.WHY_NOT)
    def test_a_browser_shows_it(self):
        chromium = browser.Browser()
        self.addCleanup(chromium.close)
        for name, (path, page, _) in self.captures.items():
            for width in (360, 1200):
                with self.subTest(capture=name, width=width):
                    chromium.show(path, width)
                    self.assertEqual((chromium.complaints(), chromium.requests()[0]), ([], []))
                    self.assertLessEqual(chromium.run("return document.documentElement.scrollWidth"), width)
                    self.assertEqual(chromium.run(browser.OVERLAPS), [])
            table = chromium.run("return [...document.querySelectorAll('#connection-table tbody tr')].map((tr) => [...tr.cells].map((td) => td.innerText))")
            for row, c in zip(table, page["connections"], strict=True):
                self.assertEqual((row[0], row[4].split("\n"), row[5].split("\n")), (f'#{c["name"]}', [f"{n:,}" for n in c["bytes"]], [f"{n:,}" for n in c["resent"]]))


if __name__ == "__main__":
    tap.main()
