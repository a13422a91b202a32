"""Ways to read and to write: flags, timeouts, vectors, files, and how much waits."""
import array
import fcntl
import os
import select
import signal
import socket
import struct
import tempfile
import termios
import threading
import time

from subjects.base import (attempt, count_sigpipe, listener, option, pair, polled, port, read_all, result_of, say,
                           subject, tcp, until)

SIOCOUTQ = 0x5411


def number_of(made, request):
    answer = array.array("i", [0])
    fcntl.ioctl(made, request, answer)
    return answer[0]


def timeout(made, name, seconds, micros=0):
    made.setsockopt(socket.SOL_SOCKET, name, struct.pack("ll", seconds, micros))


def filled(made, peer):
    """Writes until nothing moves any more: the peer does not read, and its buffer does not grow."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    made.setblocking(False)
    refusals = 0
    while refusals < 4:
        try:
            made.send(bytes(1 << 16))
            refusals = 0
        except BlockingIOError:
            refusals += 1
            time.sleep(0.03)


def send_without_end(made):
    while True:
        made.send(bytes(1 << 16))


@subject
def peek():
    client, server = pair()
    client.sendall(b"abcdef")
    until(server, select.POLLIN)
    say(server.recv(2, socket.MSG_PEEK), server.recv(6, socket.MSG_PEEK), server.recv(2), server.recv(9, socket.MSG_PEEK))
    say(server.recv(9, socket.MSG_PEEK | socket.MSG_DONTWAIT), server.recvmsg(9, 0, socket.MSG_PEEK)[0], server.recv(9))
    server.setblocking(True)  # else Python waits before it calls
    attempt("nothing there", lambda: server.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    client.close()
    say(server.recv(1, socket.MSG_PEEK), server.recv(1))


@subject
def wait_for_all():
    client, server = pair()
    server.setblocking(True)
    client.sendall(b"hello ")
    threading.Timer(0.05, client.sendall, [b"world"]).start()
    say(server.recv(11, socket.MSG_WAITALL))
    client.sendall(b"short")
    client.shutdown(socket.SHUT_WR)
    say(server.recv(100, socket.MSG_WAITALL), server.recv(100, socket.MSG_WAITALL))


@subject
def wait_for_all_for_a_while():
    client, server = pair()
    server.setblocking(True)
    timeout(server, socket.SO_RCVTIMEO, 0, 100000)
    client.sendall(b"part")
    say(server.recv(100, socket.MSG_WAITALL))
    attempt("nothing came", lambda: server.recv(100, socket.MSG_WAITALL))
    client.sendall(b"more")
    until(server, select.POLLIN)
    say(server.recv(100, socket.MSG_WAITALL | socket.MSG_DONTWAIT))


@subject
def timeouts():
    client, server = pair()
    for made in (client, server):
        made.setblocking(True)
    for name in ("SO_RCVTIMEO", "SO_SNDTIMEO"):
        number = getattr(socket, name)
        say(name, struct.unpack("ll", client.getsockopt(socket.SOL_SOCKET, number, 16)))
        timeout(client, number, 0, 120000)
        say(name, struct.unpack("ll", client.getsockopt(socket.SOL_SOCKET, number, 16)))
        attempt("too many microseconds", timeout, client, number, 0, 1000000)
        attempt("negative", timeout, client, number, -1)
        attempt("short", client.setsockopt, socket.SOL_SOCKET, number, 1)
        timeout(client, number, 0, 120000)
    began = time.monotonic()
    attempt("recv", client.recv, 1)
    attempt("read", os.read, client.fileno(), 1)
    say("it waited", time.monotonic() - began > 0.2)
    attempt("send", send_without_end, client)
    door = listener()
    door.setblocking(True)
    timeout(door, socket.SO_RCVTIMEO, 0, 50000)
    attempt("accept", door.accept)


@subject
def lengths_of_nothing():
    client, server = pair()
    server.setblocking(False)
    say("send", client.send(b""), "sendmsg", client.sendmsg([]), client.sendmsg([b"", b""]),
        "writev", os.writev(client.fileno(), [b""]), "write", os.write(client.fileno(), b""))
    say("recv", result_of(server.recv, 1), "recv 0", result_of(server.recv, 0), "read 0", os.read(server.fileno(), 0))
    client.sendall(b"x")
    until(server, select.POLLIN)
    say("recv 0", server.recv(0), "then", server.recv(1))
    client.close()
    until(server, select.POLLIN)
    say("at the end", server.recv(0), server.recv(1))


@subject
def vectors():
    client, server = pair()
    say(os.writev(client.fileno(), [b"one", b"", b"two", b"three"]))
    parts = [bytearray(2), bytearray(0), bytearray(4), bytearray(99)]
    until(server, select.POLLIN)
    say(server.recv(0), os.readv(server.fileno(), parts), [bytes(part).rstrip(b"\0") for part in parts])
    say(client.sendmsg([b"x"] * 1024))
    say(len(server.recv(5000, socket.MSG_WAITALL | socket.MSG_DONTWAIT) or b"") > 0)
    say("too many", result_of(client.sendmsg, [b"x"] * 1025), result_of(os.writev, client.fileno(), [b"x"] * 1025))


@subject
def messages():
    client, server = pair()
    client.sendall(b"abcdef")
    until(server, select.POLLIN)
    data, control, flags, name = server.recvmsg(3, 100)
    say(data, control, flags, name)
    say(server.recvfrom(10))
    say("descriptors go nowhere", result_of(client.sendmsg, [b"y"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                                                      array.array("i", [0]))]))
    say(server.recvmsg(10, 100)[:3])
    say("sendto a connected one", client.sendto(b"z", port("closed")), server.recv(1))


@subject
def truncate_throws_away():
    client, server = pair()
    client.sendall(b"abcdef")
    until(server, select.POLLIN)
    say(len(server.recv(4, socket.MSG_TRUNC)), server.recv(10))


@subject
def how_much_waits():
    client, server = pair()
    say("FIONREAD", number_of(server, termios.FIONREAD))
    client.sendall(bytes(1000))
    until(server, select.POLLIN)
    while number_of(server, termios.FIONREAD) < 1000:
        pass
    server.recv(300)
    say("FIONREAD", number_of(server, termios.FIONREAD))
    end = time.monotonic() + 10
    while number_of(client, SIOCOUTQ) and time.monotonic() < end:
        pass
    say("SIOCOUTQ", number_of(client, SIOCOUTQ))
    server.recv(700)
    filled(client, server)
    while not number_of(client, SIOCOUTQ) and time.monotonic() < end:
        filled(client, server)  # a machine that was busy moved some of it only now
    say("SIOCOUTQ of one that is full", number_of(client, SIOCOUTQ) > 0)


@subject
def low_water():
    """SO_RCVLOWAT: a read and a poll wait for so much."""
    client, server = pair()
    server.setblocking(True)
    say(option(server, socket.SO_RCVLOWAT))
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 5)
    say(option(server, socket.SO_RCVLOWAT))
    threading.Timer(0.05, client.sendall, [b"defgh"]).start()
    client.sendall(b"abc")
    say(len(server.recv(100)) >= 5)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 0)
    say(option(server, socket.SO_RCVLOWAT))


@subject
def corked():
    is_late = True
    while is_late:  # Linux holds back for 200 ms: when so much went by, it says nothing
        client, server = pair()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        begin = time.monotonic()
        client.sendall(b"held ")
        seen = polled(server, select.POLLIN, 50)
        is_late = time.monotonic() - begin > 0.15
    say("corked", seen)
    client.sendall(b"back")
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
    say(until(server, select.POLLIN), server.recv(20))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    client.sendall(b"by shutdown")
    client.shutdown(socket.SHUT_WR)
    say(read_all(server))


@subject
def splice_both_ways():
    client, server = pair()
    reader, writer = os.pipe()
    os.write(writer, b"through a pipe")
    say(os.splice(reader, client.fileno(), 100))
    until(server, select.POLLIN)
    say(os.splice(server.fileno(), writer, 100), os.read(reader, 100))
    client.shutdown(socket.SHUT_WR)
    until(server, select.POLLRDHUP)
    say("at the end", os.splice(server.fileno(), writer, 100))


@subject
def sendfile_in_pieces():
    client, server = pair()
    with tempfile.TemporaryFile() as file:
        file.write(b"0123456789")
        file.flush()
        say(os.sendfile(client.fileno(), file.fileno(), 2, 3), os.sendfile(client.fileno(), file.fileno(), 8, 100),
            os.sendfile(client.fileno(), file.fileno(), 10, 5))
    client.close()
    say(read_all(server))


@subject
def files_of_a_socket():
    client, server = pair()
    with client.makefile("rwb") as file:
        file.write(b"line one\nline two\n")
        file.flush()
        say(server.recv(100))
        server.sendall(b"answer\nrest")
        server.shutdown(socket.SHUT_WR)
        say(file.readline(), file.read())


@subject
def a_signal_ends_a_read():
    client, _server = pair()  # which does not read
    client.setblocking(True)

    def ring(*_):
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise InterruptedError

    signal.signal(signal.SIGALRM, ring)
    for name, call in (("recv", lambda: client.recv(1)), ("read", lambda: os.read(client.fileno(), 1)),
                       ("poll", lambda: select.select([client], [], [])), ("recvmsg", lambda: client.recvmsg(1))):
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.03, 0.03)  # again, if the first one came before the call waited
            call()
        except InterruptedError:
            say(name, "ended")
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3, 0.1)
        send_without_end(client)
    except InterruptedError:
        say("send ended")


@subject
def sigpipe_kills():
    """Nobody handles it: the process ends by it, unless the call asks for no signal."""
    for name, flags in (("without", socket.MSG_NOSIGNAL), ("with", 0)):
        client, _ = pair()
        client.shutdown(socket.SHUT_WR)
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            try:
                client.send(b"x", flags)
            except BrokenPipeError:
                os._exit(3)
            os._exit(4)
        say(name, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


@subject
def epipe_in_every_way():
    count_sigpipe()
    client, _ = pair()
    client.shutdown(socket.SHUT_WR)
    for name, call in (("send", lambda: client.send(b"x")), ("nothing", lambda: client.send(b"")),
                       ("write", lambda: os.write(client.fileno(), b"x")),
                       ("writev", lambda: os.writev(client.fileno(), [b"x"])),
                       ("sendmsg", lambda: client.sendmsg([b"x"])),
                       ("sendto", lambda: client.sendto(b"x", port("echo"))),
                       ("out of band", lambda: client.send(b"x", socket.MSG_OOB)),
                       ("quietly", lambda: client.send(b"x", socket.MSG_NOSIGNAL))):
        say(name, result_of(call))
    say("unconnected", result_of(tcp().send, b"x"))
