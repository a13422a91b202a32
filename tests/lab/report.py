"""The page of a run: one file that needs nothing, with the numbers of --json; and what --json tells. How the page is in
a browser: page.py."""
import functools
import html.parser
import json
import os
import re
import subprocess
import tempfile
import unittest

import tap

WEIR, SOURCE = os.environ["WEIR"], os.environ["WEIR_SOURCE"]
NAMES = ["lost-synack", "timeout-and-cwnd", "accept-queue-full", "nat-timeout", "udp-and-tcp", "ping-and-traceroute",
         "simultaneous-close", "reordering"]
FOLDER = tempfile.mkdtemp()


@functools.cache
def run(name, *more):
    """The page of a scenario and the JSON of the same run."""
    path = os.path.join(FOLDER, name + ".html")
    answer = subprocess.run([WEIR, "lab", "run", name, "--json", "--html", path, *more], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    assert answer.returncode in (0, 1), answer.stderr
    with open(path, encoding="utf-8") as stream:
        return stream.read(), json.loads(answer.stdout), path


class Page(html.parser.HTMLParser):
    """Collects what refers to somewhere else, the tags that are open, and the embedded JSON."""

    VOID = {"meta", "link", "br", "img", "input", "hr"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.outside, self.data, self.ids = [], [], "", []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        names = dict(attributes)
        self.ids += [names["id"]] if "id" in names else []
        self.outside += [v for k, v in attributes if k in ("src", "href", "action", "srcset") and v != "data:,"]
        if tag not in self.VOID:
            self.open.append((tag, names.get("type")))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1][0] == tag, (self.open, tag)
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] == ("script", "application/json"):
            self.data += data


class Report(unittest.TestCase):
    def test_the_page_is_whole_and_needs_nothing_beside_itself(self):
        for name in NAMES:
            text, _, _ = run(name)
            page = Page(text)
            self.assertEqual(page.open, [], name)
            self.assertEqual(page.outside, [], name)
            self.assertEqual(len(page.ids), len(set(page.ids)))
            own = re.sub(r"<script>/\*! @license.*?</script>", "", text, flags=re.S)  # without dygraphs
            urls = set(re.findall(r"https?://[^\s\"'<>]+", own)) - {"http://www.w3.org/2000/svg"}
            self.assertEqual(urls, set(), name)
            self.assertEqual(re.findall(r"@import|url\((?!#)|fetch\(|XMLHttpRequest|\{\{[a-z_.]+\}\}", own), [], name)

    def test_the_numbers_are_those_of_json(self):
        for name in NAMES:
            text, run_json, _ = run(name)
            self.assertEqual(json.loads(Page(text).data), run_json, name)

    def test_json_tells_the_rows_and_the_curves(self):
        _, d, _ = run("timeout-and-cwnd")
        self.assertEqual(d["rows_left_out"], 0)
        again = [r for r in d["rows"] if r.get("event") == "rto"]
        self.assertTrue(again)
        for r in again:
            self.assertEqual(d["rows"][r["since"]]["seq"], r["seq"])
            self.assertAlmostEqual(r["at"] - d["rows"][r["since"]]["at"], r["waited"], 9)
        curve = next(s for s in d["samples"] if s["node"] == d["rows"][again[0]["since"]]["from"])
        cwnd = [v[curve["columns"].index("cwnd")] for v in curve["values"]]
        times = [v[0] for v in curve["values"]]
        self.assertEqual(times, sorted(times))
        self.assertIn(curve["totals"]["mss"], cwnd)  # after a timeout it is one segment

    def test_each_change_of_state_names_the_segment_that_made_it(self):
        _, d, _ = run("lost-synack")
        told = {(r["node"], r["from"], r["to"]): d["rows"][r["cause"]]["text"]
                for r in d["rows"] if r["kind"] == "state" and "cause" in r}
        self.assertEqual(told["a", "CLOSED", "SYN-SENT"], "SYN 0 mss 1460")
        self.assertEqual(told["a", "SYN-SENT", "ESTABLISHED"], "SYN/ACK 0 ack 1 mss 1460")
        self.assertEqual(told["b", "ESTABLISHED", "FIN-WAIT-1"], "FIN data 1:13 ack 6")
        self.assertEqual(told["b", "FIN-WAIT-1", "FIN-WAIT-2"], "ACK 14")
        self.assertEqual(told["b", "FIN-WAIT-2", "TIME-WAIT"], "FIN 6 ack 14")
        end = next(r for r in d["rows"] if r["kind"] == "state" and r["from"] == "TIME-WAIT")
        self.assertTrue(end["by_timer"])
        self.assertEqual(end["waited"], 60)

    def test_behind_a_nat_both_ends_have_their_states(self):
        _, d, _ = run("nat-timeout")
        path = [(r["from"], r["to"]) for r in d["rows"] if r["kind"] == "state" and r.get("connection") == 1 and r["end"] == 1]
        self.assertEqual(path[-1], ("SYN-RECEIVED", "ESTABLISHED"))

    def test_much_is_bounded_and_says_what_is_left_out(self):
        _, many, _ = run("keep-alive-pool")
        self.assertEqual(len(many["connections"]), 200)
        self.assertLessEqual(len(many["samples"]) + len(many["listeners"]), 64)
        text, d, _ = run("ack-loss")
        self.assertGreater(d["rows_left_out"], 1000)
        self.assertEqual(len(d["rows"]), 5000)
        self.assertLess(len(text), 4 << 20)
        for i, r in enumerate(d["rows"]):
            for key in ("cause", "since"):
                self.assertLess(r.get(key, 0), len(d["rows"]), (i, key))

    def test_sums_and_curves_are_of_all_rows_though_some_are_left_out(self):
        text, d, _ = run("ack-loss")
        self.assertGreater(d["rows_left_out"], 1000)
        self.assertLess(len(text), 5 << 20)
        for c in d["connections"]:
            for end, seen in zip(c["ends"], c["seen"], strict=True):
                totals = next(s["totals"] for s in d["samples"] if (s["node"], s["port"]) == (end["node"], end["port"]))
                i = c["ends"].index(end)
                self.assertEqual((c["bytes"][i], c["resent"][i]), (totals["bytes_sent"], totals["retrans"]))
                self.assertLessEqual(max(len(seen["sent"]), len(seen["acked"])), 2000)
                self.assertEqual([p[0] for p in seen["sent"]], sorted(p[0] for p in seen["sent"]))
            sent = c["seen"][0]["sent"]
            self.assertGreater(len(sent), 1000)
            self.assertLess(max(b[0] - a[0] for a, b in zip(sent, sent[1:])), 0.1 * sent[-1][0])  # no hole in the middle
            totals = next(s["totals"] for s in d["samples"] if s["node"] == c["ends"][0]["node"])
            self.assertEqual(c["seen"][0]["acked"][-1][1], totals["bytes_acked"] + 1)
        self.assertEqual(sum(c["lost"] for c in d["connections"]), sum(d["fates"].values()))

    def test_quiet_json_stays_small(self):
        answer = subprocess.run([WEIR, "lab", "run", "--json", "--quiet", "lost-synack"], stdout=subprocess.PIPE,
                                text=True, timeout=60, check=True)
        self.assertNotIn("rows", json.loads(answer.stdout))

    def test_mistakes_end_with_2(self):
        for words in (["lost-syn", "lost-fin", "--html", "x"], ["--all", "--html", "x"], ["lost-syn", "--html", ""],
                      ["lost-syn", "--seeds", "2", "--html", "x"], ["lost-syn", "--html", FOLDER]):
            answer = subprocess.run([WEIR, "lab", "run", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    text=True, timeout=60, check=False)
            self.assertEqual(answer.returncode, 2, words)
            self.assertTrue(answer.stderr.startswith("weir lab:"), answer.stderr)

    def test_what_a_scenario_writes_is_text(self):
        path = os.path.join(FOLDER, "odd.lua")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write("title 'a</title><script>x</script> & b'\nasks '</script><!--'\nlocal a = host 'a'\n"
                         "check(true, '<b>')\n")
        page = os.path.join(FOLDER, "odd.html")
        subprocess.run([WEIR, "lab", "run", path, "--html", page], stdout=subprocess.DEVNULL, timeout=60, check=True)
        with open(page, encoding="utf-8") as stream:
            parsed = Page(stream.read())
        self.assertEqual(parsed.open, [])
        self.assertEqual(json.loads(parsed.data)["question"], "</script><!--")

    def test_the_diagram_knows_the_edges_of_the_stack(self):
        with open(os.path.join(SOURCE, "src/def/edges.def"), encoding="utf-8") as stream:
            edges = {(a.replace("_", "-"), b.replace("_", "-"))
                     for a, b in re.findall(r"^EDGE\((\w+), (\w+),", stream.read(), re.M)}
        with open(os.path.join(SOURCE, "page/states.js"), encoding="utf-8") as stream:
            text = stream.read()
        ways = set(re.findall(r'\["([A-Z0-9-]+)", "([A-Z0-9-]+)"\]', text))
        self.assertEqual(len(ways), 16)
        # A segment that opens a connection meets a listener first; a stack of ours promotes it later.
        self.assertEqual(ways - edges, {("LISTEN", "SYN-RECEIVED")})
        for state in {s for edge in edges for s in edge}:
            self.assertIn(f'"{state}": [', text)


if __name__ == "__main__":
    tap.main()
