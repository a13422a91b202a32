"""weir explain on captures of weir's own stacks in virtual time: it finds what each scenario is about."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import caps
import tap

SCENARIOS = {  # name: (severity, words of a verdict)
    "slow-start": ("fine", "Closed in good order, by 10.0.1.1"),
    "rst-closed-port": ("failed", "nobody listens at that port"),
    "half-open-data": ("failed", "knows of no connection"),
    "half-open-keepalive": ("failed", "it gave up, for nothing that it sent was answered"),
    "lost-fin-for-ever": ("failed", "it gave up, for nothing that it sent was answered"),
    "crash-and-reboot": ("failed", "knows of no connection"),
    "linger-zero": ("failed", "SO_LINGER 0, or it died"),
    "rst-unread-data": ("failed", "closed with data unread"),
    "close-wait-leak": ("failed", "its program holds it in CLOSE-WAIT"),
    "fin-wait-2-orphan": ("failed", "data came after its program had closed"),
    "zero-window": ("slow", "was the brake: its window was closed for 19.7 s of 20.1 s"),
    "lost-syn": ("slow", "The handshake took 1.0 s: a SYN was lost"),
    "lost-syn-for-ever": ("failed", "Nobody answered: 7 SYNs"),
    "simultaneous-close": ("fine", "by both at once"),
    "simultaneous-open": ("fine", "nothing is wrong"),
    "syn-flood": ("failed", "Half open: 10.0.1.2:80 answered with"),
}


class Lab(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="weir-test-")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def read(self, name):
        path = os.path.join(self.folder, name + ".pcapng")
        subprocess.run([caps.WEIR, "lab", "run", name, "--quiet", "--seed", "1", "--pcapng", path], capture_output=True, timeout=60,
                       check=True)
        done = subprocess.run([caps.WEIR, "explain", "--json", path], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.stderr, "")
        return json.loads(done.stdout)

    def test_scenarios(self):
        for name, (severity, words) in SCENARIOS.items():
            with self.subTest(scenario=name):
                found = self.read(name)["connections"]
                said = [(c["severity"], c["verdict"]) for c in found if words in c["verdict"]]
                self.assertTrue(said, [c["verdict"] for c in found][:5])
                self.assertIn(severity, {s for s, _ in said})

    def test_a_fast_retransmission(self):
        [found] = self.read("fast-retransmit")["connections"]
        end = found["ends"][0]
        self.assertEqual((end["fast"], end["rto"], end["early"], end["spurious"]), (1, 0, 0, 0))

    def test_backoff(self):
        [found] = self.read("rto-backoff")["connections"]
        self.assertEqual((found["ends"][0]["fast"], found["ends"][0]["rto"] > 3), (0, True))


if __name__ == "__main__":
    tap.main()
