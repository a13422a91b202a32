"""Bytes of a connection and its ends."""
import array
import errno
import fcntl
import hashlib
import os
import select
import signal
import socket
import struct
import tempfile
import termios
import threading

from subjects.base import LINGER_0, attempt, called, ended, pair, polled, read_all, say, subject, until


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
    client = called("half")
    client.sendall(b"question")
    client.shutdown(socket.SHUT_WR)
    say(read_all(client))
    say(ended("half"))


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
    client = called("linger")
    client.sendall(b"x")
    say(client.recv(1))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
    client.close()
    say(ended("linger"))


@subject
def close_unread():
    client = called("unread")
    say(until(client, select.POLLIN))
    client.close()
    say(ended("unread"))


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
def broken_pipe():  # ROW:93 ROW:94
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
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 20, 0))
    say(client.sendmsg([b"a", b"", b"bc"]), server.recvmsg(10)[:3:2])


@subject
def full_and_drained():
    client, server = pair()
    client.setblocking(False)
    sent, is_full = 0, False
    while not is_full:
        try:
            sent += client.send(bytes(1 << 16))
        except BlockingIOError:  # what is on its way to the peer may still make room
            is_full = polled(client, select.POLLOUT, 100) == "nothing"
    say("full")
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
