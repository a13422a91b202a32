"""One seed is one run, byte for byte, whatever compiled it: the tree under test, which has sanitizers, gcc
as weir is shipped, and clang. Compares the pcapng and the page of each scenario of the gallery."""
import hashlib
import os
import shutil
import subprocess
import tempfile
import unittest

import cpu
import tap
import trees

WEIR = os.environ["WEIR"]


def page(weir, *words):
    return subprocess.run([weir, "lab", "run", *words], stdout=subprocess.PIPE, preexec_fn=cpu.bound, check=True).stdout


def digests(weir, names):
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            capture = os.path.join(folder, "capture")
            text = page(weir, "--seed", "7", "--pcapng", capture, name)
            with open(capture, "rb") as stream:
                found[name] = hashlib.sha256(stream.read() + text).hexdigest()
    return found


class Determinism(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.names = sorted(n[:-4] for n in os.listdir(os.path.join(trees.SOURCE, "scenarios")) if n.endswith(".lua"))
        cls.here = digests(WEIR, cls.names)

    def compare(self, weir):
        there = digests(weir, self.names)
        self.assertEqual([], [n for n in self.names if self.here[n] != there[n]])

    def test_as_it_is_shipped_it_runs_the_same(self):
        self.compare(trees.shipped())

    @unittest.skipUnless(shutil.which("clang"), "no clang (make setup)")
    def test_compiled_by_clang_it_runs_the_same(self):
        self.compare(trees.compiled_by("clang"))

    def test_two_seeds_differ_where_there_is_chance(self):
        pages = [page(WEIR, "--seed", seed, "udp-and-tcp") for seed in "12"]
        self.assertNotEqual(pages[0], pages[1])


if __name__ == "__main__":
    tap.main()
