"""Sockets of AF_INET6 that speak IPv4, by mapped addresses. IPv6 itself is not carried: docs/run.md."""
import os
import select
import socket

from subjects.base import (HOST, PATIENCE, attempt, error_name, listener, option, polled, port, read_all, result_of,
                           say, subject, tcp, udp, until)

MAPPED = "::ffff:127.0.0.1"
V6ONLY = (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)


def tcp6(only=False):
    made = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    made.settimeout(PATIENCE)
    made.setsockopt(*V6ONLY, int(only))
    return made


def udp6():
    made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    made.settimeout(PATIENCE)
    made.setsockopt(*V6ONLY, 0)
    return made


def mapped(name):
    return (MAPPED, port(name)[1])


def try_bind(made, address, listens=False):
    try:
        made.bind(address)
        if listens:
            made.listen(1)
    except OSError as error:
        return error_name(error)
    finally:
        made.close()
    return "ok"


@subject
def six_fresh():
    made = tcp6()
    say(made.getsockname(), option(made, socket.SO_DOMAIN), option(made, socket.SO_TYPE), result_of(made.getpeername))
    say("only", option(made, V6ONLY[1], V6ONLY[0]))
    made.setsockopt(*V6ONLY, 1)
    say("only", option(made, V6ONLY[1], V6ONLY[0]))


@subject
def six_connects_to_four():
    made = tcp6()
    made.connect(mapped("echo"))
    made.sendall(b"x")
    say(made.recv(1), made.getpeername()[0], made.getsockname()[0], made.getpeername()[2:], polled(made))
    made.shutdown(socket.SHUT_WR)
    say(read_all(made))


@subject
def six_is_refused():
    made = tcp6()
    attempt("mapped", made.connect, mapped("closed"))
    made = tcp6(only=True)
    attempt("only six", made.connect, mapped("echo"))
    attempt("a socket of four", tcp().connect, (HOST, 1))


@subject
def six_listens_for_four():
    for address in ("::", MAPPED):
        door = tcp6()
        door.bind((address, 0))
        door.listen(4)
        client = tcp()
        client.connect((HOST, door.getsockname()[1]))
        server, peer = door.accept()
        say(address, door.getsockname()[0], "peer", peer[0], peer[1] == client.getsockname()[1], peer[2:],
            "own", server.getsockname()[0], server.getpeername()[0], option(server, socket.SO_DOMAIN))
        server.sendall(b"x")
        say(client.recv(1))


@subject
def six_only_leaves_four_alone():
    door = tcp6(only=True)
    door.bind(("::", 0))
    number = door.getsockname()[1]
    say("not listening, four", try_bind(tcp(), ("", number)))
    door.listen(1)
    say("four", try_bind(tcp(), ("", number), listens=True), try_bind(tcp(), (HOST, number), listens=True),
        "six", try_bind(tcp6(), ("::", number)))
    say("four connects", result_of(tcp().connect, (HOST, number)))


@subject
def six_and_four_share_a_port_only_if_told():
    door = tcp6()
    door.bind(("::", 0))
    door.listen(1)
    number = door.getsockname()[1]
    say("any", try_bind(tcp(), ("", number)), "one", try_bind(tcp(), (HOST, number)),
        "mapped", try_bind(tcp6(), (MAPPED, number)))
    four = listener()
    number = four.getsockname()[1]
    say("six", try_bind(tcp6(), ("::", number)), "mapped", try_bind(tcp6(), (MAPPED, number)),
        "only six", try_bind(tcp6(only=True), ("::", number)))


@subject
def six_option_comes_too_late():
    made = tcp6()
    made.bind(("::", 0))
    say(result_of(made.setsockopt, *V6ONLY, 1))
    say("of a socket of four", result_of(tcp().setsockopt, *V6ONLY, 1))


@subject
def six_datagrams():
    one, two = udp6(), udp()
    two.bind((HOST, 0))
    one.bind(("::", 0))
    say(one.sendto(b"x", (MAPPED, two.getsockname()[1])))
    data, peer = two.recvfrom(10)
    say(data, peer[0])
    say(two.sendto(b"y", peer))
    data, peer = one.recvfrom(10)
    say(data, peer[0], peer[1] == two.getsockname()[1], peer[2:])
    one.connect((MAPPED, two.getsockname()[1]))
    say(one.send(b"z"), two.recv(10), one.getpeername()[0], one.getsockname()[0])


@subject
def six_over_exec_and_fork():
    door = tcp6()
    door.bind(("::", 0))
    door.listen(1)
    door.setblocking(True)
    if os.fork() == 0:
        connection, peer = door.accept()
        connection.sendall(peer[0].encode())
        os._exit(0)
    client = tcp()
    client.connect((HOST, door.getsockname()[1]))
    say(read_all(client))
    os.wait()


@subject
def six_polls():
    made = tcp6()
    say(polled(made))
    made.setblocking(False)
    say(result_of(made.connect, mapped("echo")), until(made, select.POLLOUT))
