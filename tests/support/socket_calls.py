#!/usr/bin/env python3
"""Socket calls, one function a subject, that print what came of them and no number that may differ.

    socket_calls.py SUBJECT

The same subject runs on the kernel's stack and under `weir run`, and must print the same lines
(tests/run/calls.py). PORTS in the environment names the kernel's servers to talk to: echo, reset,
hello, closed, full, datagrams.
"""
import array
import ctypes
import errno
import fcntl
import hashlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading

HOST = "127.0.0.1"
PORTS = dict(pair.split("=") for pair in os.environ.get("PORTS", "").split())
SUBJECTS = {}
EVENTS = ["IN", "PRI", "OUT", "ERR", "HUP", "NVAL"]
LINGER_0 = struct.pack("ii", 1, 0)
PATIENCE = 10


def subject(function):
    SUBJECTS[function.__name__] = function
    return function


def say(*words):
    print(*words, flush=True)


def attempt(what, call, *arguments):
    """Prints the result of a call, or the name of its error."""
    try:
        result = call(*arguments)
    except OSError as error:
        name = errno.errorcode.get(error.errno, "timed out") if error.errno else "timed out"
        say(what, name)
        return None
    say(what, "ok" if isinstance(result, (socket.socket, tuple)) else result)
    return result


def port(name):
    return (HOST, int(PORTS[name]))


def tcp():
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.settimeout(PATIENCE)
    return made


def udp():
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.settimeout(PATIENCE)
    return made


def listener(backlog=8):
    made = tcp()
    made.bind((HOST, 0))
    made.listen(backlog)
    return made


def pair():
    """A connection of this program with itself: (client, server)."""
    door = listener()
    client = tcp()
    client.connect(door.getsockname())
    server, _ = door.accept()
    server.settimeout(PATIENCE)
    door.close()
    return client, server


def called(name):
    made = tcp()
    made.connect(port(name))
    return made


def read_all(connection):
    parts = []
    while data := connection.recv(1 << 16):
        parts.append(data)
    return b"".join(parts)


def words(mask):
    """The events by name. After a RST the kernel adds ERR to HUP; a carrier can not always."""
    if mask & select.POLLHUP:
        mask &= ~select.POLLERR
    shown = [name for bit, name in enumerate(EVENTS) if mask & 1 << bit]
    return "|".join(shown + (["RDHUP"] if mask & select.POLLRDHUP else [])) or "nothing"


def polled(made, wanted=select.POLLIN | select.POLLOUT | select.POLLRDHUP, wait=0):
    watch = select.poll()
    watch.register(made, wanted)
    found = watch.poll(wait)
    return words(found[0][1]) if found else "nothing"


def until(made, mask):
    """Waits until poll reports one of `mask`."""
    watch = select.poll()
    watch.register(made, mask)
    return words(watch.poll(PATIENCE * 1000)[0][1])


# -- urgent bytes --------------------------------------------------------------------------------


def at_mark(made):
    answer = array.array("i", [0])
    fcntl.ioctl(made, 0x8905, answer)  # SIOCATMARK
    return answer[0]


@subject
def urgent_byte_out_of_band():
    client, server = pair()
    client.sendall(b"abc")
    client.send(b"de!", socket.MSG_OOB)
    client.sendall(b"after")
    client.shutdown(socket.SHUT_WR)
    until(server, select.POLLPRI)
    say(server.recv(5, socket.MSG_WAITALL), at_mark(server))
    attempt("urgent", server.recv, 1, socket.MSG_OOB)
    attempt("once more", server.recv, 1, socket.MSG_OOB)
    say(read_all(server))


@subject
def urgent_byte_inline():
    client, server = pair()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    say(server.getsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE))
    client.sendall(b"abc")
    client.send(b"!", socket.MSG_OOB)
    client.sendall(b"after")
    client.shutdown(socket.SHUT_WR)
    until(server, select.POLLPRI)
    attempt("urgent", server.recv, 1, socket.MSG_OOB)
    say(server.recv(3, socket.MSG_WAITALL), at_mark(server))
    say(read_all(server))


@subject
def no_urgent_byte():
    client, server = pair()
    server.setblocking(False)
    attempt("urgent", server.recv, 1, socket.MSG_OOB)
    client.sendall(b"x")
    until(server, select.POLLIN)
    attempt("urgent", server.recv, 1, socket.MSG_OOB)
    say(server.recv(1), at_mark(server))


@subject
def sigurg():
    told = []
    client, server = pair()
    signal.signal(signal.SIGURG, lambda *_: told.append("SIGURG"))
    fcntl.fcntl(server, fcntl.F_SETOWN, os.getpid())
    client.send(b"!", socket.MSG_OOB)
    until(server, select.POLLPRI)
    server.setblocking(False)  # with a timeout Python waits for POLLIN, which says nothing of this byte
    say(told, server.recv(1, socket.MSG_OOB))


# -- connect -------------------------------------------------------------------------------------


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


# -- listeners -----------------------------------------------------------------------------------


@subject
def bind_0():
    door = listener()
    say("has a port", door.getsockname()[1] > 0)
    client = tcp()
    client.connect(door.getsockname())
    server, peer = door.accept()
    say("peer", peer == client.getsockname(), "server", server.getsockname() == client.getpeername())
    say("peername", server.getpeername() == peer)
    unbound = tcp()
    unbound.listen(1)
    say("listen alone", unbound.getsockname()[0], unbound.getsockname()[1] > 0)
    wide = tcp()
    wide.bind(("", 0))
    say("bound", wide.getsockname()[0], wide.getsockname()[1] > 0)


def bind_and_listen(address, *options):
    made = tcp()
    for option in options:
        made.setsockopt(socket.SOL_SOCKET, option, 1)
    made.bind(address)
    made.listen(64)
    return made


@subject
def in_use():
    own = listener()
    attempt("own", bind_and_listen, own.getsockname())
    attempt("own, SO_REUSEADDR", bind_and_listen, own.getsockname(), socket.SO_REUSEADDR)
    attempt("another program's", bind_and_listen, port("echo"))
    attempt("another's, SO_REUSEADDR", bind_and_listen, port("echo"), socket.SO_REUSEADDR)
    attempt("free again", bind_and_listen, (own.getsockname(), own.close())[0], socket.SO_REUSEADDR)


@subject
def reuseport():
    first = bind_and_listen((HOST, 0), socket.SO_REUSEPORT)
    attempt("second", bind_and_listen, first.getsockname(), socket.SO_REUSEPORT)
    attempt("one without", bind_and_listen, first.getsockname())
    shared = [first, bind_and_listen(first.getsockname(), socket.SO_REUSEPORT)]
    clients = [socket.create_connection(first.getsockname()) for _ in range(8)]
    found = 0
    while found < len(clients):
        for door in select.select(shared, [], [], PATIENCE)[0]:
            door.accept()
            found += 1
    say("accepted", found)


@subject
def accept_without_waiting():
    door = listener()
    door.setblocking(False)
    attempt("accept", door.accept)
    say(polled(door))
    client = tcp()
    client.connect(door.getsockname())
    say(until(door, select.POLLIN))
    server, _ = door.accept()
    say("blocks", server.getblocking(), "inherits", os.get_inheritable(server.fileno()))
    attempt("accept", door.accept)


@subject
def close_listener():
    door = listener()
    client = tcp()
    client.connect(door.getsockname())
    say(until(door, select.POLLIN))
    door.close()
    until(client, select.POLLRDHUP | select.POLLIN)
    attempt("recv", client.recv, 1)


@subject
def wrong_order():
    attempt("send", socket.socket().send, b"x")
    attempt("recv", socket.socket().recv, 1)
    attempt("shutdown", socket.socket().shutdown, socket.SHUT_WR)
    attempt("getpeername", socket.socket().getpeername)
    say(socket.socket().getsockname())
    attempt("accept", socket.socket().accept)
    door = socket.create_server((HOST, 0))
    attempt("listener connect", door.connect, port("echo"))
    attempt("listener recv", door.recv, 1)
    attempt("listener send", door.send, b"x")
    attempt("listener bind", door.bind, (HOST, 0))
    attempt("listen again", door.listen, 3)
    made = socket.create_connection(port("echo"))
    attempt("listen", made.listen, 1)
    attempt("bind", made.bind, (HOST, 0))
    attempt("accept", made.accept)
    attempt("not ours", socket.socket().bind, ("192.0.2.9", 0))
    say("unconnected", polled(socket.socket()))


# -- bytes and ends ------------------------------------------------------------------------------


@subject
def half_close():
    client, server = pair()
    client.sendall(b"question")
    client.shutdown(socket.SHUT_WR)
    say(read_all(server))
    attempt("send after shutdown", lambda: client.send(b"x", socket.MSG_NOSIGNAL))
    say("server", polled(server))
    server.sendall(b"answer")
    server.close()
    say(read_all(client))
    say("client", polled(client))


@subject
def half_close_to_the_host():
    client = called("echo")
    client.sendall(b"question")
    client.shutdown(socket.SHUT_WR)
    say(read_all(client))


@subject
def close_after_much():
    data = os.urandom(1 << 20)
    client, server = pair()
    sender = threading.Thread(target=lambda: (client.sendall(data), client.close()))
    sender.start()
    say(read_all(server) == data)
    sender.join()


@subject
def both_ways():
    client, server = pair()
    data = [os.urandom(2 << 20) for _ in range(2)]
    threads = [threading.Thread(target=lambda s, d: (s.sendall(d), s.shutdown(socket.SHUT_WR)), args=pairing)
               for pairing in zip((client, server), data)]
    got = {}
    threads += [threading.Thread(target=lambda s, n: got.update({n: read_all(s)}), args=pairing)
                for pairing in ((server, 0), (client, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    say([hashlib.sha256(got[n]).digest() == hashlib.sha256(data[n]).digest() for n in range(2)])


@subject
def linger_0():
    client, server = pair()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
    server.close()
    say(until(client, select.POLLHUP))
    say(polled(client))
    attempt("recv", client.recv, 1)
    attempt("recv", client.recv, 1)
    attempt("send", lambda: client.send(b"x", socket.MSG_NOSIGNAL))


@subject
def linger_0_to_the_host():
    client = called("echo")
    client.sendall(b"x")
    say(client.recv(1))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
    client.close()


@subject
def close_unread():
    client = called("hello")
    say(until(client, select.POLLIN))
    client.close()


@subject
def reset_by_the_host():
    client = called("reset")
    client.sendall(b"x")
    say(until(client, select.POLLHUP))
    say("SO_ERROR", errno.errorcode[client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)])
    attempt("recv", client.recv, 10)
    client = called("reset")
    client.sendall(b"x")
    attempt("recv", client.recv, 10)
    attempt("recv", client.recv, 10)


@subject
def broken_pipe():
    client, server = pair()
    server.close()
    say(until(client, select.POLLIN), client.recv(1))
    say(client.send(b"x"))
    until(client, select.POLLHUP | select.POLLERR)
    signal.signal(signal.SIGPIPE, lambda *_: say("SIGPIPE"))
    attempt("write", os.write, client.fileno(), b"x")


@subject
def flags():
    client, server = pair()
    server.setblocking(True)
    attempt("MSG_DONTWAIT", lambda: server.recv(1, socket.MSG_DONTWAIT))
    client.sendall(b"abcdef")
    say(until(server, select.POLLIN))
    say(server.recv(3, socket.MSG_PEEK))
    say(server.recv(4))
    taken = array.array("i", [0])
    fcntl.ioctl(server, termios.FIONREAD, taken)
    say("FIONREAD", taken[0])
    threading.Timer(0, client.sendall, [b"ghij"]).start()
    say(server.recv(6, socket.MSG_WAITALL))
    say("nothing asked", server.recv(0))
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 50000))
    attempt("SO_RCVTIMEO", lambda: os.read(server.fileno(), 1))
    say(client.sendmsg([b"a", b"", b"bc"]), server.recvmsg(10)[:3:2])


@subject
def full_and_drained():
    client, server = pair()
    client.setblocking(False)
    sent = 0
    try:
        while True:
            sent += client.send(bytes(1 << 16))
    except BlockingIOError:
        say("EAGAIN", polled(client, select.POLLOUT))
    got = 0
    while got < sent:
        got += len(server.recv(1 << 20))
    say(got == sent, until(client, select.POLLOUT))


@subject
def sendfile():
    client, server = pair()
    with tempfile.TemporaryFile() as file:
        data = os.urandom(300000)
        file.write(data)
        file.flush()

        def send():
            at = 0
            client.setblocking(True)
            while at < len(data):
                at += os.sendfile(client.fileno(), file.fileno(), at, len(data) - at)
            client.close()

        thread = threading.Thread(target=send)
        thread.start()
        say(read_all(server) == data)
        thread.join()


# -- waiting -------------------------------------------------------------------------------------


@subject
def selectors():
    client, server = pair()
    say(select.select([client, server], [client, server], [], 0)[0] == [], polled(client))
    server.sendall(b"x")
    say(select.select([client], [], [], PATIENCE)[0] == [client], polled(client))
    watch = select.epoll()
    watch.register(client, select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET)
    say("edge", [words(mask) for _, mask in watch.poll(PATIENCE)], watch.poll(0))
    server.sendall(b"y")
    say("edge", [words(mask) for _, mask in watch.poll(PATIENCE)], watch.poll(0))
    watch.modify(client, select.EPOLLIN | select.EPOLLONESHOT)
    say("once", [words(mask) for _, mask in watch.poll(PATIENCE)], watch.poll(0))
    outer = select.epoll()
    outer.register(watch, select.EPOLLIN)
    watch.modify(client, select.EPOLLIN | select.EPOLLRDHUP)
    say("epoll in epoll", [words(mask) for _, mask in outer.poll(PATIENCE)])
    server.close()
    say("end", until(client, select.POLLRDHUP), read_all(client))


@subject
def alarms():
    def ring(*_):
        raise TimeoutError

    def waits(what, call, *arguments):
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        try:
            call(*arguments)
            say(what, "came back")
        except TimeoutError as error:
            say(what, "alarm" if error.errno is None else errno.errorcode[error.errno])

    signal.signal(signal.SIGALRM, ring)
    door = socket.create_server((HOST, 0))
    waits("accept", door.accept)
    blocked = socket.socket()
    waits("connect", blocked.connect, port("full"))
    client, server = pair()
    client.setblocking(True)
    waits("recv", client.recv, 1)
    client.sendall(b"x")
    say(server.recv(1))


@subject
def interrupted():
    libc = ctypes.CDLL(None, use_errno=True)
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.siginterrupt(signal.SIGALRM, True)
    door = socket.create_server((HOST, 0))
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    say("accept", libc.accept(door.fileno(), None, None), errno.errorcode[ctypes.get_errno()])
    blocked = socket.socket()
    address = struct.pack("!HH4s8x", 0, port("full")[1], socket.inet_aton(HOST))
    address = struct.pack("H", socket.AF_INET) + address[2:]
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    say("connect", libc.connect(blocked.fileno(), address, 16), errno.errorcode[ctypes.get_errno()])
    say(polled(blocked))
    say("connect", errno.errorcode[blocked.connect_ex(port("full"))] if not blocked.setblocking(False) else "")


# -- descriptors ---------------------------------------------------------------------------------


@subject
def duplicates():
    client, server = pair()
    other = client.dup()
    client.close()
    other.sendall(b"still here")
    say(server.recv(20), other.getpeername() == server.getsockname())
    moved = os.dup2(other.fileno(), 250)
    other.close()
    os.write(moved, b"and here")
    say(server.recv(20))
    os.close(moved)
    say(server.recv(1))


@subject
def inherited():
    client, server = pair()
    text = ("import socket,sys; s=socket.socket(fileno=int(sys.argv[1])); s.sendall(b'from the child');"
            "print(s.family.name, s.type.name, s.getpeername()[0], s.recv(9)); s.shutdown(1)")
    server.sendall(b"to it    ")
    child = subprocess.run([sys.executable, "-c", text, str(client.fileno())], stdout=subprocess.PIPE,
                           text=True, pass_fds=[client.fileno()], check=False)
    say(child.stdout.strip(), child.returncode)
    say(read_all(server))


@subject
def inherited_listener():
    door = listener()
    door.setblocking(True)
    text = ("import socket,sys; s=socket.socket(fileno=int(sys.argv[1])); c,a=s.accept();"
            "c.sendall(b'served'); print(a[0], s.getsockopt(1,30))")
    child = subprocess.Popen([sys.executable, "-c", text, str(door.fileno())], stdout=subprocess.PIPE,
                             text=True, pass_fds=[door.fileno()])
    address = door.getsockname()
    door.close()
    client = tcp()
    client.connect(address)
    say(read_all(client), child.communicate()[0].strip())


@subject
def forked():
    door = listener()
    door.setblocking(True)
    if os.fork() == 0:
        connection, _ = door.accept()
        connection.sendall(connection.recv(10)[::-1])
        os._exit(0)
    client = tcp()
    client.connect(door.getsockname())
    client.sendall(b"abc")
    say(read_all(client))
    os.wait()


@subject
def passed():
    here, there = socket.socketpair()
    if os.fork() == 0:
        here.close()
        _, fds, _, _ = socket.recv_fds(there, 10, 2)
        door, client = socket.socket(fileno=fds[0]), socket.socket(fileno=fds[1])
        connection, _ = door.accept()
        connection.sendall(b"by the other: " + str(client.getpeername() == door.getsockname()).encode())
        connection.close()
        os._exit(0)
    there.close()
    door = listener()
    door.setblocking(True)
    client = tcp()
    client.connect(door.getsockname())
    socket.send_fds(here, [b"x"], [door.fileno(), client.fileno()])
    door.close()
    say(read_all(client))
    os.wait()


@subject
def own_unix_sockets():
    here, there = socket.socketpair()
    here.sendall(b"x")
    say(there.recv(1), there.getsockname(), here.family.name)
    door = socket.socket(socket.AF_UNIX)
    door.bind(f"\0test-{os.getpid()}")
    door.listen(1)
    client = socket.socket(socket.AF_UNIX)
    client.connect(door.getsockname())
    server, peer = door.accept()
    server.sendall(b"y")
    say(client.recv(1), peer in ("", b"", None))


# -- options -------------------------------------------------------------------------------------

OPTIONS = [
    ("SO_TYPE", socket.SOL_SOCKET, socket.SO_TYPE, None),
    ("SO_DOMAIN", socket.SOL_SOCKET, socket.SO_DOMAIN, None),
    ("SO_PROTOCOL", socket.SOL_SOCKET, socket.SO_PROTOCOL, None),
    ("SO_ACCEPTCONN", socket.SOL_SOCKET, socket.SO_ACCEPTCONN, None),
    ("SO_ERROR", socket.SOL_SOCKET, socket.SO_ERROR, None),
    ("SO_REUSEADDR", socket.SOL_SOCKET, socket.SO_REUSEADDR, 1),
    ("SO_REUSEPORT", socket.SOL_SOCKET, socket.SO_REUSEPORT, 1),
    ("SO_KEEPALIVE", socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    ("TCP_NODELAY", socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    ("TCP_CORK", socket.IPPROTO_TCP, socket.TCP_CORK, 1),
    ("TCP_KEEPIDLE", socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 77),
    ("TCP_KEEPINTVL", socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 7),
    ("TCP_KEEPCNT", socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    ("TCP_USER_TIMEOUT", socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 5000),
    ("TCP_SYNCNT", socket.IPPROTO_TCP, socket.TCP_SYNCNT, 4),
    ("IP_TTL", socket.IPPROTO_IP, socket.IP_TTL, 33),
    ("IP_TOS", socket.IPPROTO_IP, socket.IP_TOS, 0x10),
    ("SO 9999", socket.SOL_SOCKET, 9999, 1),
]


@subject
def options():
    made = tcp()
    for name, level, number, value in OPTIONS:
        attempt(f"{name} is", made.getsockopt, level, number)
        if value is not None:
            attempt(f"{name} set", made.setsockopt, level, number, value)
            attempt(f"{name} is", made.getsockopt, level, number)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 9))
    say("SO_LINGER", struct.unpack("ii", made.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    say("SO_RCVBUF", made.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    say("SO_SNDBUF", made.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF))
    client, _ = pair()
    say("TCP_INFO state", client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[0])
    say("TCP_CONGESTION", client.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).strip(b"\0") != b"")


# -- datagrams -----------------------------------------------------------------------------------


@subject
def datagrams():
    one, two = udp(), udp()
    one.bind((HOST, 0))
    say(two.sendto(b"hey", one.getsockname()))
    data, peer = one.recvfrom(100)
    say(data, peer[0], peer[1] == two.getsockname()[1])
    say(one.sendto(b"", peer), two.recvfrom(10)[0])
    one.sendto(b"abcdef", peer)
    say(two.recv(3), polled(two))
    attempt("send", two.send, b"x")
    attempt("too long", two.sendto, bytes(70000), one.getsockname())
    two.setblocking(False)
    attempt("recv", two.recv, 1)
    two.connect(one.getsockname())
    say("connected", two.getpeername() == one.getsockname(), two.send(b"x"), one.recv(9))
    three = udp()
    three.sendto(b"stranger", two.getsockname())
    one.sendto(b"friend", two.getsockname())
    two.settimeout(PATIENCE)
    say(two.recv(20), polled(two))


@subject
def datagrams_to_the_host():
    made = udp()
    say(made.sendto(b"question", port("datagrams")))
    data, peer = made.recvfrom(100)
    say(data, peer == port("datagrams"), polled(made))
    made.connect(port("datagrams"))
    say(made.send(b"again"), made.recv(10), made.getsockname()[0])
    big = os.urandom(1400)
    say(made.send(big), made.recv(30000) == big)


@subject
def datagram_refused():
    made = udp()
    made.connect(port("closed"))
    for _ in range(2):
        say(made.send(b"x"))
        until(made, select.POLLIN | select.POLLERR)
        attempt("recv", made.recv, 10)
        say(polled(made))


@subject
def datagram_refused_by_itself():
    gone = udp()
    gone.bind((HOST, 0))
    made = udp()
    made.connect(gone.getsockname())
    gone.close()
    for _ in range(100):  # that it is gone may take a moment to be known
        made.send(b"x")
        if polled(made, select.POLLIN, 50) != "nothing":
            break
    attempt("recv", made.recv, 10)


@subject
def datagram_ports():
    one = udp()
    one.bind((HOST, 0))
    attempt("in use", udp().bind, one.getsockname())
    attempt("another program's", udp().bind, port("datagrams"))
    address = one.getsockname()
    one.close()
    attempt("free again", udp().bind, address)


if __name__ == "__main__":
    SUBJECTS[sys.argv[1]]()
