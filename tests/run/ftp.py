"""FTP under `weir run`, curl as the client: both ends, active and passive, in the words of RFC 959 and
of RFC 2428. Active mode makes the server open the data connection, so each end listens once."""
import hashlib
import importlib.util
import os
import random
import sys
import unittest

import rig
import tap

SIZE = 300_000
MODES = {
    "EPSV": [],
    "PASV": ["--disable-epsv"],
    "EPRT": ["--ftp-port", "-"],
    "PORT": ["--ftp-port", "-", "--disable-eprt"],
}
SERVER = os.path.join(rig.SUPPORT, "ftp_server.py")


@rig.need("curl")
@unittest.skipIf(importlib.util.find_spec("pyftpdlib") is None, "not installed: python3-pyftpdlib")
class Ftp(rig.Case):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("served"))
        self.data = random.Random(9).randbytes(SIZE)
        for name in ("served/down", "up"):
            with open(self.path(name), "wb") as stream:
                stream.write(self.data)

    def serve(self, start):
        self.server = start(sys.executable, "-u", "-W", "ignore", SERVER, self.path("served"))
        self.url = f"ftp://127.0.0.1:{self.server.wait_for('[0-9]+')[0]}/"

    def assert_here(self, name):
        with open(self.path(name), "rb") as stream:
            self.assertEqual(hashlib.sha256(stream.read()).digest(), hashlib.sha256(self.data).digest())
        os.remove(self.path(name))

    def transfer(self, start, end, modes=MODES):
        """Down and up in each mode, and each time curl says that it used it."""
        for mode in modes:
            words = MODES[mode]
            curl = ["curl", "-sSv", "--noproxy", "*", *words]
            down = start(*curl, "-o", self.path("got"), self.url + "down")
            end(down)
            self.assertIn(f"> {mode}", down.err)
            self.assert_here("got")
            up = start(*curl, "-T", self.path("up"), self.url + "came")
            end(up)
            self.assertIn(f"> {mode}", up.err)
            self.assert_here("served/came")

    def end_plain(self, program):
        self.assertEqual(program.exit(), 0, program.err)

    def test_the_client(self):
        """ROW:140"""
        self.serve(self.start)
        self.transfer(self.weir, self.end_well)

    def test_the_server(self):
        """ROW:140"""
        self.serve(self.weir)
        self.transfer(self.start, self.end_plain)

    def test_both_ends(self):
        """ROW:140"""
        self.serve(self.weir)
        self.transfer(self.weir, self.end_well, ("EPSV", "PORT"))


if __name__ == "__main__":
    tap.main()
