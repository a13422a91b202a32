"""tools/rfc-trace.py counts what a tree's tests prove, and refuses a claim that does not hold."""
import os
import subprocess
import sys
import tempfile
import unittest

import tap

SOURCE = os.environ.get("WEIR_SOURCE") or os.path.join(os.path.dirname(__file__), "..", "..")
TOOL = os.path.join(SOURCE, "tools", "rfc-trace.py")
# Written in two halves, so that the tool does not take this file's tags for claims.
REQ, ROW, FSM = "REQ" ":", "ROW" ":", "FSM" "-"
TABLES = {
    "docs/rfc/tcp-rfc9293.tsv":
        "id\trfc\tsection\tlevel\ttopic\trequirement\tsource\n"
        "MUST-1\t9293\t3.1\tMUST\theader\tWindows are unsigned\tverified\n"
        "MUST-12\t9293\t3.6\tMUST NOT\tclose\tEnds look alike\tverified\n"
        "SHLD-1\t9293\t3.4.1\tSHOULD\tisn\tKeyed numbers\tverified\n",
    "docs/rfc/tcp-fsm.tsv":
        "id\tstate\tevent\tcondition\tnext\tactions\tref\n"
        "FSM-001\tLISTEN\tsegment RST\tany\tLISTEN\tignore\t3.10.7.2\n"
        "FSM-002\tLISTEN\tsegment ACK\tany\tLISTEN\tRST\t3.10.7.2\n",
    "docs/rfc/rows.tsv": f"id\ttopic\trequirement\n{ROW}7\tstates\tFIN-WAIT-2\n",
}
GOLDEN = {"tests/golden/x/LISTEN.txt":
          "# SAFR | dropped | after | sent\n...R  next  | tcp_rst   | -      | -\n"
          ".A..  next  | tcp_ack   | -      | ...R 5 [why?]\n"}
ALL_DONE = {"tests/unit/all.c": f"/* {REQ}MUST-1 {REQ}MUST-12 {FSM}001 {FSM}002 {REQ}SHLD-1 {ROW}7 */\n"}


def trace(files, *arguments):
    """(exit status, output) of a tree made of {path: text}."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in {**TABLES, **files}.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as stream:
                stream.write(text)
        answer = subprocess.run([sys.executable, TOOL, "--root", root, *arguments],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return answer.returncode, answer.stdout


def count(files, table):
    """[ids, covered, waived, open] of a table."""
    for line in trace(files)[1].splitlines():
        if line.startswith(table + ".tsv"):
            return [int(word) for word in line.split()[1:5]]
    raise AssertionError(table)


class Counting(unittest.TestCase):
    def test_without_tests_all_is_open(self):
        self.assertEqual(count({}, "tcp-rfc9293"), [3, 0, 0, 3])
        self.assertEqual(count({}, "tcp-fsm"), [2, 0, 0, 2])

    def test_tags_of_c_python_and_packet_scripts_cover(self):
        for path, text in (("tests/pkt/a.c", f"TEST(f) /* {REQ}MUST-1 */\n{{\n}}\n"),
                           ("tests/run/a.py", f"# {REQ}MUST-1\n"),
                           ("tests/pkt/b/a.pkt", f"// a sentence\n// {REQ}MUST-1 {ROW}7\n")):
            with self.subTest(path):
                self.assertEqual(count({path: text}, "tcp-rfc9293"), [3, 1, 0, 2])

    def test_the_three_forms_of_a_tag(self):
        files = {"tests/pkt/a.pkt": f"// {FSM}001 {REQ}{FSM}002 {ROW}7\n"}
        self.assertEqual(count(files, "tcp-fsm"), [2, 2, 0, 0])
        self.assertEqual(count(files, "rows"), [1, 1, 0, 0])

    def test_a_tag_outside_tests_covers_nothing(self):
        self.assertEqual(count({"src/tcp/a.c": f"/* {REQ}MUST-1 */\n"}, "tcp-rfc9293"), [3, 0, 0, 3])

    def test_a_waiver_decides(self):
        files = {"docs/rfc/waivers.tsv": "id\treason\nMUST-12\tthe world has no ends\n"}
        self.assertEqual(count(files, "tcp-rfc9293"), [3, 0, 1, 2])

    def test_open_lists_what_is_neither(self):
        status, said = trace({"tests/a.pkt": f"// {REQ}MUST-1\n"}, "--open", "9293")
        self.assertEqual(status, 0)
        self.assertEqual([line.split("\t")[0] for line in said.splitlines()], ["MUST-12", "SHLD-1"])

    def test_open_of_no_table_names_the_tables(self):
        status, said = trace({}, "--open", "nonsense")
        self.assertEqual(status, 1)
        self.assertIn("rows.tsv", said)


class Why(unittest.TestCase):
    def why(self, text, name="MUST-1", path="tests/pkt/a.c"):
        return trace({path: text}, "--why", name)[1]

    def test_a_tag_beside_the_head_is_of_that_test(self):
        said = self.why(f"/* Tests. */\nTEST(first)\n{{\n}}\n\nTEST(second) /* {REQ}MUST-1 */\n{{\n}}\n")
        self.assertIn("tests/pkt/a.c:6  second", said)

    def test_a_tag_above_the_head_is_of_the_next_test(self):
        said = self.why(f"/* Tests. */\nTEST(first)\n{{\n}}\n\n/* {REQ}MUST-1 */\nTEST(second)\n{{\n}}\n")
        self.assertIn("tests/pkt/a.c:6  second", said)

    def test_a_tag_inside_is_of_the_test_around_it(self):
        said = self.why(f"/* Tests. */\nstatic void first(void **state)\n{{\n    /* {REQ}MUST-1 */\n}}\n"
                        "\nTEST(second)\n{\n}\n")
        self.assertIn("tests/pkt/a.c:4  first", said)

    def test_the_code_that_cites_it_is_shown(self):
        said = self.why("/* 9293#3.1: unsigned. */\nint a; /* MUST-1 */\n", path="src/tcp/a.c")
        self.assertIn("src/tcp/a.c:2", said)
        self.assertIn("src/tcp/a.c:1  (the section)", said)
        self.assertIn("open", said)

    def test_an_unknown_id_names_the_nearest(self):
        status, said = trace({}, "--why", "MUST-13")
        self.assertEqual(status, 1)
        self.assertIn("nearest: MUST-12", said)


class Checking(unittest.TestCase):
    def failures(self, files):
        status, said = trace({**ALL_DONE, **files}, "--check")
        wrong = [line for line in said.splitlines() if line.startswith("not ok")]
        self.assertEqual(status, 1 if wrong else 0)
        return "\n".join(wrong), said

    def test_all_is_well(self):
        self.assertEqual(self.failures({})[0], "")

    def test_an_unknown_tag_fails_and_names_the_nearest(self):
        wrong, said = self.failures({"tests/a.pkt": f"// {FSM}009\n"})
        self.assertIn("tags", wrong)
        self.assertIn("tests/a.pkt:1: no requirement is called FSM" "-009; nearest: FSM" "-002", said)

    def test_a_waiver_of_nothing_fails(self):
        wrong, said = self.failures({"docs/rfc/waivers.tsv": "id\treason\nSHLD-2\tit does not apply\n"})
        self.assertIn("waivers", wrong)
        self.assertIn("nearest: SHLD-1", said)

    def test_a_waiver_without_a_reason_fails(self):
        self.assertIn("waivers", self.failures({"docs/rfc/waivers.tsv": "id\treason\nSHLD-1\t\n"})[0])

    def test_a_waiver_of_what_is_proven_fails(self):
        files = {"docs/rfc/waivers.tsv": "id\treason\nMUST-1\tit does not apply\n"}
        self.assertIn("waivers", self.failures(files)[0])

    def test_what_has_neither_test_nor_reason_fails(self):
        status, said = trace({"tests/a.pkt": f"// {REQ}MUST-1\n"}, "--check")
        self.assertEqual(status, 1)
        self.assertIn("MUST-12 has neither", said)
        self.assertIn("SHLD-1 has neither", said)
        self.assertIn(ROW + "7 has neither", said)
        self.assertIn(FSM + "001 has neither", said)

    def test_code_that_cites_no_requirement_fails(self):
        wrong, said = self.failures({"src/tcp/a.c": "/* MUST-13 */\n"})
        self.assertIn("citations", wrong)
        self.assertIn("src/tcp/a.c:1", said)

    def test_an_id_twice_fails(self):
        table = TABLES["docs/rfc/rows.tsv"]
        files = {"docs/rfc/rows.tsv": table + table.splitlines()[1] + "\n"}
        self.assertIn("ids", self.failures(files)[0])


class GoldenLines(unittest.TestCase):
    def proof(self, line, name=FSM + "002"):
        return {**GOLDEN, "docs/rfc/golden-proof.tsv": f"id\tfile\tline\n{name}\tx/LISTEN.txt\t{line}\n"}

    def check(self, files):
        all_but_one = {"tests/unit/all.c": f"/* {REQ}MUST-1 {REQ}MUST-12 {FSM}001 {REQ}SHLD-1 {ROW}7 */\n"}
        return trace({**all_but_one, **files}, "--check")

    def test_a_line_that_is_there_covers(self):
        files = self.proof(".A.. next | tcp_ack | - | ...R 5 [why?]")
        self.assertEqual(count(files, "tcp-fsm"), [2, 1, 0, 1])
        self.assertEqual(self.check(files)[0], 0)
        self.assertIn("tests/golden/x/LISTEN.txt:3", trace(files, "--why", FSM + "002")[1])

    def test_a_star_leaves_open(self):
        self.assertEqual(count(self.proof(".A.. next | * | - | ...R 5 *"), "tcp-fsm"), [2, 1, 0, 1])

    def test_another_outcome_fails_and_covers_nothing(self):
        files = self.proof(".A.. next | * | ESTABLISHED | *")
        status, said = self.check(files)
        self.assertEqual(status, 1)
        self.assertIn("does that still hold?", said)
        self.assertEqual(count(files, "tcp-fsm"), [2, 0, 0, 2])

    def test_a_line_that_is_gone_fails(self):
        status, said = self.check(self.proof("S... next | * | - | *"))
        self.assertEqual(status, 1)
        self.assertIn("has no line 'S... next'", said)

    def test_an_unknown_id_fails(self):
        self.assertEqual(self.check(self.proof(".A.. next | * | * | *", FSM + "003"))[0], 1)


if __name__ == "__main__":
    tap.main()
