"""docs/attacks.md names tests that are there, all that are called after an attack, and each number once."""
import os
import re
import unittest

import tap

SOURCE = os.environ.get("WEIR_SOURCE") or os.path.join(os.path.dirname(__file__), "..", "..")
FUNCTION = re.compile(r"^(?:TEST\(\s*(\w+)\)|static void (\w+)\(\s*void \*\*state\))", re.M)


def tests():
    """Names of all C tests."""
    for here, _, names in os.walk(os.path.join(SOURCE, "tests")):
        for name in names:
            if name.endswith(".c"):
                with open(os.path.join(here, name), encoding="utf-8") as stream:
                    for match in FUNCTION.finditer(stream.read()):
                        yield match[1] or match[2]


class Attacks(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(SOURCE, "docs/attacks.md"), encoding="utf-8") as stream:
            self.rows = [line.split("|") for line in stream if re.match(r"\| \d", line)]

    def test_named_tests_exist(self):
        there = set(tests())
        for row in self.rows:
            for name in re.findall(r"`(\w+)`", row[4]):
                self.assertIn(name, there)

    def test_attacks_are_named(self):
        named = {name for row in self.rows for name in re.findall(r"`(\w+)`", row[4])}
        self.assertEqual({name for name in tests() if re.match(r"attack_\d", name)} - named, set())

    def test_numbers_are_given_once(self):
        numbers = [int(row[1]) for row in self.rows]
        self.assertEqual(len(numbers), len(set(numbers)))
        self.assertGreater(len(numbers), 50)


if __name__ == "__main__":
    tap.main()
