"""dup, fork, exec and passing of descriptors."""
import os
import socket
import subprocess
import sys

from subjects.base import listener, pair, read_all, say, subject, tcp


@subject
def duplicates():  # ROW:90
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
def inherited():  # ROW:90
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
