#!/usr/bin/env python3
"""The ledger: which requirement is proven by which test.

    tools/rfc-trace.py                  for each table: how many are covered, waived, open
    tools/rfc-trace.py --open TABLE     the open ones of a table ("fsm" means tcp-fsm.tsv)
    tools/rfc-trace.py --why ID...      the tests, golden lines, waiver and code behind an id
    tools/rfc-trace.py --check          TAP; exit 1 if a tag, a waiver or a golden line is wrong, or
                                        if something that is enforced (ENFORCED) is open

The tables are docs/rfc/*.tsv. A test proves an id by a tag in its comment: REQ:MUST-13, FSM-104,
ROW:12. docs/rfc/golden-proof.tsv names lines of tests/golden that show a transition, and
docs/rfc/waivers.tsv what does not apply, with the reason. docs/ledger.md says when a tag is honest.
"""
import argparse
import csv
import difflib
import fnmatch
import os
import re
import signal
import sys
from collections import defaultdict, namedtuple

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TABLES = ["tcp-rfc9293.tsv", "tcp-fsm.tsv", "rows.tsv", "tcp-extensions.tsv", "ip.tsv"]
# (table, what to call it, which of its entries must be decided)
ENFORCED = [
    ("tcp-rfc9293.tsv", "each requirement of RFC 9293", lambda entry: True),
    ("tcp-fsm.tsv", "each transition of RFC 9293 3.10", lambda entry: True),
    ("tcp-extensions.tsv", "each requirement of TCP's extensions", lambda entry: True),
    ("ip.tsv", "each requirement of IP, ICMP, neighbours and UDP", lambda entry: True),
    ("rows.tsv", "each row that a user can see", lambda entry: True),
]
TAG = re.compile(r"\bREQ:([A-Za-z0-9][A-Za-z0-9.-]*[A-Za-z0-9])|\b(ROW:\d+)\b|(?<![\w:-])(FSM-\d+)\b")
NUMBERED = re.compile(r"\b((?:MUST|SHLD|MAY|REC)-\d+)\b")
SECTION = re.compile(r"\b(\d{3,5})#([0-9A-Z]+(?:\.[0-9]+)*)")
C_FUNCTION = re.compile(r"^(?:TEST\((\w+)\)|[A-Za-z_][\w\s*]*?\b(\w+)\([^;]*$)")
PY_FUNCTION = re.compile(r"^\s*def (\w+)\(")
GOLDEN = "tests/golden"

Entry = namedtuple("Entry", "id table level section rfc text")
Proof = namedtuple("Proof", "path line name")


class Ledger:
    def __init__(self, root):
        self.root = root
        self.entries = {}
        self.proofs, self.cited = defaultdict(list), defaultdict(list)
        self.sections = defaultdict(list)
        self.waivers = {}
        self.errors = defaultdict(list)  # what is checked -> ["path:line: what is wrong"]
        for table in TABLES:
            self.read_table(table)
        self.read_tests()
        self.read_golden_proofs()
        self.read_waivers()
        self.read_code()

    def rows_of(self, name):
        """[(line, {column: text})] of docs/rfc/NAME; none if there is no such file."""
        path = os.path.join(self.root, "docs/rfc", name)
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8", newline="") as stream:
            rows = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
            return [(number, {k: v or "" for k, v in row.items() if k}) for number, row in
                    enumerate(rows, 2)]

    def files(self, tops, extensions):
        for top in tops:
            for here, folders, names in os.walk(os.path.join(self.root, top)):
                folders.sort()
                for name in sorted(names):
                    if name.rpartition(".")[2] in extensions:
                        full = os.path.join(here, name)
                        with open(full, encoding="utf-8", errors="replace") as stream:
                            yield os.path.relpath(full, self.root), stream.read().split("\n")

    def read_table(self, table):
        for number, row in self.rows_of(table):
            if "event" in row:
                text = f"{row['state']}: {row['event']}, {row['condition']} -> {row['next']}: {row['actions']}"
                entry = Entry(row["id"], table, "MUST", "", "9293", text)
            else:
                entry = Entry(row["id"], table, row.get("level", "MUST"), row.get("section", ""),
                              row.get("rfc", ""), row["requirement"])
            if entry.id in self.entries:
                self.errors["ids"].append(f"docs/rfc/{table}:{number}: {entry.id} is there twice")
            self.entries[entry.id] = entry

    def is_known(self, what, where, name):
        if name in self.entries:
            return True
        # Digits weigh nothing for difflib: of ids alike but for the number, the nearest number wins.
        near = difflib.get_close_matches(name, self.entries, 5, 0.5)
        number = int((re.findall(r"\d+", name) or ["0"])[-1])
        stem = re.sub(r"\d+$", "", name)
        alike = [i for i in self.entries if re.sub(r"\d+$", "", i) == stem]
        alike.sort(key=lambda i: abs(int(re.findall(r"\d+", i)[-1]) - number))
        nearest = (alike or near or ["none alike"])[0]
        self.errors[what].append(f"{where}: no requirement is called {name}; nearest: {nearest}")
        return False

    def read_tests(self):
        for path, lines in self.files(["tests"], {"c", "h", "py", "sh", "pkt"}):
            names = names_of(path, lines)
            for number, line in enumerate(lines, 1):
                for match in TAG.finditer(line):
                    name = match[1] or match[2] or match[3]
                    if self.is_known("tags", f"{path}:{number}", name):
                        self.proofs[name].append(Proof(path, number, names[number - 1]))

    def read_golden_proofs(self):
        """Columns: id, file below tests/golden, the line. Columns of a golden line are compared as
        patterns, so `*` leaves one open."""
        golden = {}
        for number, row in self.rows_of("golden-proof.tsv"):
            where = f"docs/rfc/golden-proof.tsv:{number}"
            if not self.is_known("golden lines", where, row["id"]):
                continue
            if row["file"] not in golden:
                golden[row["file"]] = read_golden(os.path.join(self.root, GOLDEN, row["file"]))
            key, *wanted = columns(row["line"])
            if key not in golden[row["file"]]:
                self.errors["golden lines"].append(f"{where}: {row['file']} has no line '{key}'")
                continue
            line, is_ = golden[row["file"]][key]
            if len(is_) != len(wanted) or \
                    not all(fnmatch.fnmatchcase(i, escape(w)) for i, w in zip(is_, wanted)):
                self.errors["golden lines"].append(
                    f"{where}: {row['id']} was proven by\n    {key} | {' | '.join(wanted)}\n  but is\n"
                    f"    {key} | {' | '.join(is_)}\n  does that still hold? ({self.entries[row['id']].text})")
                continue
            self.proofs[row["id"]].append(Proof(f"{GOLDEN}/{row['file']}", line, key))

    def read_waivers(self):
        for number, row in self.rows_of("waivers.tsv"):
            where = f"docs/rfc/waivers.tsv:{number}"
            if not self.is_known("waivers", where, row["id"]):
                continue
            if len(row.get("reason", "").split()) < 3:
                self.errors["waivers"].append(f"{where}: {row['id']} is waived without a reason")
            elif row["id"] in self.proofs:
                proof = self.proofs[row["id"]][0]
                self.errors["waivers"].append(f"{where}: {row['id']} is waived, and proven by "
                                              f"{proof.path}:{proof.line}; one of both is wrong")
            else:
                self.waivers[row["id"]] = row["reason"]

    def read_code(self):
        for path, lines in self.files(["src", "drivers", "include"], {"c", "h", "def"}):
            for number, line in enumerate(lines, 1):
                for match in NUMBERED.finditer(line):
                    if self.is_known("citations", f"{path}:{number}", match[1]):
                        self.cited[match[1]].append((path, number))
                for match in SECTION.finditer(line):
                    self.sections[match[1], match[2]].append((path, number))

    def verdict(self, entry):
        return "covered" if entry.id in self.proofs else "waived" if entry.id in self.waivers else "open"

    def of_table(self, table):
        return [e for e in self.entries.values() if e.table == table]


def names_of(path, lines):
    """For each line the test it speaks of: the function around it, or the next one; "" at the head of
    the file, and for files that are one test."""
    is_c = path.endswith((".c", ".h"))
    function = C_FUNCTION if is_c else PY_FUNCTION if path.endswith(".py") else None
    names = [""] * len(lines)
    if not function:
        return names
    heads = [(n, next(g for g in m.groups() if g)) for n, m in
             ((n, function.match(line)) for n, line in enumerate(lines)) if m]
    head_end = next((n for n, line in enumerate(lines) if "*/" in line), -1) if is_c else -1
    for i, (at, name) in enumerate(heads):
        after = heads[i + 1][0] if i + 1 < len(heads) else len(lines)
        end = next((n for n in range(at, after) if lines[n] == "}"), after - 1) if is_c else after - 1
        for n in range(at, end + 1):
            names[n] = name
        n = at - 1
        while n > head_end and not names[n]:
            names[n] = name
            n -= 1
    return names


def columns(line):
    return [" ".join(part.split()) for part in line.split(" | ")]


def read_golden(path):
    """{first column: (line number, the other columns)}"""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as stream:
        found = {}
        for number, line in enumerate(stream, 1):
            if not line.startswith("#") and " | " in line:
                key, *rest = columns(line.rstrip("\n"))
                found[key] = number, rest
        return found


def escape(pattern):
    """A pattern in which only * is special: golden text has brackets and question marks of its own."""
    return re.sub(r"([\[?])", r"[\1]", pattern)


def print_counts(ledger):
    print(f"{'table':<20}{'ids':>6}{'covered':>9}{'waived':>8}{'open':>6}   of the MUSTs: open")
    for table in TABLES:
        entries = ledger.of_table(table)
        count = {v: sum(ledger.verdict(e) == v for e in entries) for v in ("covered", "waived", "open")}
        musts = sum(ledger.verdict(e) == "open" and e.level.startswith("MUST") for e in entries)
        print(f"{table:<20}{len(entries):>6}{count['covered']:>9}{count['waived']:>8}{count['open']:>6}"
              f"{musts:>8}")


def print_open(ledger, wanted):
    tables = [t for t in TABLES if wanted in t]
    if not tables:
        sys.exit(f"rfc-trace: no table is called '{wanted}'; there are: {' '.join(TABLES)}")
    for table in tables:
        for entry in ledger.of_table(table):
            if ledger.verdict(entry) == "open":
                print(f"{entry.id}\t{entry.level}\t{entry.text}")


def print_why(ledger, name):
    if not ledger.is_known("why", "rfc-trace", name):
        sys.exit(ledger.errors["why"][-1])
    entry = ledger.entries[name]
    print(f"{name} ({entry.table}, {entry.level}): {entry.text}")
    for proof in ledger.proofs.get(name, []):
        print(f"  proven by  {proof.path}:{proof.line}  {proof.name}")
    if name in ledger.waivers:
        print(f"  waived:    {ledger.waivers[name]}")
    for path, line in ledger.cited.get(name, []):
        print(f"  code       {path}:{line}")
    for path, line in ledger.sections.get((entry.rfc, entry.section), []):
        print(f"  code       {path}:{line}  (the section)")
    if ledger.verdict(entry) == "open":
        print("  open")


def check(ledger):
    """TAP, one case for each kind of mistake and each table that is complete."""
    cases = [(f"{what} are right", ledger.errors[what])
             for what in ("ids", "tags", "golden lines", "waivers", "citations")]
    for table, what, is_meant in ENFORCED:
        missing = [f"docs/rfc/{table}: {e.id} has neither a test nor a waiver: {e.text}"
                   for e in ledger.of_table(table) if is_meant(e) and ledger.verdict(e) == "open"]
        cases.append((f"{what} has a test or a reason", missing))
    print(f"1..{len(cases)}")
    for number, (name, wrong) in enumerate(cases, 1):
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}")
        for text in wrong:
            print("\n".join("# " + line for line in text.split("\n")))
    return 1 if any(wrong for _, wrong in cases) else 0


def main():
    parser = argparse.ArgumentParser(description="which requirement is proven by which test")
    parser.add_argument("--root", default=ROOT, help=argparse.SUPPRESS)
    parser.add_argument("--open", metavar="TABLE", help="list what is open in a table")
    parser.add_argument("--why", metavar="ID", nargs="+", help="show what proves an id")
    parser.add_argument("--check", action="store_true", help="TAP: fail on what is wrong or missing")
    args = parser.parse_args()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # ends quietly in front of `head`
    ledger = Ledger(args.root)
    if args.check:
        sys.exit(check(ledger))
    if args.open:
        print_open(ledger, args.open)
    for name in args.why or []:
        print_why(ledger, name)
    if not args.open and not args.why:
        print_counts(ledger)
        if any(ledger.errors.values()):
            print("There are mistakes: tools/rfc-trace.py --check")


if __name__ == "__main__":
    main()
