"""Whole files between weir and the kernel over a TAP device: both directions, weir as client and as
server, with and without offloads, over a network that loses; hashes compared."""
import hashlib
import os
import re
import signal

import lan
import rig
import tap

WHOLE = 20_000_000
LOSSY = 3_000_000


def sha256(path):
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()


class Transfer(lan.Case):
    options = ()
    size = WHOLE

    def setUp(self):
        super().setUp()
        self.file = lan.make_file(self.path("file"), self.size)
        self.copy = self.path("copy")

    def curl(self, start, url, *words, status=0):
        client = start("curl", "-sS", "--max-time", "120", *words, url)
        self.assertEqual(client.exit(130), status, client.err)
        return client

    def on_weir(self, *words):
        return self.tap(*words, options=self.options)

    def check_summary(self, program):
        """What the impairments are to do was done."""
        self.assertRegex(program.err, rig.SUMMARY)

    def test_weir_fetches(self):
        self.web(self.kernel, "0.0.0.0", 8000, self.file)
        client = self.curl(self.on_weir, f"http://{lan.KERNEL}:8000/", "-o", self.copy)
        self.assertEqual(sha256(self.copy), sha256(self.file))
        self.check_summary(client)

    def test_weir_uploads(self):
        self.web(self.kernel, "0.0.0.0", 8000, self.file)
        client = self.curl(self.on_weir, f"http://{lan.KERNEL}:8000/", "-T", self.file)
        self.assertEqual(client.out, sha256(self.file))
        self.check_summary(client)

    def test_kernel_fetches(self):
        server = self.web(self.on_weir, "0.0.0.0", 80, self.file)
        self.curl(self.kernel, f"http://{lan.WEIR}/", "-o", self.copy)
        self.assertEqual(sha256(self.copy), sha256(self.file))
        self.end_server(server)

    def test_kernel_uploads(self):
        server = self.web(self.on_weir, lan.WEIR, 80, self.file)
        client = self.curl(self.kernel, f"http://{lan.WEIR}/", "-T", self.file)
        self.assertEqual(client.out, sha256(self.file))
        self.end_server(server)

    def end_server(self, server):
        server.signal(signal.SIGTERM)
        self.assertEqual(server.exit(), 128 + signal.SIGTERM)
        self.check_summary(server)


class Plain(Transfer):
    """Without superframes, checksums in software."""
    options = ("--no-offload",)


class Lossy(Transfer):
    """Superframes are cut, so that a loss hits one segment."""
    options = ("--net", "delay 1ms loss 1%", "--seed", "5")
    size = LOSSY

    def check_summary(self, program):
        summary = re.search(r"; (\d+) retransmitted; the network lost (\d+) up, (\d+) down", program.err)
        self.assertIsNotNone(summary, program.err)
        self.assertGreater(int(summary[2]) + int(summary[3]), 0, "the network lost nothing")


class LossyPlain(Lossy):
    options = ("--no-offload", *Lossy.options)


@rig.need("nginx")
class Nginx(lan.Case):
    CONF = """daemon off; worker_processes 2; pid {folder}/pid; error_log stderr;
        events {{ }}
        http {{ access_log off; server {{ listen 80; root {folder}; }} }}"""

    def test_kernel_fetches_twenty_times(self):
        os.chmod(self.folder, 0o755)
        file = lan.make_file(self.path("file"), 1_000_003)
        with open(self.path("conf"), "w", encoding="ascii") as stream:
            stream.write(self.CONF.format(folder=self.folder))
        server = self.tap(rig.find("nginx"), "-c", self.path("conf"), "-e", "stderr")
        self.stands(server)
        rig.connect(80, lan.WEIR).close()
        client = self.kernel("curl", "-sS", "--parallel", f"http://{lan.WEIR}/file?[1-20]", "-o",
                             self.path("copy#1"))
        self.assertEqual(client.exit(60), 0, client.err)
        for number in range(1, 21):
            self.assertEqual(sha256(self.path(f"copy{number}")), sha256(file))
        server.signal(signal.SIGQUIT)
        self.end_well(server)


if __name__ == "__main__":
    lan.enter()
    tap.main()
