"""Datagrams of IPv6, with the kernel's sockets or on weir: echo6.py serve ADDRESS PORT | ask ADDRESS PORT SIZE...

`serve` sends back what comes, and says "ready" once it is bound. `ask` sends a datagram of each SIZE and
says "SIZE ok", or the error's name.
"""
import errno
import random
import socket
import sys

verb, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
if verb == "serve":
    s.bind((address, port))
    print("ready", flush=True)
    while True:
        data, peer = s.recvfrom(65535)
        s.sendto(data, peer)
s.connect((address, port))
s.settimeout(10)
for size in map(int, sys.argv[4:]):
    data = random.Random(size).randbytes(size)
    try:
        s.send(data)
        print(size, "ok" if s.recv(65535) == data else "differs")
    except TimeoutError:
        print(size, "no answer")
    except OSError as error:
        print(size, errno.errorcode[error.errno])
