#!/usr/bin/env python3
"""Socket calls that print what came of them, to be compared: on the kernel's stack and on weir's.

    socket_calls.py SUBJECT...

Each subject (subjects/) runs in a process of its own, some at once, since most of them only wait.
Printed are, in the order of the names, "== SUBJECT", its lines, and "-- exit STATUS".
"""
import os
import select
import signal
import sys
import time
import traceback

from subjects import SUBJECTS

AT_ONCE = 8
PATIENCE = 60


class Run:
    """A subject in a child; what it prints on stdout and stderr comes through a pipe."""

    def __init__(self, name):
        self.name = name
        self.text = b""
        self.status = None
        self.pipe, theirs = os.pipe()
        self.end = time.monotonic() + PATIENCE
        self.pid = os.fork()
        if self.pid == 0:
            self._be(theirs)
        os.close(theirs)

    def _be(self, pipe):
        status = 1
        os.setpgid(0, 0)
        os.dup2(pipe, 1)
        os.dup2(pipe, 2)
        os.closerange(3, 256)
        try:
            SUBJECTS[self.name]()
            status = 0
        except BaseException:
            traceback.print_exc()
        os._exit(status)

    def read(self):
        data = os.read(self.pipe, 1 << 16)
        self.text += data
        if not data:
            self._finish()

    def kill_if_late(self):
        if time.monotonic() > self.end:
            self.text += b"does not end\n"
            os.killpg(self.pid, signal.SIGKILL)
            self._finish()

    def _finish(self):
        os.close(self.pipe)
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def show(self):
        sys.stdout.write(f"== {self.name}\n{self.text.decode(errors='replace')}-- exit {self.status}\n")
        sys.stdout.flush()


def main(names):
    waiting, running, runs = list(names), [], []
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            running.append(Run(waiting.pop(0)))
            runs.append(running[-1])
        for pipe in select.select([run.pipe for run in running], [], [], 1)[0]:
            next(run for run in running if run.pipe == pipe).read()
        for run in running:
            if run.status is None:
                run.kill_if_late()
        running = [run for run in running if run.status is None]
    for run in runs:
        run.show()


if __name__ == "__main__":
    main(sys.argv[1:])
