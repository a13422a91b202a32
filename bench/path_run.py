#!/usr/bin/env python3
"""One run of bench/path.py: senders, the impaired link and receivers, each side in a namespace.

    unshare --net --pid --fork --kill-child --mount-proc path_run.py TREE SPEC

    near namespace (this process)                                    far namespace
    kernel's sender ------------------ TAP near -- path_line -- TAP far -- kernel's receiver
    weir's sender -- TAP weir0 -- the kernel forwards -'

The stack "hop" is a kernel in weir's place, in a namespace of its own:
    its TAP eth0 -- path_line -- TAP hop0 -- the kernel forwards -'
SPEC's "stage" is what both have before that router: weir in its --net, the hop in its path_line.

SPEC is JSON, and so is the answer. All of it is in a process namespace whose first process this is:
when it ends, however it does, the kernel ends the rest and the devices go with them."""
import json
import os
import subprocess
import sys

NEAR, FAR, WEIR, HOP = "10.90.0.1", "10.90.0.2", "10.77", "10.78"
MAC_NEAR, MAC_FAR = "02:90:00:00:00:01", "02:90:00:00:00:02"
GRACE = 40     # seconds for a handshake over a bad link
PRIORITY = 1   # real time: the kernel's sender is never kept waiting by a compiler, so nobody shall be


class Failed(Exception):
    """The run could not be made; the text says why."""


def last_line(text):
    return (text.strip().splitlines() or ["no word"])[-1]


def call(command, inside=()):
    env = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    done = subprocess.run([*inside, *command.split()], capture_output=True, text=True, env=env)
    if done.returncode != 0:
        raise Failed(f"{command}: {last_line(done.stderr)}")


def start(command):
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            stdin=subprocess.DEVNULL)


def await_ready(process, what):
    if process.stdout.readline().strip() != "ready":
        raise Failed(f"{what}: {last_line(process.stderr.read())}")


def finish(process, what, seconds):
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise Failed(f"{what} did not end within {seconds:.0f} s") from None
    if process.returncode != 0:
        raise Failed(f"{what}: {last_line(err)}")
    return json.loads(out)


def no_ipv6():
    """Its own talk would take places in the order of frames, by which the dice fall."""
    for name in ("all", "default"):
        try:
            with open(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "w") as f:
                f.write("1")
        except OSError:
            pass


class Path:
    def __init__(self, tree, spec):
        self.line_program = os.path.join(tree, "bench", "bench-path_line")
        self.flow_program = os.path.join(tree, "bench", "bench-path_flow")
        self.weir = os.path.join(tree, "weir")
        self.spec = spec
        self.seconds = spec["skip"] + spec["seconds"]

    def run(self):
        no_ipv6()
        sinks = [self.start_sink(5000 + i, i) for i in range(len(self.spec["flows"]))]
        line = start([self.line_program, "near0", "far0", str(self.far_pid), self.spec["net"],
                      str(self.spec["seed"])])
        await_ready(line, "path_line")
        self.give_addresses()
        capture = self.start_capture()
        senders = self.start_senders()
        got = [finish(p, self.sink_or_sender(p, senders[i]), self.seconds + GRACE)
               for i, p in enumerate(sinks)]
        said = [finish(p, "the sender", GRACE) for p in senders]
        line.terminate()
        if capture:
            capture.terminate()
            capture.wait()
        return {"line": finish(line, "path_line", 5),
                "flows": [{**flow, **a, **b} for flow, a, b in
                          zip(self.spec["flows"], got, said)]}

    def sink_or_sender(self, _, sender):
        """A receiver that waits for nobody is most often a sender that died."""
        if sender.poll():
            return "the sender: " + last_line(sender.stderr.read())
        return "the receiver"

    def start_sink(self, port, index):
        """The first receiver makes the far namespace, the others join it."""
        inside = ["unshare", "--net"] if index == 0 else ["nsenter", "-t", str(self.far_pid), "-n"]
        sink = start([*inside, self.flow_program, "sink", str(port), str(self.spec["skip"]),
                      str(self.spec["seconds"])])
        await_ready(sink, "path_flow sink")
        if index == 0:
            self.far_pid = sink.pid
        return sink

    def give_addresses(self):
        there = ["nsenter", "-t", str(self.far_pid), "-n"]
        call(f"ip link set near0 address {MAC_NEAR}")
        call(f"ip link set far0 address {MAC_FAR}", there)
        call(f"ip addr add {NEAR}/24 dev near0")
        call(f"ip addr add {FAR}/24 dev far0", there)
        call(f"ip neigh add {FAR} lladdr {MAC_FAR} dev near0")
        call(f"ip neigh add {NEAR} lladdr {MAC_NEAR} dev far0", there)
        for net in (WEIR, HOP):
            call(f"ip route add {net}.0.0/16 via {NEAR}", there)
        with open("/proc/sys/net/ipv4/ip_forward", "w") as f:
            f.write("1")

    def start_capture(self):
        if "pcap" not in self.spec:
            return None
        capture = subprocess.Popen(["tcpdump", "-i", "near0", "-s", "100", "-w", self.spec["pcap"],
                                    "-U", "-Z", "root"],
                                   stderr=subprocess.PIPE, text=True)
        while "listening on" not in (line := capture.stderr.readline()):
            if not line:
                raise Failed("tcpdump did not start")
        return capture

    def start_senders(self):
        """In the order of the flows, or against it: who starts first has the better part for long."""
        order = list(range(len(self.spec["flows"])))
        if self.spec.get("last_first"):
            order.reverse()
        started = {i: self.start_sender(self.spec["flows"][i], 5000 + i, i) for i in order}
        return [started[i] for i in sorted(started)]

    def start_sender(self, flow, port, index):
        command = [self.flow_program, "send", FAR, str(port), str(self.seconds), flow["cc"]]
        if flow["stack"] == "kernel":
            return start(command)
        if flow["stack"] == "hop":
            return start([*self.start_hop(index), *command])
        call(f"ip tuntap add dev weir{index} mode tap")
        call(f"ip addr add {WEIR}.{index}.1/24 dev weir{index}")
        call(f"ip link set weir{index} up")
        more = ["--set=" + text for text in self.spec.get("set", [])]
        if self.spec.get("stage"):
            more += ["--net", "up: " + self.spec["stage"], "--seed", str(self.spec["seed"])]
        if "pcapng" in self.spec:
            more += ["--pcapng", self.spec["pcapng"]]
        return start([self.weir, "run", "--link", f"tap:weir{index}", *more, "--", *command])

    def start_hop(self, index):
        """What comes before a command that is to run behind the hop."""
        host = start(["unshare", "--net", "sh", "-c", "echo ready; exec sleep infinity"])
        await_ready(host, "unshare")
        hop = start([self.line_program, f"hop{index}", "eth0", str(host.pid),
                     "down: " + (self.spec.get("stage") or "delay 0ms"), str(self.spec["seed"])])
        await_ready(hop, "path_line of the hop")
        there = ["nsenter", "-t", str(host.pid), "-n"]
        call(f"ip addr add {HOP}.{index}.1/24 dev hop{index}")
        call(f"ip addr add {HOP}.{index}.2/24 dev eth0", there)
        call(f"ip route add default via {HOP}.{index}.1", there)
        return there


def hurry():
    """Children inherit it; path_line goes one higher. Without the right the run goes on without."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except OSError:
        pass


def main():
    hurry()
    try:
        answer = Path(sys.argv[1], json.loads(sys.argv[2])).run()
    except (Failed, OSError, ValueError) as why:
        answer = {"failed": str(why)}
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
