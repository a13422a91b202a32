#!/usr/bin/env python3
"""Measures weir beside its peers and prints one table.

    bench/run.py --build TREE [--quick] [--only WORD] [--json FILE] [--lwip-source PROGRAM]

Runs are interleaved (A B A B) and the median is taken, so that a machine which changes its speed
changes it for both. Nothing here fails because a figure is missed: the table says "short". What
cannot be measured here is left out with the reason. See bench/README.md.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import programs
from table import Row, Skip, machine, print_table

# What is asked of weir: at least this share of the peer, at most this multiple of a cost or bound.
# Of the lwIPs only the package as it is has a target; the others say how much of it is its setup.
AT_LEAST = {"bulk": 3.0, "rr": 1.0, "crr": 2.0, "three copies": 0.5, "scale": 0.8, "tap": 0.5,
            "iperf3": 0.3, "nginx": 0.4, "wire": 0.5, "ip6": 0.9, "wire run": 0.2, "packet": 0.3}
AT_MOST = {"scale": 1.05, "bound": 1.0}
TARGET_PEER = "lwip package-stock"

# An entry, and its share of the flow table: slots of 8 bytes, three eighths of them taken at least.
SLOT_BYTES = 8 / 0.375
BOUND_BYTES = {"idle": 512, "SYN": 96 + SLOT_BYTES, "TIME-WAIT": 64 + SLOT_BYTES}


class Bench:
    def __init__(self, options):
        self.build = os.path.abspath(options.build)
        self.quick = options.quick
        self.lwip_source = options.lwip_source
        self.rounds = 3 if options.quick else 5
        self.weir = os.path.join(self.build, "weir")

    def program(self, name):
        path = os.path.join(self.build, "bench", "bench-" + name)
        if not os.path.exists(path):
            raise Skip(f"{path} was not built" + (" (liblwip-dev is missing?)" if "lwip" in name else ""))
        return path

    def count(self, full):
        """A size for the command line; a quick run does a quarter of the work."""
        return str(full // 4 if self.quick else full)

    def median(self, commands):
        """{name: command line} -> {name: median of `value`}, one round after the other."""
        seen = {name: [] for name in commands}
        for _ in range(self.rounds):
            for name, command in commands.items():
                seen[name].append(run_json(command)["value"])
        return {name: statistics.median(values) for name, values in seen.items()}


def run_json(command, env=None):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=env)
    if done.returncode != 0:
        said = (done.stderr.strip() or "no word on stderr").splitlines()[-1]
        raise Skip(f"{' '.join(map(os.path.basename, command[:4]))}: {said}")
    return json.loads(done.stdout)


# ---- in one process ----

WORKLOADS = [  # name in the table, arguments, full size, unit, value of a JSON -> value of a row
    ("bulk", [], 2 << 30, "Gbit/s", 8e-9),
    ("rr", [], 1000000, "k/s", 1e-3),
    ("crr", [], 200000, "k/s", 1e-3),
]


def lwip_programs(bench):
    peer = bench.program("lwip_peer")
    found = {"lwip package-stock": [peer, "--stock"], "lwip package-tuned": [peer]}
    if bench.lwip_source:
        found["lwip source"] = [bench.lwip_source]
    return found


def against_lwip(bench):
    weir, peers = [bench.program("weir_inproc")], lwip_programs(bench)
    for name, arguments, full, unit, scale in WORKLOADS:
        tail = arguments + [name, bench.count(full)]
        medians = bench.median({peer: command + tail
                                for peer, command in {"weir": weir, **peers}.items()})
        for peer in peers:
            yield Row(name, medians["weir"] * scale, peer, medians[peer] * scale, unit,
                      at_least=AT_LEAST[name] if peer == TARGET_PEER else None)


def against_copies(bench):
    weir, memcpy = bench.program("weir_inproc"), bench.program("memcpy")
    for ring in ("64k", "1m"):
        size = bench.count(4 << 30)
        medians = bench.median({"weir": [weir, "--gso", "--buffer", ring, "bulk", size],
                                "memcpy": [memcpy, "--ring", ring, size]})
        yield Row(f"bulk, superframes, rings of {ring}", medians["weir"] * 8e-9, "three copies",
                  medians["memcpy"] * 8e-9, "Gbit/s", at_least=AT_LEAST["three copies"])


def over_ip6(bench):
    weir = [bench.program("weir_inproc")]
    for name, _, full, unit, scale in WORKLOADS:
        medians = bench.median({"IPv6": weir + ["--ip6", name, bench.count(full)], "IPv4": weir + [name, bench.count(full)]})
        yield Row(f"{name} over IPv6", medians["IPv6"] * scale, "over IPv4", medians["IPv4"] * scale, unit,
                  at_least=AT_LEAST["ip6"])


# ---- instructions: exact, and the same on each machine ----

def callgrind(command):
    """(instructions in bench_measured, the JSON). memcpy is kept from `rep movsb`, of which
    callgrind would count every byte as an instruction."""
    env = dict(os.environ, GLIBC_TUNABLES="glibc.cpu.x86_rep_movsb_threshold=1073741824")
    tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
            "--toggle-collect=bench_measured*"]
    try:
        done = subprocess.run(tool + command, capture_output=True, text=True, timeout=150, env=env)
    except FileNotFoundError:
        raise Skip("valgrind is not installed")
    collected = [line for line in done.stderr.splitlines() if "Collected" in line]
    if done.returncode != 0 or not collected:
        raise Skip("callgrind: " + (done.stderr.strip().splitlines() or ["silent"])[-1])
    return int(collected[0].split()[-1]), json.loads(done.stdout)


def per_unit(program, arguments, units):
    """Instructions per unit between N and 2N, so that beginnings cancel."""
    workload, n = arguments[-2], int(arguments[-1])
    once = callgrind(program + ["--fixed"] + arguments)
    twice = callgrind(program + ["--fixed"] + arguments[:-2] + [workload, str(2 * n)])
    return (twice[0] - once[0]) / (units(twice[1]) - units(once[1]))


def instructions(bench):
    def frames(j):
        return j["segments"]

    def data_segments(j):
        return j["count"] / 1460

    weir, peers = [bench.program("weir_inproc")], lwip_programs(bench)
    for name, arguments, units in [
            ("bulk, instructions per 1,460 bytes", ["bulk", str(8 << 20)], data_segments),
            ("bulk, instructions per frame", ["bulk", str(8 << 20)], frames),
            ("rr, instructions per frame", ["rr", "5000"], frames),
            ("crr, instructions per frame", ["crr", "2000"], frames)]:
        own = per_unit(weir, arguments, units)
        for peer, command in peers.items():
            yield Row(name, own, peer, per_unit(command, arguments, units), "instr")


def instructions_at_scale(bench):
    weir, many = [bench.program("weir_inproc")], "10000" if bench.quick else "100000"
    few = callgrind(weir + ["--fixed", "--idle", "10", "rr", "5000"])[0] / 10000
    with_many = callgrind(weir + ["--fixed", "--idle", many, "rr", "5000"])[0] / 10000
    yield Row(f"instructions per segment, {int(many):,} open", with_many, "weir, 10 open", few,
              "instr", at_most=AT_MOST["scale"])


def rates_at_scale(bench):
    weir = bench.program("weir_inproc")
    rr, crr = ["rr", bench.count(500000)], ["crr", bench.count(200000)]
    cases = {
        ("rr, 10,000 open", "weir, one"): ([weir, "--idle", "10000"] + rr, [weir] + rr),
        ("rr, 100,000 open", "weir, one"): ([weir, "--idle", "100000"] + rr, [weir] + rr),
        ("crr, 100,000 TIME-WAIT", "weir, none"): ([weir, "--timewait", "100000"] + crr,
                                                   [weir] + crr),
    }
    for (name, peer), (many, one) in cases.items():
        medians = bench.median({"many": many, "one": one})
        yield Row(name, medians["many"] * 1e-3, peer, medians["one"] * 1e-3, "k/s",
                  at_least=AT_LEAST["scale"])


def memory(bench):
    for count in ("10000",) if bench.quick else ("10000", "100000"):
        seen = run_json([bench.program("weir_inproc"), "idle", count])
        for what, value in (("idle", seen["value"]), ("SYN", seen["syn_bytes"]),
                            ("TIME-WAIT", seen["timewait_bytes"])):
            yield Row(f"one of {int(count):,} {what} entries, table and all", value, "bound",
                      BOUND_BYTES[what], "bytes", at_most=AT_MOST["bound"])


# ---- whole programs ----

def weir_run(bench):
    for name, peer, own, other, unit in programs.run_rows(bench):
        yield Row(name, own, peer, other, unit, at_least=AT_LEAST[name.split(",")[0]])


def wire(bench):
    program = bench.program("weir_wire")
    for name, full, unit, scale in (("bulk", 4 << 30, "Gbit/s", 8e-9), ("rr", 100000, "k/s", 1e-3)):
        tail = [name, bench.count(full)]
        medians = bench.median({"weir": [program, *tail], "kernel": [program, "--kernel", *tail]})
        yield Row(f"{name}, libweir in two processes", medians["weir"] * scale, "kernel loopback",
                  medians["kernel"] * scale, unit, at_least=AT_LEAST["wire"])
    for name, peer, own, other, unit in programs.wire_rows(bench):
        yield Row(name, own, peer, other, unit, at_least=AT_LEAST["wire run"])


def tap(bench):
    for name, peer, own, other, unit in programs.tap_rows(bench):
        yield Row(name, own, peer, other, unit, at_least=AT_LEAST["tap"])


def stations(bench):
    """Of XDP no share is asked: over a veth it copies frames of one MTU each."""
    for name, peer, own, other, unit in programs.rows_of_namespace(bench, "station"):
        yield Row(name, own, peer, other, unit, at_least=AT_LEAST.get(name.split(",")[0]))


SECTIONS = [
    ("lwip", "Two hosts in one process, 1,500-byte frames, buffers of 64 KiB", against_lwip),
    ("copies", "The same, the link takes superframes", against_copies),
    ("ip6", "The same, 1,500-byte frames of IPv6", over_ip6),
    ("instructions", "Instructions (callgrind), frames of both directions", instructions),
    ("scale", "Many connections: rates", rates_at_scale),
    ("scale", "Many connections: work", instructions_at_scale),
    ("memory", "Memory", memory),
    ("run", "`weir run` beside the kernel's loopback (each byte crosses weir and the kernel)",
     weir_run),
    ("wire", "Two members of a wire (shared memory) beside the kernel's loopback", wire),
    ("tap", "TAP to a kernel beside kernel to kernel over veth", tap),
    ("station", "Packet socket and AF_XDP on a veth pair beside the kernel on the same", stations),
]


def measure_section(bench, title, section):
    rows, began = [], time.monotonic()
    print(f"\n{title}", flush=True)
    try:
        for row in section(bench):
            rows.append(row)
        print_table(rows)
    except Skip as why:
        print_table(rows)
        print(f"  left out: {why}")
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as why:
        print_table(rows)
        print(f"  left out: {type(why).__name__}: {why}")
    print(f"  ({time.monotonic() - began:.0f} s)", flush=True)
    return rows


def parse():
    p = argparse.ArgumentParser(description="Measures weir beside its peers.")
    p.add_argument("--build", required=True, metavar="TREE", help="a build tree with -Dbench=true")
    p.add_argument("--quick", action="store_true", help="a quarter of the work, three rounds")
    p.add_argument("--only", metavar="WORD", help="one of: " + " ".join(
        dict.fromkeys(word for word, _, _ in SECTIONS)))
    p.add_argument("--json", metavar="FILE", help="write the rows there too")
    p.add_argument("--lwip-source", metavar="PROGRAM",
                   help="the fastest lwIP, built by bench/lwip_source/build.sh")
    return p.parse_args()


def main():
    options = parse()
    bench = Bench(options)
    rows, began = [], time.monotonic()
    print(machine())
    for word, title, section in SECTIONS:
        if options.only in (None, word):
            rows += measure_section(bench, title, section)
    short = sum(not row.is_ok for row in rows)
    print(f"\n{len(rows)} figures, {short} short, {time.monotonic() - began:.0f} s")
    if options.json:
        with open(options.json, "w") as f:
            json.dump([row.as_dict() for row in rows], f, indent=1)


if __name__ == "__main__":
    main()
