"""nginx under `weir run`: two workers, sendfile, reload under load, graceful quit, an ordinary user."""
import hashlib
import http.client
import os
import pwd
import random
import shutil
import signal
import socket
import stat
import threading

import rig
import tap

BIG = 2_000_000
CONFIG = """
worker_processes 2; daemon off; pid {folder}/pid; error_log {folder}/error.log notice; {user}
events {{ worker_connections 512; }}
http {{
    access_log off; sendfile on; tcp_nopush on;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    server {{
        listen {host}:{port} backlog=256 {more}; root {folder}/www;
        location /who {{ return 200 "$remote_addr $remote_port $server_addr $server_port"; }}
    }}
}}
"""


@rig.need("nginx")
class Nginx(rig.Case):
    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o777)
        os.mkdir(self.path("www"))
        self.big = random.Random(1).randbytes(BIG)
        for name, data in (("big", self.big), ("small", b"s" * 612)):
            with open(self.path("www/" + name), "wb") as stream:
                stream.write(data)
        self.port = rig.free_port()

    def serve(self, options=(), more="", before=(), host="127.0.0.1"):
        user = "user root;" if os.geteuid() == 0 and not before else ""
        with open(self.path("conf"), "w", encoding="ascii") as stream:
            stream.write(CONFIG.format(folder=self.folder, port=self.port, more=more, user=user, host=host))
        words = [rig.find("nginx"), "-p", self.folder, "-c", self.path("conf"), "-e", self.path("error.log")]
        program = self.start(*before, self.command, "run", *options, "--", *words)
        self.addCleanup(self.check_words, program)
        rig.connect(self.port).close()
        return program

    command = rig.WEIR

    def get(self, path, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=rig.PATIENCE)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def quit(self, program):
        program.signal(signal.SIGQUIT)
        self.end_well(program)

    def load(self, threads, each, at_request=lambda n: None):
        """Requests of one connection each; returns what went wrong."""
        wrong, done, lock = [], [0], threading.Lock()

        def client():
            for _ in range(each):
                try:
                    status, data = self.get("/small", Connection="close")
                    if (status, len(data)) != (200, 612):
                        wrong.append(f"{status}, {len(data)} bytes")
                except (OSError, http.client.HTTPException) as error:
                    wrong.append(repr(error))
                with lock:
                    done[0] += 1
                    at_request(done[0])

        running = [threading.Thread(target=client) for _ in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        return wrong

    def test_files(self):
        program = self.serve()
        self.assertEqual(self.get("/small"), (200, b"s" * 612))
        status, data = self.get("/big")
        self.assertEqual((status, hashlib.sha256(data).digest()), (200, hashlib.sha256(self.big).digest()))
        self.assertEqual(self.get("/none")[0], 404)
        self.quit(program)
        self.assertRegex(program.err, r"weir: 2\d{6} bytes out, ")

    def test_it_sees_the_true_addresses(self):
        program = self.serve()
        with rig.connect(self.port) as client:
            client.sendall(b"GET /who HTTP/1.0\r\n\r\n")
            answer = rig.read_all(client).decode()
            host, port = client.getsockname()
        self.assertTrue(answer.endswith(f"\r\n\r\n{host} {port} 127.0.0.1 {self.port}"), answer)
        self.quit(program)

    def test_load(self):
        program = self.serve(host="0.0.0.0")
        self.assertEqual(self.load(8, 100), [])
        self.quit(program)

    def test_load_over_a_bad_network(self):
        program = self.serve(options=["--net", "delay 1ms loss 1%", "--seed", "5"], more="reuseport")
        self.assertEqual(self.load(8, 20), [])
        self.quit(program)
        self.assertRegex(program.err, r"[1-9]\d* retransmitted")

    def test_reload_under_load(self):
        program = self.serve()
        workers = set(rig.children(program.pid))
        wrong = self.load(6, 60, lambda n: n % 90 == 0 and program.signal(signal.SIGHUP))
        self.assertEqual(wrong, [])
        self.assertEqual(self.get("/small")[0], 200)
        self.assertNotEqual(workers, set(rig.children(program.pid)))
        self.quit(program)

    def test_graceful_quit_ends_no_download(self):
        program = self.serve()
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(rig.PATIENCE)
        client.connect(("127.0.0.1", self.port))
        with client:
            client.sendall(b"GET /big HTTP/1.0\r\n\r\n")
            first = client.recv(1000)
            program.signal(signal.SIGQUIT)
            rest = rig.read_all(client)
        self.assertTrue((first + rest).endswith(self.big))
        self.end_well(program)

    def test_a_caller_from_the_port_it_just_left(self):
        """The stack's last connection between the two addresses is still closing."""
        program = self.serve(options=["--net", "delay 5ms"])
        own = rig.free_port()
        for _ in range(4):
            with socket.socket() as client:
                client.settimeout(rig.PATIENCE)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                client.bind(("127.0.0.1", own))
                client.connect(("127.0.0.1", self.port))
                client.sendall(b"GET /small HTTP/1.0\r\n\r\n")
                self.assertTrue(rig.read_all(client).endswith(b"s" * 612))
        self.quit(program)

    def test_term_ends_it_at_once(self):
        program = self.serve()
        idle = rig.connect(self.port)
        idle.settimeout(rig.PATIENCE)
        idle.sendall(b"GET /small HTTP/1.1\r\nHost: weir\r\n\r\n")
        answer = b""
        while not answer.endswith(b"s" * 612):  # nginx has it: one that waits for accept gets a RST
            answer += idle.recv(4096)
        program.signal(signal.SIGTERM)
        self.end_well(program)
        self.assertEqual(idle.recv(1), b"")
        idle.close()

    @rig.need("setpriv")
    def test_as_an_ordinary_user(self):
        if os.geteuid() != 0:
            self.skipTest("this is one already")
        for name in ("weir", "libweir-preload.so"):
            shutil.copy(os.path.join(os.path.dirname(rig.WEIR), name), self.folder)
            os.chmod(self.path(name), stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
        self.command = self.path("weir")
        nobody = pwd.getpwnam("nobody")
        program = self.serve(before=["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}",
                                     "--clear-groups", "--inh-caps=-all"])
        self.assertEqual(self.load(2, 20), [])
        self.assertEqual(self.get("/big"), (200, self.big))
        self.quit(program)


if __name__ == "__main__":
    tap.main()
