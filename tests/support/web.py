"""A small HTTP server on the kernel's stack, in threads: GET gives `data`, PUT answers with the
SHA-256 of what came, /slow/ never answers."""
import hashlib
import http.server
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.startswith("/slow/"):
            self.server.released.wait()
        data = self.server.data
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_PUT(self):
        digest, left = hashlib.sha256(), int(self.headers["Content-Length"])
        while left:
            data = self.rfile.read1(min(left, 1 << 18))
            if not data:
                return
            digest.update(data)
            left -= len(data)
        text = digest.hexdigest().encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """Says nothing."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, data):
        super().__init__(("127.0.0.1", 0), Handler)
        self.data = data
        self.released = threading.Event()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, request, client_address):
        """A client that leaves early is no news."""

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.server_port}{path}"

    def close(self):
        self.released.set()
        self.shutdown()
        self.server_close()
