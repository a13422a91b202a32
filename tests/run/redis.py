"""redis under `weir run`: the server for clients of the host, the client for a server of the host,
and both of them on two stacks."""
import signal
import socket

import rig
import tap


@rig.need("redis-server", "redis-cli", "redis-benchmark")
class Redis(rig.Case):
    def setUp(self):
        super().setUp()
        self.port = rig.free_port()

    def words(self):
        return ["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--save", "", "--dir", self.folder,
                "--daemonize", "no"]

    def serve(self, start, **more):
        program = start(*self.words(), **more)
        program.wait_for("Ready to accept connections")
        return program

    def cli(self, start, *words):
        program = start("redis-cli", "-p", str(self.port), *words)
        self.assertEqual(program.exit(), 0, program.err)
        return program.out

    def benchmark(self, start, *words):
        program = start("redis-benchmark", "-p", str(self.port), "-q", "-n", "2000", *words)
        self.assertEqual(program.exit(), 0, program.err)
        self.assertNotRegex(program.out + program.err, "(?i)error|reset|refused")
        self.assertRegex(program.out, r": [1-9][\d.]* requests per second")

    def test_server_with_benchmark_outside(self):
        server = self.serve(self.weir)
        self.benchmark(self.start, "-c", "20", "-t", "set,get,lrange_100")
        self.benchmark(self.start, "-c", "20", "-P", "16", "-t", "incr")
        self.assertEqual(self.cli(self.start, "dbsize"), "3\n")
        server.signal(signal.SIGTERM)
        self.end_well(server)

    def test_client_under_weir(self):
        server = self.serve(self.start)
        self.assertEqual(self.cli(self.weir, "set", "key", "x" * 100000), "OK\n")
        self.assertEqual(self.cli(self.weir, "strlen", "key"), "100000\n")
        self.assertEqual(self.cli(self.start, "get", "key"), "x" * 100000 + "\n")
        self.assertRegex(self.cli(self.weir, "client", "list"), r"addr=127\.0\.0\.1:\d+")
        server.signal(signal.SIGTERM)
        self.assertEqual(server.exit(), 0)

    def test_both_under_weir_over_a_bad_network(self):
        server = self.serve(self.weir, options=["--net", "delay 1ms loss 1%", "--seed", "2"])
        client = self.weir("redis-benchmark", "-p", str(self.port), "-q", "-n", "300", "-c", "10", "-t", "set",
                           options=["--net", "loss 1%", "--seed", "2"])
        self.end_well(client)
        server.signal(signal.SIGTERM)
        self.end_well(server)

    def test_shutdown_by_a_client(self):
        server = self.serve(self.weir)
        with rig.connect(self.port) as client:
            client.sendall(b"PING\r\n")
            self.assertEqual(client.recv(100), b"+PONG\r\n")
            client.sendall(b"SHUTDOWN NOSAVE\r\n")
            self.assertEqual(rig.read_all(client), b"")
        self.end_well(server)

    def test_its_port_is_free_afterwards(self):
        first = self.serve(self.weir)
        first.signal(signal.SIGTERM)
        self.end_well(first)
        second = self.serve(self.weir)
        self.assertEqual(self.cli(self.start, "ping"), "PONG\n")
        third = self.weir(*self.words())
        self.assertEqual(third.exit(), 1)
        self.assertRegex(third.out, "Address already in use")
        second.signal(signal.SIGTERM)
        self.end_well(second)
        with socket.socket() as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind(("127.0.0.1", self.port))


if __name__ == "__main__":
    tap.main()
