#!/usr/bin/env python3
"""Weir as a sender beside the Linux kernel, over the same impaired links, to the same receiver.

    bench/path.py --build TREE [--quick] [--only WORD] [--cc NAME] [--cells TEXT] [--json FILE]

Both senders of a cell run at the same time, each over a link of its own with the same seed, so that
a machine which is busy is busy for both. A run whose link came late is void and made again. See
bench/README.md for what is measured and docs/path.md for what came of it."""
import argparse
import ctypes
import json
import os
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import path_table
from path_cells import Cell, coexistence, control, grid, jobs_of
from table import machine

HERE = os.path.dirname(os.path.abspath(__file__))
NAMESPACES = ["--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
TRIES = 4
BUDGET_MBIT = 220      # what may flow at once: two cores carry about three times that
AT_ONCE = 16
GAP = 1.5              # seconds that making and removing namespaces takes
PR_SET_PDEATHSIG = 1


class Refused(Exception):
    """Nothing can be measured here; the text says what would help."""


def unshare():
    return ["unshare", *([] if os.getuid() == 0 else ["--user", "--map-root-user"]), *NAMESPACES]


def die_with_me():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def check_rights(tree):
    for name in ("weir", "bench/bench-path_line", "bench/bench-path_flow"):
        if not os.path.exists(os.path.join(tree, name)):
            raise Refused(f"{name} was not built in {tree}: run `make bench-path`")
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as why:
        raise Refused(f"/dev/net/tun cannot be opened ({why.strerror}): try `sudo make bench-path`, "
                      "or `sudo modprobe tun` if it is not there") from None
    try:
        done = subprocess.run([*unshare(), "true"], capture_output=True, text=True, timeout=20)
    except FileNotFoundError:
        raise Refused("unshare is not installed: scripts/setup bench") from None
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise Refused(f"no network namespaces of our own ({why}): try `sudo make bench-path`")


def kernel_algorithms():
    with open("/proc/sys/net/ipv4/tcp_available_congestion_control") as f:
        return f.read().split()


def weir_algorithms(tree):
    """What a stack of weir says it has; asked in a run of its own."""
    ask = [os.path.join(tree, "weir"), "run", "--", os.path.join(tree, "weir"), "sysctl", "-n",
           "net.ipv4.tcp_available_congestion_control"]
    done = subprocess.run(ask, capture_output=True, text=True, timeout=30)
    return done.stdout.split() or ["cubic", "reno"]


class Job:
    """All the senders of one cell and seed: one child each, and all at once."""

    def __init__(self, tree, specs, limit_us, weight, seconds):
        self.tree, self.specs, self.limit_us = tree, specs, limit_us
        self.weight, self.seconds = weight, seconds
        self.tries, self.children, self.answers = 0, [], None

    def start(self):
        self.tries += 1
        program = [sys.executable, os.path.join(HERE, "path_run.py"), self.tree]
        self.children = [subprocess.Popen(
            [*unshare(), *program, json.dumps(spec)], stdout=subprocess.PIPE, text=True,
            stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, preexec_fn=die_with_me)
            for spec in self.specs]

    def is_running(self):
        return any(child.poll() is None for child in self.children)

    def collect(self):
        """True if the answers stand; else it is to be made again."""
        said = [child.stdout.read() for child in self.children]
        for child in self.children:
            child.stdout.close()
        self.children = []
        self.answers = [json.loads(text) if text else {"failed": "it was ended"} for text in said]
        return all(self.is_sound(a) for a in self.answers)

    def is_sound(self, answer):
        if "failed" in answer:
            return False
        line = answer["line"]
        return (line["late_max_us"] <= self.limit_us and
                line["late_sum_us"] <= self.seconds * 1e6 * 0.01)

    def why_void(self):
        failed = [a["failed"] for a in self.answers if "failed" in a]
        if failed:
            return failed[0]
        worst = max(a["line"]["late_max_us"] for a in self.answers)
        return f"the link came up to {worst / 1000:.1f} ms late"

    def kill(self):
        for child in self.children:
            child.kill()
            child.wait()


class Schedule:
    """Keeps the machine busy but not full: jobs run beside each other while their rates fit."""

    def __init__(self, jobs):
        self.waiting = sorted(jobs, key=lambda job: -job.seconds * job.weight)
        self.running, self.voids = [], 0
        self.total = len(jobs)

    def estimate(self):
        by_rate = sum(j.weight * (j.seconds + GAP) for j in self.waiting) / BUDGET_MBIT
        longest = max((j.seconds + GAP for j in self.waiting), default=0)
        return max(by_rate, longest, sum(j.seconds + GAP for j in self.waiting) / AT_ONCE)

    def fits(self, job):
        load = sum(j.weight for j in self.running)
        return not self.running or (load + job.weight <= BUDGET_MBIT and
                                    len(self.running) < AT_ONCE)

    def start_what_fits(self):
        for job in list(self.waiting):
            if self.fits(job):
                self.waiting.remove(job)
                job.start()
                self.running.append(job)
                return

    def reap(self):
        for job in [j for j in self.running if not j.is_running()]:
            self.running.remove(job)
            if not job.collect():
                self.voids += 1
                if job.tries < TRIES:
                    self.waiting.append(job)

    def run(self):
        try:
            while self.waiting or self.running:
                self.start_what_fits()
                time.sleep(0.05)
                self.reap()
                self.tell()
        finally:
            for job in self.running:
                job.kill()

    def tell(self):
        if sys.stderr.isatty():
            done = self.total - len(self.waiting) - len(self.running)
            print(f"\r{done} of {self.total} done, {self.voids} made again ", end="",
                  file=sys.stderr, flush=True)


def wanted_cells(options, tree):
    """{section: cells}, and what is to be said about what cannot be compared."""
    notes, own, others = [], weir_algorithms(tree), kernel_algorithms()
    pairs = []
    for name in options.cc.split(","):
        if name not in own:
            notes.append(f"{name}: weir has none (it has {' '.join(own)}), so it is left out")
        elif name not in others:
            notes.append(f"{name}: this kernel has none; weir's is shown beside the kernel's cubic, "
                         "without judgement")
            pairs.append((name, "cubic"))
        else:
            pairs.append((name, name))
    sections = {"control": control(options.quick)}
    for own_name, other in pairs:
        sections[f"grid {own_name}"] = grid(own_name, other, options.quick)
    if ("cubic", "cubic") in pairs:
        sections["share"] = coexistence("weir", options.quick)
        sections["share control"] = coexistence("hop", options.quick)
    if options.only:
        sections = {k: v for k, v in sections.items() if k.startswith(options.only)}
    if options.cells:
        sections = {k: [c for c in v if c.matches(options.cells)] for k, v in sections.items()}
    return {k: v for k, v in sections.items() if v}, notes


def conditions():
    return f"{time.strftime('%Y-%m-%d')}, {machine()}, load {os.getloadavg()[0]:.1f}"


def parse():
    p = argparse.ArgumentParser(
        description="Goodput of weir as a sender beside the Linux kernel's, over impaired links.")
    p.add_argument("--build", required=True, metavar="TREE", help="a build tree with -Dbench=true")
    p.add_argument("--quick", action="store_true", help="a few cells, one seed: two minutes")
    p.add_argument("--only", metavar="WORD", help="control, grid (or 'grid cubic'), share")
    p.add_argument("--cc", default="cubic,bbr", metavar="NAMES", help="algorithms of the grid")
    p.add_argument("--cells", metavar="TEXT", help="only such: 'rtt=100 loss=3' (also reorder, rate)")
    p.add_argument("--seeds", type=int, metavar="N", help="seeds of each cell (3; quick: 1)")
    p.add_argument("--set", action="append", default=[], metavar="KNOB=VALUE", help="a knob of weir")
    p.add_argument("--json", metavar="FILE", help="write every run there too")
    p.add_argument("--markdown", metavar="FILE", help="write the tables there too")
    return p.parse_args()


def measure(options):
    tree = os.path.abspath(options.build)
    check_rights(tree)
    sections, notes = wanted_cells(options, tree)
    seeds = options.seeds or (1 if options.quick else 3)
    jobs = {}
    for cells in sections.values():
        for cell in cells:
            cell.jobs = [Job(tree, *job) for job in jobs_of(cell, seeds, options.set)]
            jobs.update({id(job): job for job in cell.jobs})
    schedule = Schedule(list(jobs.values()))
    print(f"{conditions()}\n{len(jobs)} runs, about {schedule.estimate() / 60:.1f} minutes",
          flush=True)
    schedule.run()
    return path_table.Report(conditions(), sections, notes, schedule.voids)


def main():
    options = parse()
    # A kill by name gets what Ctrl-C gets: the children are ended, and their namespaces with them.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        report = measure(options)
    except Refused as why:
        sys.exit(f"bench-path: {why}")
    except KeyboardInterrupt:
        sys.exit("\nbench-path: interrupted; nothing is left behind")
    report.print()
    if options.json:
        with open(options.json, "w") as f:
            json.dump(report.as_dict(), f, indent=1)
    if options.markdown:
        with open(options.markdown, "w") as f:
            f.write(report.markdown())


if __name__ == "__main__":
    main()
