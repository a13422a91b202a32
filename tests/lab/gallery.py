"""Each scenario of the gallery holds; one case for each. The page stays a page, and what is printed one of
80 columns. All run here with seeds 1 and 2, and in determinism.py with one more."""
import os
import subprocess
import unittest

import cpu
import tap

WEIR, SOURCE = os.environ["WEIR"], os.environ["WEIR_SOURCE"]
LINES_MAX, COLUMNS_MAX = 70, 80
# What a function left behind on the stack: three quarters of the time, so once for each scenario.
ALL_CHECKS = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_stack_use_after_return=1"}


def names():
    return sorted(n[:-4] for n in os.listdir(os.path.join(SOURCE, "scenarios")) if n.endswith(".lua"))


# Knobs turn a scenario into another one, with other claims.
VARIANTS = """time-wait-killed rfc1337=0, time-wait-pile-up client_first=true, ports-exhausted reuse=1,
    close-wait-leak leaks=5, fin-wait-2-orphan timeout=10, syn-flood cookies=0, accept-queue-full abort=1,
    mtu-black-hole clamp=1200, mtu-black-hole probing=1,
    mtu-black-hole probing=2, nat-timeout keepalive=100, lost-syn lost=4, lost-synack lost=3,
    nagle-delayed-ack nodelay=true, clock-skew ppm=-20000, lost-last-ack-for-ever lost=2,
    udp-through-nat keepalive=10, old-segment-next-incarnation timestamps=1, quiet-time quiet=0,
    time-wait-recycle-nat recycle=0, close-wait-overload work=0.05, read-timeout stuck=3,
    congestion-avoidance algorithm=cubic, lost-fragment lost=first, lost-fragment lost=third"""


def weir_lab(*words, env=None):
    return subprocess.run([WEIR, "lab", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env,
                          preexec_fn=cpu.bound, check=False)


class Gallery(unittest.TestCase):
    def test_the_document_names_each_with_its_question(self):
        answer = subprocess.run([os.path.join(SOURCE, "tools", "gallery.py"), "--check"], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(answer.returncode, 0, answer.stdout)

    def test_all_hold_and_times_are_told(self):
        answer = weir_lab("list", "--times", env=ALL_CHECKS)
        self.assertEqual(answer.returncode, 0, answer.stdout)
        self.assertEqual(sorted(line.split()[0] for line in answer.stdout.split("\n")[:-2]), names())

    def test_variants_hold(self):
        for variant in VARIANTS.replace("\n", " ").split(","):
            name, knob = variant.split()
            answer = weir_lab("run", "--quiet", "--set", knob, name)
            self.assertEqual(answer.returncode, 0, answer.stdout)


def add(name):
    def holds(self):
        answer = weir_lab("run", "--seed", "2", name)
        self.assertEqual(answer.returncode, 0, answer.stdout)
        self.assertEqual([line for line in answer.stdout.splitlines() if len(line) > COLUMNS_MAX], [])

    def is_a_page(self):
        with open(os.path.join(SOURCE, "scenarios", name + ".lua"), encoding="utf-8") as stream:
            lines = stream.read().split("\n")
        self.assertLessEqual(len(lines), LINES_MAX)
        for number, word in enumerate(("title", "asks", "watch")):
            self.assertTrue(lines[number].startswith(word + ' "'), f"line {number + 1} is no {word}")
        self.assertIn("conclude [[", "\n".join(lines))

    short = name.replace("-", "_")
    setattr(Gallery, f"test_{short}_holds", holds)
    setattr(Gallery, f"test_{short}_is_a_page", is_a_page)


for scenario in names():
    add(scenario)

if __name__ == "__main__":
    tap.main()
