"""Each subject of tests/support/subjects prints the same under `weir run` as on the kernel's stack.

All of them run twice, each time on a stage of its own (stage.py), side by side; then they are compared
one by one. With arguments only those subjects run.
"""
import os
import re
import sys
import unittest

import rig
import tap
from subjects import SUBJECTS

STAGE = os.path.join(rig.SUPPORT, "stage.py")
SCRIPT = os.path.join(rig.SUPPORT, "socket_calls.py")
PATIENCE = 120


class Calls(rig.Case):
    """One case for each subject, made below."""

    maxDiff = None
    printed = {}

    def play(self, subjects):
        """Runs them on both stacks, and keeps what each printed."""
        command = (sys.executable, "-u", SCRIPT, *subjects)
        runs = {"kernel": self.start(sys.executable, STAGE, *command),
                "weir": self.start(sys.executable, STAGE, rig.WEIR, "run", "--", *command)}
        for stack, run in runs.items():
            status = run.exit(PATIENCE)
            self.printed[stack] = dict(re.findall(r"^== (\w+)\n(.*?^-- exit .*?)$", run.out, re.M | re.S))
            self.printed[stack][""] = f"{run.err}\nexit {status}"
            self.check_words(run)

    def compare(self, subject):
        if not self.printed:
            self.play(SUBJECTS)
        kernel, weir = (self.printed[stack].get(subject, self.printed[stack][""])
                        for stack in ("kernel", "weir"))
        self.assertMultiLineEqual(kernel, weir)
        self.assertTrue(kernel.endswith("exit 0"), kernel)


def add_case(subject):
    setattr(Calls, f"test_{subject}", lambda self: self.compare(subject))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        SUBJECTS = {name: SUBJECTS[name] for name in sys.argv[1:]}
    for name in SUBJECTS:
        add_case(name)
    tap.main()
