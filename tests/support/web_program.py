"""A small web server for transfers, with the kernel's sockets or on weir: web_program.py ADDRESS PORT FILE

GET answers with the bytes of FILE, PUT with the SHA-256 of what was sent. Says "ready" on stdout once
it listens.
"""
import hashlib
import http.server
import os
import shutil
import socket
import sys

CHUNK = 1 << 16


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        with open(self.server.file, "rb") as stream:
            self.send_response(200)
            self.send_header("Content-Length", str(os.fstat(stream.fileno()).st_size))
            self.end_headers()
            shutil.copyfileobj(stream, self.wfile, CHUNK)

    def do_PUT(self):
        if self.headers.get("Expect") == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        left, digest = int(self.headers["Content-Length"]), hashlib.sha256()
        while left:
            data = self.rfile.read(min(left, CHUNK))
            if not data:
                return
            digest.update(data)
            left -= len(data)
        answer = digest.hexdigest().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def main():
    address, port, file = sys.argv[1:]
    http.server.ThreadingHTTPServer.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = http.server.ThreadingHTTPServer((address, int(port)), Handler)
    server.file = file
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
