"""Who may be bound where: used, foreign and chosen ports, SO_REUSEADDR, SO_REUSEPORT, free binds."""
import os
import select
import socket

from subjects.base import (HOST, PATIENCE, called, error_name, listener, option, pair, polled, port, read_all,
                           result_of, say, subject, tcp, udp, until)

REUSEADDR, REUSEPORT = socket.SO_REUSEADDR, socket.SO_REUSEPORT
IP_BIND_ADDRESS_NO_PORT, IP_FREEBIND, IP_TRANSPARENT = 24, 15, 19


def made(*options, kind=tcp):
    fresh = kind()
    for name in options:
        fresh.setsockopt(socket.SOL_SOCKET, name, 1)
    return fresh


def bound(address, *options, kind=tcp):
    fresh = made(*options, kind=kind)
    fresh.bind(address)
    return fresh


def try_bind(address, *options, kind=tcp, listens=False):
    """What bind (and listen) say."""
    fresh = made(*options, kind=kind)
    try:
        fresh.bind(address)
    except OSError as error:
        return "bind " + error_name(error)
    try:
        if listens:
            fresh.listen(1)
    except OSError as error:
        return "listen " + error_name(error)
    finally:
        fresh.close()
    return "ok"


@subject
def bind_to_a_bound_port():
    for first in ((), (REUSEADDR,), (REUSEPORT,)):
        for second in ((), (REUSEADDR,), (REUSEPORT,)):
            one = bound((HOST, 0), *first)
            say(first, second, try_bind(one.getsockname(), *second),
                "listening", try_bind(one.getsockname(), *second, listens=True))
            one.close()


@subject
def bind_to_a_listening_port():
    for first in ((), (REUSEADDR,), (REUSEPORT,)):
        for second in ((), (REUSEADDR,), (REUSEPORT,)):
            one = bound((HOST, 0), *first)
            one.listen(1)
            say(first, second, try_bind(one.getsockname(), *second))
            one.close()


def accepted(*options):
    """Both ends of a connection whose listener is gone, and the address that it had."""
    door = bound((HOST, 0), *options)
    door.listen(1)
    client = tcp()
    client.connect(door.getsockname())
    server, _ = door.accept()
    address = door.getsockname()
    door.close()
    return client, server, address


@subject
def bind_over_a_connection():
    """The listener is gone, a connection that it accepted is not."""
    for first in ((), (REUSEADDR,)):
        for second in ((), (REUSEADDR,)):
            client, server, address = accepted(*first)
            say(first, second, try_bind(address, *second), "listening",
                try_bind(address, *second, listens=True))
            client.sendall(b"still there")
            say(server.recv(20))


@subject
def bind_over_time_wait():
    for first in ((), (REUSEADDR,)):
        for second in ((), (REUSEADDR,)):
            client, server, address = accepted(*first)
            server.close()
            read_all(client)
            client.close()
            polled(tcp(), wait=20)
            say(first, second, try_bind(address, *second, listens=True))


@subject
def bind_any_and_one():
    for options in ((), (REUSEADDR,), (REUSEPORT,)):
        one = bound((HOST, 0), *options)
        number = one.getsockname()[1]
        say(options, "any", try_bind(("", number), *options), "another", try_bind(("127.0.0.2", number), *options))
        one.listen(1)
        if options == (REUSEPORT,):
            continue  # docs/run.md: the host's own listeners of both would meet
        say(options, "any, it listens", try_bind(("", number), *options, listens=True),
            "another", try_bind(("127.0.0.2", number), *options, listens=True))
        one.close()


@subject
def two_listeners_by_reuseaddr():
    """Both are bound, the first that listens has it."""
    one = bound((HOST, 0), REUSEADDR)
    two = bound(one.getsockname(), REUSEADDR)
    say("first", result_of(one.listen, 1), "second", result_of(two.listen, 1))
    client = tcp()
    client.connect(one.getsockname())
    say("accepted", result_of(one.accept))
    one.close()
    say("then the second", result_of(two.listen, 1), result_of(tcp().connect, two.getsockname()))


@subject
def reuseport_spreads_over_processes():
    """Four processes listen; of 64 connections each gets some, and none is lost."""
    doors = [bound((HOST, 0), REUSEPORT)]
    doors += [bound(doors[0].getsockname(), REUSEPORT) for _ in range(3)]
    for door in doors:
        door.listen(64)
    result, theirs = os.pipe()
    stop = os.pipe()
    for door in doors:
        if os.fork() == 0:
            os.close(stop[1])
            count = 0
            while select.select([door, stop[0]], [], [])[0] != [stop[0]]:
                connection, _ = door.accept()
                connection.sendall(b"x")
                connection.close()
                count += 1
            os.write(theirs, bytes([count]))
            os._exit(0)
    served = 0
    for _ in range(64):
        client = tcp()
        client.connect(doors[0].getsockname())
        served += len(read_all(client))
    os.close(stop[0])
    os.close(stop[1])
    for _ in doors:
        os.wait()
    counts = os.read(result, 4)
    say("served", served, "accepted", sum(counts), "each some", all(counts))


@subject
def ports_that_are_chosen_differ():
    many = [bound((HOST, 0)) for _ in range(50)]
    say(len({one.getsockname()[1] for one in many}))
    number = many[0].getsockname()[1]
    say("used", try_bind((HOST, number)))
    many[0].close()
    say("free again", try_bind((HOST, number)))


@subject
def bound_and_not_listening():
    one = bound((HOST, 0))
    say("connect", result_of(tcp().connect, one.getsockname()))
    say("connect to its own", result_of(one.connect, port("echo")))
    one.sendall(b"x")
    say(one.recv(1))


@subject
def bind_to_foreign_addresses():
    for address in ("192.0.2.9", "255.255.255.255", "224.0.0.1", "127.255.255.254", "0.0.0.1"):
        say(address, try_bind((address, 0)), "udp", try_bind((address, 0), kind=udp))
    for name, number in (("IP_FREEBIND", IP_FREEBIND), ("IP_TRANSPARENT", IP_TRANSPARENT)):
        one = tcp()
        one.setsockopt(socket.IPPROTO_IP, number, 1)
        say(name, option(one, number, socket.IPPROTO_IP), result_of(one.bind, ("192.0.2.9", 0)),
            one.getsockname()[0], result_of(one.listen, 1))


@subject
def bind_twice():
    one = bound((HOST, 0))
    before = one.getsockname()
    say(result_of(one.bind, (HOST, 0)), result_of(one.bind, before), one.getsockname() == before)
    one.listen(1)
    say(result_of(one.bind, (HOST, 0)))
    client = called("echo")
    say(result_of(client.bind, (HOST, 0)))
    two = bound((HOST, 0), kind=udp)
    say("udp", result_of(two.bind, (HOST, 0)))


@subject
def bind_after_connect_failed():
    one = tcp()
    say(result_of(one.connect, port("closed")), result_of(one.bind, (HOST, 0)))
    say(result_of(one.connect, port("echo")))


@subject
def address_without_port():
    one = tcp()
    one.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
    say(option(one, IP_BIND_ADDRESS_NO_PORT, socket.IPPROTO_IP), result_of(one.bind, (HOST, 0)))
    say(one.getsockname(), result_of(one.connect, port("echo")), one.getsockname()[1] > 0)
    two = tcp()
    two.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
    two.bind((HOST, 0))
    say("listen", result_of(two.listen, 1), two.getsockname()[1] > 0)


@subject
def the_same_port_out_twice():
    """Two connections from one port, to two peers; and to one."""
    one = bound((HOST, 0), REUSEADDR)
    two = bound(one.getsockname(), REUSEADDR)
    three = bound(one.getsockname(), REUSEADDR)
    say(result_of(one.connect, port("echo")), result_of(two.connect, port("hello")),
        result_of(three.connect, port("echo")))


@subject
def a_connection_with_itself():
    one = bound((HOST, 0))
    say("connect", result_of(one.connect, one.getsockname()))
    say("same", one.getsockname() == one.getpeername())
    one.sendall(b"to myself")
    say(one.recv(20))
    one.shutdown(socket.SHUT_WR)
    say(one.recv(20))


@subject
def a_connection_leaves_its_port_to_others():
    """A port that connect chose may be bound by nobody meanwhile."""
    client, _ = pair()
    say(try_bind(client.getsockname()), try_bind(client.getsockname(), REUSEADDR))


@subject
def reuse_is_read_back():
    one = tcp()
    for name in (REUSEADDR, REUSEPORT):
        for value in (1, 0, 7, -1):
            one.setsockopt(socket.SOL_SOCKET, name, value)
            say(option(one, name))
    door = listener()
    door.setsockopt(socket.SOL_SOCKET, REUSEADDR, 1)
    client = tcp()
    client.connect(door.getsockname())
    say("accepted", option(door.accept()[0], REUSEADDR))


@subject
def udp_shares_by_reuseaddr():
    for options in ((REUSEADDR,), (REUSEPORT,), (REUSEADDR, REUSEPORT)):
        one = bound((HOST, 0), *options, kind=udp)
        say(options, "same", try_bind(one.getsockname(), *options, kind=udp),
            "without", try_bind(one.getsockname(), kind=udp))
    one = bound((HOST, 0), REUSEADDR, kind=udp)
    two = bound(one.getsockname(), REUSEADDR, kind=udp)
    udp().sendto(b"for one of them", one.getsockname())
    heard = select.select([one, two], [], [], PATIENCE)[0]
    say("heard by", len(heard), "the last", heard == [two])
