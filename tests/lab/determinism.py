"""One seed is one run, byte for byte, whatever compiled it: gcc and clang, -O0 and -O2, and the tree
under test, which has sanitizers. Compares the pcapng and the page of each scenario of the gallery."""
import hashlib
import os
import shutil
import subprocess
import tempfile
import unittest

import tap

WEIR, SOURCE, BUILD = os.environ["WEIR"], os.environ["WEIR_SOURCE"], os.environ["WEIR_BUILD"]
MESON = "/usr/bin/meson" if os.path.exists("/usr/bin/meson") else shutil.which("meson")
NINJA = "/usr/bin/ninja" if os.path.exists("/usr/bin/ninja") else shutil.which("ninja")


def quiet(*command, env=None):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, **(env or {})}, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stdout[-3000:])


def built(compiler, level):
    """The command, built apart; the tree stays, so that only the first time takes long."""
    tree = os.path.join(BUILD, f"determinism-{compiler}-O{level}")
    if not os.path.exists(os.path.join(tree, "build.ninja")):
        shutil.rmtree(tree, ignore_errors=True)
        cache = "ccache " if shutil.which("ccache") else ""
        quiet(MESON, "setup", tree, SOURCE, f"-Doptimization={level}", "-Dtests=disabled",
              "-Dexamples=false", "-Dwarning_level=0", env={"CC": cache + compiler})
    else:
        quiet(MESON, "setup", "--reconfigure", tree, SOURCE)
    quiet(NINJA, "-C", tree, "weir")
    return os.path.join(tree, "weir")


def digests(weir, names):
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            capture = os.path.join(folder, "capture")
            page = subprocess.run([weir, "lab", "run", "--seed", "7", "--pcapng", capture, name],
                                  stdout=subprocess.PIPE, timeout=120, check=True).stdout
            with open(capture, "rb") as stream:
                found[name] = hashlib.sha256(stream.read() + page).hexdigest()
    return found


class Determinism(unittest.TestCase):
    names = sorted(n[:-4] for n in os.listdir(os.path.join(SOURCE, "scenarios")) if n.endswith(".lua"))

    def compare(self, compiler, level):
        if not shutil.which(compiler):
            self.skipTest(f"no {compiler} (make setup)")
        here, there = digests(WEIR, self.names), digests(built(compiler, level), self.names)
        self.assertEqual([], [n for n in self.names if here[n] != there[n]])

    def test_gcc_without_optimization_runs_the_same(self):
        self.compare("gcc", 0)

    def test_clang_with_optimization_runs_the_same(self):
        self.compare("clang", 2)

    def test_two_seeds_differ_where_there_is_chance(self):
        pages = [subprocess.run([WEIR, "lab", "run", "--seed", seed, "udp-and-tcp"],
                                stdout=subprocess.PIPE, check=True).stdout for seed in "12"]
        self.assertNotEqual(pages[0], pages[1])


if __name__ == "__main__":
    tap.main()
