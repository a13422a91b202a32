#!/usr/bin/env python3
"""Writes docs/gallery.md from the scenarios: what each asks, how much it claims, how long it runs.

    tools/gallery.py [--weir build/weir] [--names] [--check]

The times come from `weir lab list --times`. --names runs nothing: the page gets a row for each new scenario
and loses those that are gone; times are as they were. --check writes nothing: exit 1 if the page lacks a scenario or
has one too many.
"""
import argparse
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = os.path.join(ROOT, "docs", "gallery.md")
HEAD = """# The gallery

What goes wrong between two hosts, one page of Lua for each: `weir lab run NAME` shows it as a ladder,
`weir lab show NAME` its text, `--set` turns its knobs. See [lab.md](lab.md). This page is written by
`tools/gallery.py`; *lasts* is the lab's time, *takes* that of the machine that wrote it.

| scenario | question | claims | lasts | takes |
| --- | --- | ---: | ---: | ---: |
"""
ROW = re.compile(r"^(\S+)\s+(\d+) claims\s+([\d.]+) s\s+([\d.]+) ms(  FAILS)?$", re.M)


def scenarios():
    """Name, title and question of each."""
    for name in sorted(os.listdir(os.path.join(ROOT, "scenarios"))):
        if name.endswith(".lua"):
            with open(os.path.join(ROOT, "scenarios", name), encoding="utf-8") as stream:
                lines = stream.read().split("\n")
            yield name[:-4], *(line.split('"', 1)[1].rsplit('"', 1)[0] for line in lines[:2])


def beginning(name, title, question):
    return f"| `{name}` | **{title}**: {question} |"


def duration(seconds):
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds:.3g} s"


def write(weir):
    answer = subprocess.run([weir, "lab", "list", "--times"], stdout=subprocess.PIPE, text=True, check=True)
    times = {row[0]: row for row in ROW.findall(answer.stdout)}
    with open(PAGE, "w", encoding="utf-8") as page:
        page.write(HEAD)
        for name, title, question in scenarios():
            _, claims, lasts, takes, _ = times[name]
            page.write(f"{beginning(name, title, question)} {claims} | {duration(float(lasts))} | "
                       f"{float(takes):.0f} ms |\n")
        page.write(f"\n{answer.stdout.strip().splitlines()[-1]}.\n")


def names():
    with open(PAGE, encoding="utf-8") as page:
        lines = page.read().split("\n")
    rows = [line for line in lines if line.startswith("| `")]
    figures = {row.split("`")[1]: row.rsplit("|", 4)[1:4] for row in rows}
    written = [beginning(*one) + "|".join(figures.get(one[0], [" - "] * 3)) + "|" for one in scenarios()]
    at = lines.index(rows[0])
    lines[at:at + len(rows)] = written
    with open(PAGE, "w", encoding="utf-8") as page:
        page.write("\n".join(lines))


def check():
    with open(PAGE, encoding="utf-8") as page:
        named = {line.split("`")[1] for line in page if line.startswith("| `")}
    differs = sorted(named ^ {name for name, _, _ in scenarios()})
    if differs:
        print(f"docs/gallery.md is not up to date: {' '.join(differs)}\nrepair: tools/gallery.py --names")
    return 1 if differs else 0


def main():
    parser = argparse.ArgumentParser(description="writes docs/gallery.md")
    parser.add_argument("--weir", default=os.path.join(ROOT, "build", "weir"))
    parser.add_argument("--names", action="store_true")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    if args.check:
        sys.exit(check())
    if args.names:
        names()
    else:
        write(args.weir)


if __name__ == "__main__":
    main()
