"""Ports and listeners: bind, listen, accept, who may share a port."""
import os
import select
import socket

from subjects.base import HOST, PATIENCE, attempt, listener, polled, port, say, subject, tcp, until


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
