"""Whole programs, unmodified: iperf3 and nginx with wrk, on weir and on the kernel.

Rows are (name, peer's name, weir's figure, peer's figure, unit). What needs devices runs in a child of
its own, in a network namespace that ends with it, and hands its rows back as JSON."""
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager

from table import Skip

SECONDS = 1
TAP_NET = "10.77.0"   # .1 is the kernel's end of the TAP, .2 is weir (the presets of weir run)
VETH_NET = "10.78.0"
PAGE_BYTES = 612


def need(*names):
    missing = [name for name in names if not shutil.which(name, path=search_path())]
    if missing:
        raise Skip(f"not installed: {' '.join(missing)}")


def search_path():
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def say_last(text):
    return (text.strip().splitlines() or ["no word"])[-1]


def stop(process):
    """weir run passes the signal on to its program. A program that does not end is killed."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def background(command):
    with tempfile.TemporaryFile(mode="w+") as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said,
                                   stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            yield process
        except Skip as why:
            said.seek(0)
            raise Skip(f"{why} ({os.path.basename(command[0])}: {say_last(said.read())})")
        finally:
            stop(process)


def wait_for(port, process):
    for _ in range(50):
        if process.poll() is not None:
            raise Skip("the server ended before it was reached")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise Skip(f"nothing answers on port {port}")


# ---- iperf3 ----

def finish(command, what):
    """Runs it to its end. What hangs is killed, with all that it started."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        out, err = process.communicate(timeout=SECONDS + 14)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise Skip(f"{what} did not end within {SECONDS + 14} s")
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def iperf(command, what):
    done = finish(command, f"iperf3 {what}")
    try:
        return json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"] / 1e9
    except (ValueError, KeyError):
        try:
            error = json.loads(done.stdout).get("error", "")
        except ValueError:
            error = ""
        raise Skip(f"iperf3 {what}: {error or say_last(done.stderr)}")


def iperf_client(host, port, *more):
    return ["iperf3", "-J", "-t", str(SECONDS), "-c", host, "-p", str(port), *more]


def medians_of_pairs(rounds, own, other):
    """A B A B; own and other are functions that measure once."""
    pairs = [(own(), other()) for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*pairs)]


def run_iperf(bench):
    """An iperf3 client on weir, its server on the kernel; the same client on the kernel."""
    need("iperf3")
    port = free_port()
    with background(["iperf3", "-s", "-p", str(port)]) as server:
        wait_for_quietly(server)
        for name, more in (("iperf3, weir sends", []), ("iperf3, weir receives", ["-R"])):
            client = iperf_client("127.0.0.1", port, *more)
            own, other = medians_of_pairs(
                3, lambda: iperf([bench.weir, "run", "--", *client], "on weir"),
                lambda: iperf(client, "on the kernel"))
            yield name, "kernel loopback", own, other, "Gbit/s"


def wait_for_quietly(process):
    """iperf3 takes a look at its port for a client: only give it time."""
    time.sleep(0.5)
    if process.poll() is not None:
        raise Skip("the server ended at once")


# ---- nginx and wrk ----

NGINX = """daemon off; worker_processes 1; pid {d}/pid; error_log {d}/error; {user}
events {{ worker_connections 512; }}
http {{ access_log off; keepalive_requests 1000000;
  client_body_temp_path {d}/a; proxy_temp_path {d}/b; fastcgi_temp_path {d}/c;
  uwsgi_temp_path {d}/d; scgi_temp_path {d}/e;
  server {{ listen {port} backlog=511; root {d}; }} }}
"""


def nginx_command(folder, name, port):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(NGINX.format(d=folder, port=port, user="user root;" if os.getuid() == 0 else ""))
    return [shutil.which("nginx", path=search_path()), "-e", os.path.join(folder, "error"),
            "-c", path]


def wrk(port, *more):
    done = finish(["wrk", "-t1", "-c32", f"-d{SECONDS}s", *more,
                   f"http://127.0.0.1:{port}/page"], "wrk")
    errors = [line.strip() for line in done.stdout.splitlines()
              if "Socket errors" in line or "Non-2xx" in line]
    rate = [line.split()[-1] for line in done.stdout.splitlines() if "Requests/sec" in line]
    if done.returncode != 0 or not rate or errors:
        raise Skip(f"wrk: {errors[0] if errors else say_last(done.stderr)}")
    return float(rate[0]) / 1e3


def run_nginx(bench):
    """wrk on the kernel asks nginx on weir, through a published port; then nginx on the kernel."""
    need("nginx", "wrk")
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "page"), "w") as f:
            f.write("w" * PAGE_BYTES)
        own, inner, other = free_port(), free_port(), free_port()
        on_weir = [bench.weir, "run", "-p", f"{own}:{inner}", "--",
                   *nginx_command(folder, "weir.conf", inner)]
        with background(on_weir) as a:
            wait_for(own, a)
            with background(nginx_command(folder, "kernel.conf", other)) as b:
                wait_for(other, b)
                for name, more in (("nginx, 612 bytes, keep-alive", []),
                                   ("nginx, 612 bytes, new connection each",
                                    ["-H", "Connection: close"])):
                    pair = medians_of_pairs(3, lambda: wrk(own, *more), lambda: wrk(other, *more))
                    yield name, "kernel loopback", *pair, "k/s"


def run_rows(bench):
    if not os.path.exists(bench.weir):
        raise Skip(f"{bench.weir} was not built")
    skipped = []
    for part in (run_iperf, run_nginx):
        try:
            yield from part(bench)
        except Skip as why:
            skipped.append(str(why))
    if skipped:
        raise Skip("; ".join(skipped))


# ---- two members of a wire ----

def wire_rows(bench):
    """iperf3 and its server, each on a weir of its own; the same two on the kernel."""
    need("iperf3")
    if not os.path.exists(bench.weir):
        raise Skip(f"{bench.weir} was not built")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        member = ["env", f"XDG_RUNTIME_DIR={folder}", bench.weir, "run", "--link", "wire:bench", "--ip"]
        with background([*member, "10.0.0.2", "--", "iperf3", "-s"]) as a, \
                background(["iperf3", "-s", "-p", str(port)]) as b:
            wait_for_quietly(a)
            wait_for_quietly(b)
            own, other = medians_of_pairs(
                3, lambda: iperf([*member, "10.0.0.3", "--", *iperf_client("10.0.0.2", 5201)],
                                 "on a wire"),
                lambda: iperf(iperf_client("127.0.0.1", port), "on the kernel"))
            yield "iperf3, both by weir run", "kernel loopback", own, other, "Gbit/s"


# ---- TAP against veth ----

def tap_rows(bench):
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        raise Skip("/dev/net/tun cannot be opened")
    yield from rows_of_namespace(bench, "tap")


def rows_of_namespace(bench, part):
    need("iperf3", "ip", "unshare", "nsenter")
    if not os.path.exists(bench.weir):
        raise Skip(f"{bench.weir} was not built")
    namespace = ["unshare", "-n"] if os.getuid() == 0 else ["unshare", "-Urn"]
    child = subprocess.run(namespace + [sys.executable, os.path.abspath(__file__), bench.weir, part],
                           capture_output=True, text=True, timeout=120)
    try:
        seen = json.loads(child.stdout)
    except ValueError:
        raise Skip("no network namespace of our own: " + say_last(child.stderr))
    yield from seen["rows"]
    if seen["why"]:
        raise Skip(seen["why"])


def ip(command, inside=()):
    done = subprocess.run([*inside, "ip", *command.split()], capture_output=True, text=True,
                          env=dict(os.environ, PATH=search_path()))
    if done.returncode != 0:
        raise Skip(f"ip {command}: {say_last(done.stderr)}")


def make_tap():
    ip("link set lo up")
    ip("tuntap add dev weir0 mode tap")
    ip(f"addr add {TAP_NET}.1/24 dev weir0")
    ip("link set weir0 up")


def make_veth(far_pid):
    inside = ["nsenter", "-t", str(far_pid), "-n"]
    ip(f"link add veth0 type veth peer name veth1 netns {far_pid}")
    ip(f"addr add {VETH_NET}.1/24 dev veth0")
    ip("link set veth0 up")
    ip(f"addr add {VETH_NET}.2/24 dev veth1", inside)
    ip("link set veth1 up", inside)
    ip("link set lo up", inside)
    return inside


def measure_tap(weir, rows):
    """Both clients speak to one server in our namespace: weir's over the TAP, the kernel's, from a
    namespace of its own, over the veth."""
    with background(["unshare", "-n", "sleep", "100"]) as holder, \
            background(["iperf3", "-s"]) as server:
        make_tap()
        wait_for_quietly(server)
        inside = make_veth(holder.pid)
        on_weir = [weir, "run", "--link", "tap:weir0", "--"]
        for name, more in (("iperf3, weir sends", []), ("iperf3, weir receives", ["-R"])):
            own, other = medians_of_pairs(
                3, lambda: iperf([*on_weir, *iperf_client(f"{TAP_NET}.1", 5201, *more)],
                                 "on weir over a TAP"),
                lambda: iperf([*inside, *iperf_client(f"{VETH_NET}.1", 5201, *more)],
                              "over a veth"))
            rows.append((name, "kernel over veth", own, other, "Gbit/s"))


# ---- beside the kernel on one end of a veth pair ----

STATION = f"{VETH_NET}.3"


def measure_stations(weir, rows):
    """weir's client and the kernel's stand at the same end of a pair, one after the other."""
    with background(["unshare", "-n", "sleep", "100"]) as holder, \
            background(["iperf3", "-s"]) as server:
        ip("link set lo up")
        wait_for_quietly(server)
        inside = make_veth(holder.pid)
        for kind in ("packet", "xdp"):
            on_weir = [*inside, weir, "run", "--link", f"{kind}:veth1", "--ip", f"{STATION}/24", "--"]
            for name, more in ((f"{kind}, weir sends", []), (f"{kind}, weir receives", ["-R"])):
                client = iperf_client(f"{VETH_NET}.1", 5201, *more)
                own, other = medians_of_pairs(3, lambda: iperf([*on_weir, *client], f"on weir by {kind}"),
                                              lambda: iperf([*inside, *client], "over a veth"))
                rows.append((name, "kernel over veth", own, other, "Gbit/s"))


MEASURES = {"tap": measure_tap, "station": measure_stations}


def inside_namespace(weir, part):
    rows, why = [], ""
    try:
        MEASURES[part](weir, rows)
    except (Skip, OSError, subprocess.SubprocessError) as e:
        why = str(e)
    json.dump({"rows": rows, "why": why}, sys.stdout)


if __name__ == "__main__":
    inside_namespace(*sys.argv[1:])
