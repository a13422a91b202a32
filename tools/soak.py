#!/usr/bin/env python3
"""Runs random worlds (tests/lab/soak.c) on all cores, and adds up what they say.

    tools/soak.py [--first SEED] [--count N] PROGRAM...

Each PROGRAM is a build of lab-soak. The first runs the seeds from --first on, the next one those behind
them, and so on: other seeds for each build. A world that does not hold is shown with its seed and the
command that repeats it. Exit 0 only if all of them hold.
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import time

CHUNK = 100
SUMMARY = re.compile(r"^# (\d+) worlds, ([\d.]+) years: (\d+) connections, (\d+) datagrams, (\d+) bytes; "
                     r"(\d+) ends read all, (\d+) failed", re.M)


def run(program, first, last):
    """One process: what it prints, and whether all of its worlds hold."""
    env = {**os.environ, "WEIR_SOAK_SEEDS": f"{first}-{last}", "ASAN_OPTIONS": "exitcode=99"}
    env.pop("WEIR_TEST_SEED", None)
    done = subprocess.run([program], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    return done.stdout, done.returncode == 0


def narrow(program, first, last):
    """A process that died says no seed: the seeds one by one."""
    for seed in range(first, last + 1):
        env = {**os.environ, "WEIR_TEST_SEED": str(seed)}
        if subprocess.run([program], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode != 0:
            return f"seed {seed} ends the program\nrepeat with WEIR_TEST_SEED={seed} {program}"
    return f"seeds {first} to {last} end the program, and none of them alone does"


def soak(program, first, count):
    """All seeds of one program: whether they hold."""
    began, sums, bad = time.monotonic(), [0.0] * 7, 0
    starts = range(first, first + count, CHUNK)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {pool.submit(run, program, at, min(at + CHUNK, first + count) - 1): at for at in starts}
        for job in concurrent.futures.as_completed(jobs):
            output, holds = job.result()
            found = SUMMARY.search(output)
            if found:
                sums = [a + float(b) for a, b in zip(sums, found.groups())]
            if holds:
                continue
            bad += 1
            lines = [line for line in output.split("\n") if re.match(r"seed \d|repeat with", line)]
            print("\n".join(lines) if found else
                  narrow(program, jobs[job], min(jobs[job] + CHUNK, first + count) - 1), flush=True)
    worlds, _, connections, datagrams, volume, whole, failed = (int(n) for n in sums)
    print(f"{program}: seeds {first} to {first + count - 1}: {worlds} worlds, {sums[1]:.1f} years, "
          f"{connections} connections, {datagrams} datagrams, {volume / 1e9:.2f} GB; "
          f"{whole} ends read all, {failed} failed for a reason; {time.monotonic() - began:.0f} s; "
          + (f"{bad} of {len(starts)} parts do not hold" if bad else "all hold"), flush=True)
    return bad == 0


def main():
    parser = argparse.ArgumentParser(description="runs random worlds on all cores")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("programs", nargs="+")
    args = parser.parse_args()
    holds = [soak(program, args.first + i * args.count, args.count)
             for i, program in enumerate(args.programs)]
    sys.exit(0 if all(holds) else 1)


if __name__ == "__main__":
    main()
