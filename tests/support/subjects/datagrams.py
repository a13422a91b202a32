"""UDP: who hears what, connected and not, and its errors."""
import os
import select

from subjects.base import HOST, PATIENCE, attempt, polled, port, say, subject, udp, until


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
