"""connect(): refused, waited for and not, timed out, to odd addresses."""
import ctypes
import errno
import select
import socket
import struct

from subjects.base import HOST, PATIENCE, PORTS, attempt, called, polled, port, say, subject, tcp, until, words


@subject
def refused():
    attempt("connect", tcp().connect, port("closed"))
    made = socket.socket()
    attempt("blocking", made.connect, port("closed"))
    attempt("again", made.connect, port("closed"))
    attempt("then to one that listens", made.connect, port("echo"))
    made.sendall(b"x")
    say(made.recv(1))


@subject
def refused_without_waiting():
    made = tcp()
    made.setblocking(False)
    say(errno.errorcode[made.connect_ex(port("closed"))])
    say(until(made, select.POLLOUT))
    say(polled(made))
    say("SO_ERROR", errno.errorcode[made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)])
    say("SO_ERROR", made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))


@subject
def connect_without_waiting():
    made = tcp()
    made.setblocking(False)
    watch = select.epoll()
    watch.register(made, select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET)
    say("before", [words(mask) for _, mask in watch.poll(0)])
    say(errno.errorcode[made.connect_ex(port("echo"))])
    say("done", [words(mask) for _, mask in watch.poll(PATIENCE)])
    watch.poll(0)  # an edge more than needed is no mistake
    say("SO_ERROR", made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    say("sent", made.send(b"ping"))
    say("readable", until(made, select.POLLIN))
    say(made.recv(10))
    say("edges", {words(mask) for _, mask in watch.poll(0)} <= {"IN|OUT"})
    attempt("recv", made.recv, 10)
    attempt("connect", made.connect, port("echo"))
    attempt("connect", made.connect, port("echo"))


@subject
def connect_asked_twice():
    made = tcp()
    made.setblocking(False)
    say(errno.errorcode[made.connect_ex(port("full"))])
    say(errno.errorcode[made.connect_ex(port("full"))])
    say(polled(made, wait=50))


@subject
def connect_times_out():
    made = tcp()
    made.settimeout(0.1)
    attempt("settimeout", made.connect, port("full"))
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 100000))
    attempt("SO_SNDTIMEO", made.connect, port("full"))


@subject
def connect_elsewhere():
    attempt("port 0", tcp().connect, (HOST, 0))
    attempt("broadcast", tcp().connect, ("255.255.255.255", 9))
    made = tcp()
    attempt("any", made.connect, ("0.0.0.0", int(PORTS["echo"])))
    say(made.getpeername()[0], made.getsockname()[0])
    made = tcp()
    made.bind((HOST, 0))
    own = made.getsockname()
    attempt("bound", made.connect, port("echo"))
    say("kept its port", made.getsockname() == own)
    made.sendall(b"x")
    say(made.recv(1))


@subject
def disconnect():
    libc = ctypes.CDLL(None, use_errno=True)
    made = called("echo")
    nowhere = struct.pack("H14x", socket.AF_UNSPEC)
    say("AF_UNSPEC", libc.connect(made.fileno(), nowhere, 16))
    attempt("getpeername", made.getpeername)
