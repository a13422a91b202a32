"""curl under `weir run`: transfers are exact, and each failure has curl's own word for it."""
import hashlib
import random

import peers
import rig
import tap
import web

SIZE = 20_000_000
NET = "delay 1ms loss 0.1%"


@rig.need("curl")
class Curl(rig.Case):
    @classmethod
    def setUpClass(cls):
        cls.data = random.Random(7).randbytes(SIZE)
        cls.digest = hashlib.sha256(cls.data).hexdigest()
        cls.server = web.Server(cls.data)

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def curl(self, *words, options=()):
        return self.weir("curl", "-sS", "--noproxy", "*", *words, options=options)

    def down(self, *options):
        program = self.curl("-o", self.path("got"), self.server.url(), options=options)
        self.end_well(program)
        with open(self.path("got"), "rb") as stream:
            self.assertEqual(hashlib.sha256(stream.read()).hexdigest(), self.digest)
        return program

    def up(self, *options):
        with open(self.path("data"), "wb") as stream:
            stream.write(self.data)
        program = self.curl("-T", self.path("data"), self.server.url("/up"), options=options)
        self.end_well(program)
        self.assertEqual(program.out, self.digest)
        return program

    def test_20_mb_down(self):
        self.assertRegex(self.down().err, rf"weir: \d+ bytes out, {SIZE + 100}|weir: \d+ bytes out, 20000\d\d\d in;")

    def test_20_mb_up(self):
        self.assertRegex(self.up().err, r"weir: 20000\d\d\d bytes out, \d+ in;")

    def test_20_mb_down_over_a_bad_network(self):
        program = self.down("--net", NET, "--seed", "3")
        self.assertRegex(program.err, r"the network lost \d+ up, [1-9]\d* down")

    def test_20_mb_up_over_a_bad_network(self):
        program = self.up("--net", NET, "--seed", "3")
        self.assertRegex(program.err, r"[1-9]\d* retransmitted; the network lost [1-9]\d* up")

    def test_many_transfers_at_once(self):
        words = [word for n in range(8) for word in ("-o", self.path(f"got{n}"), self.server.url(f"/{n}"))]
        self.end_well(self.curl("--parallel", *words))
        for n in range(8):
            with open(self.path(f"got{n}"), "rb") as stream:
                self.assertEqual(hashlib.sha256(stream.read()).hexdigest(), self.digest)

    def test_refused(self):
        servers = peers.Peers()
        self.addCleanup(servers.close)
        program = self.curl(f"http://127.0.0.1:{servers.ports['closed']}/")
        self.end_well(program, 7)
        self.assertRegex(program.err, "(?i)connection refused|couldn't connect|could not connect|failed to connect")

    def test_unreachable(self):
        program = self.curl("--connect-timeout", "1", "http://255.255.255.255:9/")
        self.assertIn(program.exit(), (7, 28))

    def test_connect_times_out(self):
        servers = peers.Peers()
        self.addCleanup(servers.close)
        self.end_well(self.curl("--connect-timeout", "0.2", f"http://127.0.0.1:{servers.ports['full']}/"), 28)

    def test_answer_times_out(self):
        self.end_well(self.curl("-m", "0.2", self.server.url("/slow/")), 28)

    def test_the_server_resets(self):
        servers = peers.Peers()
        self.addCleanup(servers.close)
        program = self.curl(f"http://127.0.0.1:{servers.ports['reset']}/")
        self.end_well(program, 56)
        self.assertIn("reset by peer", program.err)

    def test_half_of_a_body(self):
        listener = rig.listen()
        self.addCleanup(listener.close)
        program = self.curl(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        connection, _ = listener.accept()
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        connection.close()
        self.end_well(program, 18)


if __name__ == "__main__":
    tap.main()
