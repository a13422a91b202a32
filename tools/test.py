#!/usr/bin/env python3
"""Runs the tests of a build tree through meson and counts their cases.

    tools/test.py [--build TREE] [NAME...]

NAME is a suite ("unit"), a test ("unit/base/ring") or a pattern ("pkt/*"); none means all. Each TAP
line counts as one case; a program that prints no TAP is one case. What failed is shown with its
output and the one command that repeats it, what was skipped with the reason. The last line is
"N passed, N failed", and ", N skipped" when some were. Exit 0 only if something ran and nothing failed.
"""
import argparse
import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MESON = "/usr/bin/meson" if os.path.exists("/usr/bin/meson") else shutil.which("meson") or "meson"
NINJA = shutil.which("ninja", path="/usr/bin") or shutil.which("ninja") or "ninja"
LOG = "weir-tests"
OUTPUT_LINES_MAX = 60
PLAN = re.compile(r"^1\.\.(\d+)\s*(?:#\s*SKIP\b)?", re.M | re.I)
CASE = re.compile(r"^(not )?ok\b\s*(\d+)?\s*-?\s*([^#]*?)\s*(?:#\s*(SKIP|TODO)\b.*)?$", re.I)


def parse_arguments():
    parser = argparse.ArgumentParser(description="runs tests and counts their cases")
    parser.add_argument("--build", default="build-test")
    parser.add_argument("names", nargs="*", metavar="NAME")
    return parser.parse_args()


def finish(passed, failed, skipped=0):
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(0 if failed == 0 and passed > 0 else 1)


def introspect(build, what):
    answer = subprocess.run([MESON, "introspect", what, build], stdout=subprocess.PIPE, check=True)
    return json.loads(answer.stdout)


def choose(tests, wanted):
    """Those of `tests` that `wanted` means: all of them when it is empty."""
    if not wanted:
        return tests
    names = {test["name"] for test in tests}
    chosen = set()
    for want in wanted:
        want = want.replace(":", "/")
        found = {n for n in names if n.startswith(want.rstrip("/") + "/") or fnmatch.fnmatch(n, want)}
        if not found:
            print(f"test: nothing is called '{want}'; there are:", *sorted(names), sep="\n  ")
            finish(0, 1)
        chosen |= found
    return [test for test in tests if test["name"] in chosen]


def build_all(build, tests):
    """Builds what the tests need. Returns the names of those that cannot be built."""
    files = {target["id"]: [os.path.relpath(name, os.path.abspath(build)) for name in target["filename"]]
             for target in introspect(build, "--targets")}
    needs = {test["name"]: [f for id in test["depends"] for f in files[id]] for test in tests}
    targets = sorted({name for need in needs.values() for name in need})
    ninja = [NINJA, "-C", build]
    answer = subprocess.run([*ninja, "-k", "0", *targets], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    if answer.returncode == 0 or not targets:
        return []
    noise = re.compile(r"\[\d+/\d+\] (Compiling|Linking|Generating)|ninja: (Entering|build stopped)")
    print("\n".join(line for line in answer.stdout.splitlines() if not noise.match(line)))
    broken = []
    for name, need in needs.items():
        if need:
            dry = subprocess.run([*ninja, "-n", *need], stdout=subprocess.PIPE, text=True, check=False)
            if "no work to do" not in dry.stdout:
                broken.append(name)
    return sorted(broken)


def run(build, names):
    """Runs tests that are built, and returns meson's records of them."""
    log = os.path.join(build, "meson-logs", LOG + ".json")
    if os.path.exists(log):
        os.remove(log)
    if not names:
        return []
    command = [MESON, "test", "-C", build, "--no-rebuild", "--logbase", LOG, *names]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace")
    said = []
    for line in process.stdout:
        said.append(line)
        if re.match(r"\s*\d+/\d+ ", line):
            print(line, end="", flush=True)
    process.wait()
    if not os.path.exists(log):
        print("".join(said) + "test: meson ran nothing (above)")
        finish(0, 1)
    with open(log, encoding="utf-8", errors="replace") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def plain_case(record):
    verdict = {"OK": "passed", "SKIP": "skipped", "EXPECTEDFAIL": "passed"}
    why = f"{record['result'].lower()}, exit status {record.get('returncode')}"
    return [(verdict.get(record["result"], "failed"), why)]


def cases_of(record):
    """[(passed|failed|skipped, name)] of one program."""
    output = record.get("stdout") or ""
    plan = PLAN.search(output)
    if not plan:
        return plain_case(record)
    cases = []
    for line in output.splitlines():
        match = CASE.match(line)
        if match:
            directive = (match[4] or "").upper()  # cmocka writes "not ok 3 # SKIP" for a skipped test
            verdict = "skipped" if directive else "failed" if match[1] else "passed"
            cases.append((verdict, match[3] or f"case {match[2]}"))
    planned, status = int(plan[1]), record.get("returncode")
    if planned == 0 and status == 0:
        return [("skipped", "nothing planned")]
    if record["result"] == "TIMEOUT":
        cases.append(("failed", f"timed out after {len(cases)} of {planned} cases"))
    elif len(cases) != planned:
        cases.append(("failed", f"ended after {len(cases)} of {planned} cases, exit status {status}"))
    elif status not in (0, 77, None) and not any(v == "failed" for v, _ in cases):
        cases.append(("failed", f"all cases passed, yet the exit status is {status}"))
    return cases


def reason_of(record):
    """Why something was skipped: what stands behind SKIP, or a line "skipped: ..."."""
    output = record.get("stdout") or ""
    said = re.findall(r"#\s*SKIP\b[ :]*(\S.*)", output, re.I) + \
        re.findall(r"^(?:# )?skipped: (.*)", output, re.M)
    return "; ".join(dict.fromkeys(line.strip() for line in said)) or "it does not say why"


def show_skips(skips):
    """[(how many, test, reason)], a line for each reason."""
    for reason in dict.fromkeys(reason for _, _, reason in skips):
        names = [f"{name} ({count})" for count, name, why in skips if why == reason]
        print(f"skipped: {', '.join(names)}: {reason}")


def middle_out(text):
    lines = text.strip("\n").splitlines()
    half = OUTPUT_LINES_MAX // 2
    if len(lines) > OUTPUT_LINES_MAX:
        lines[half:-half] = [f"... {len(lines) - OUTPUT_LINES_MAX} lines left out ..."]
    return lines


def show_failure(record, name, cases):
    print(f"\nFAILED {name}")
    for verdict, case in cases:
        if verdict == "failed":
            print(f"    {case}")
    shown = "\n".join(line for line in (record.get("stdout") or "").splitlines()
                      if not re.match(r"ok\b|1\.\.\d|$|\(test program exited", line))
    for line in middle_out(shown) + middle_out(record.get("stderr") or ""):
        print(f"  | {line}")
    print(f"  repeat: make test T={name}")


def name_of(record):
    """Meson shows a test as "project:suite / name"."""
    return record["name"].rpartition(" / ")[2]


def main():
    args = parse_arguments()
    os.chdir(ROOT)
    tests = choose(introspect(args.build, "--tests"), args.names)
    broken = build_all(args.build, tests)
    records = run(args.build, [t["name"] for t in tests if t["name"] not in broken])
    total = {"passed": 0, "failed": len(broken), "skipped": 0}
    skips = []
    for record in records:
        cases = cases_of(record)
        for verdict, _ in cases:
            total[verdict] += 1
        if any(verdict == "failed" for verdict, _ in cases):
            show_failure(record, name_of(record), cases)
        skipped = sum(verdict == "skipped" for verdict, _ in cases)
        if skipped:
            skips.append((skipped, name_of(record), reason_of(record)))
    for name in broken:
        print(f"\nFAILED {name}\n    could not be built (above)\n  repeat: make test T={name}")
    if total["failed"]:
        print()
    show_skips(skips)
    finish(total["passed"], total["failed"], total["skipped"])


if __name__ == "__main__":
    main()
