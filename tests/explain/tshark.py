"""weir explain beside the stack's own counters, and beside tshark, on captures with losses."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import caps
import tap


def lossy(folder, seed):
    """A transfer over a network that loses 3 %, recorded at its sender by the stack: (file, its own count)."""
    path = os.path.join(folder, "lossy.pcapng")
    serve = subprocess.Popen(["/usr/bin/python3", "-c", SERVE], stdout=subprocess.PIPE)
    port = serve.stdout.readline().decode().strip()
    done = subprocess.run([caps.WEIR, "run", "--pcapng", path, "--net", "delay 10ms loss 3%", "--seed", str(seed), "--",
                           "/usr/bin/python3", "-c", SEND, port], capture_output=True, text=True, timeout=60, check=True)
    serve.wait(20)
    serve.stdout.close()
    again = int(done.stderr.split(" retransmitted")[0].split()[-1])
    return path, again


SERVE = """
import socket
l = socket.create_server(("127.0.0.1", 0))
print(l.getsockname()[1], flush=True)
c, _ = l.accept()
while c.recv(1 << 16): pass
c.close()
"""
SEND = """
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(bytes(600000))
s.shutdown(socket.SHUT_WR)
s.recv(1)
"""


class Lossy(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="weir-test-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.path, self.again = lossy(self.folder, 3)
        done = subprocess.run([caps.WEIR, "explain", "--json", self.path], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        [self.found] = json.loads(done.stdout)["connections"]

    def test_counts_are_the_stack_s_own(self):
        end = self.found["ends"][0]
        counted = end["rto"] + end["fast"] + end["early"] + end["spurious"] + sum(e["syns"] - 1 for e in self.found["ends"])
        self.assertGreater(self.again, 3)
        self.assertEqual(counted, self.again)
        self.assertEqual(end["bytes"], 600000)

    @unittest.skipUnless(shutil.which("tshark"), "not installed: tshark")
    def test_counts_are_tshark_s(self):
        def count(*filters):
            done = subprocess.run(["tshark", "-n", "-r", self.path, "-Y", " || ".join(filters), "-T", "fields", "-e", "frame.number"],
                                  capture_output=True, text=True, timeout=60, check=True,
                                  env={"HOME": self.folder, "PATH": "/usr/bin:/bin"})
            return len(done.stdout.split())
        end = self.found["ends"][0]
        # What was lost before it came by tshark calls out of order, if it came within a round trip of the gap.
        self.assertEqual(count("tcp.analysis.retransmission", "tcp.analysis.out_of_order"),
                         end["rto"] + end["fast"] + end["early"] + end["spurious"] + end["out_of_order"])
        self.assertEqual(count("tcp.analysis.duplicate_ack"), self.found["ends"][1]["dup_acks"])
        self.assertEqual(count("tcp.analysis.zero_window"), sum(e["zero_windows"] for e in self.found["ends"]))


if __name__ == "__main__":
    tap.main()
