"""docs/knobs.md and docs/counters.md are what tools/tables makes of the tables."""
import os
import re
import subprocess
import sys
import unittest

import tap

SOURCE = os.environ.get("WEIR_SOURCE") or os.path.join(os.path.dirname(__file__), "..", "..")


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as stream:
        return stream.read()


class Tables(unittest.TestCase):
    def test_documents_are_current(self):
        answer = subprocess.run([sys.executable, os.path.join(SOURCE, "tools/tables"), "--check"],
                                capture_output=True, text=True, check=False)
        self.assertEqual((answer.returncode, answer.stderr), (0, ""))

    def test_each_row_is_there(self):
        for table, macro, document, form in (("knobs", r'KNOB(?:[23]|_TEXT)?\(\w+, "([\w.]+)"', "knobs", "| `{}` |"),
                                             ("stats", r"STAT\((\w+)", "counters", "| `{}` |"),
                                             ("drops", r"DROP\((\w+)", "counters", "| `drop.{}` |")):
            names = re.findall(rf"^{macro}", read(f"src/def/{table}.def"), re.M)
            self.assertGreater(len(names), 40)
            text = read(f"docs/{document}.md")
            for name in names:
                self.assertEqual(text.count(form.format(name)), 1, name)


if __name__ == "__main__":
    tap.main()
