"""Each subject of tests/support/socket_calls.py prints the same under `weir run` as on the kernel's stack."""
import os
import sys

import peers
import rig
import socket_calls
import tap

SCRIPT = os.path.join(rig.SUPPORT, "socket_calls.py")
# Those whose connection to a server of the host has an end that counts.
WATCHED = {"linger_0_to_the_host", "half_close_to_the_host", "close_unread"}


class Calls(rig.Case):
    """One case for each subject, made below."""

    def compare(self, subject):
        runs = []
        for start in (self.start, self.weir):
            servers = peers.Peers()
            self.addCleanup(servers.close)
            runs.append((start(sys.executable, "-u", SCRIPT, subject, env=servers.environment()), servers))
        self.maxDiff = None
        self.assertMultiLineEqual(*[self.outcome(subject, *run) for run in runs])

    def outcome(self, subject, program, servers):
        status = program.exit()
        lines = [line for line in program.err.splitlines() if not line.startswith("weir: ")]
        end = servers.how_it_ended() if subject in WATCHED else "nobody watches"
        return "\n".join([program.out, *lines, f"exit {status}", end])


def add_case(subject):
    setattr(Calls, f"test_{subject}", lambda self: self.compare(subject))


for name in socket_calls.SUBJECTS:
    add_case(name)

if __name__ == "__main__":
    tap.main()
