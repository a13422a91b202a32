#!/usr/bin/env python3
"""Checks what the style guide asks of the tree: layers, sizes, names, purity of the core.

    tools/tidy.py [--tap] [--library LIBWEIR_SO] [--core LIBCORE_A] [--root FOLDER]

One line per violation, "file:line: rule: what, and what to do". Exit 1 if there is any. With --tap
each rule is one test case. --library and --core are built files; without them the two rules that
look into them are left out. A new rule is a generator with @rule, and a case in
tests/unit/tidy_test.py.
"""
import argparse
import concurrent.futures
import functools
import os
import re
import subprocess
import sys
from collections import namedtuple

from ctext import CText

FUNCTION_LINES_MAX = 60
PARAMETERS_MAX = 5
NESTING_MAX = 3
FILE_LINES_MAX = 500
COLUMNS_MAX = 100
# Steps from folder to folder that including one header may take. The floor (base, def, the public
# headers) is not counted: everything stands on it.
INCLUDE_STEPS_MAX = 3
HEAD_LINES = 25

FLOOR = {"base", "def", "public"}
SIBLINGS = {"link", "ip", "udp", "tcp", "dhcp"}
CORE = ["base", "def", "wire", "link", "ip", "udp", "tcp", "dhcp", "sock", "stack"]
MAY_SEE = {
    "public": {"public"},
    "base": {"base", "public"},
    "def": {"def", "base", "public"},
    "wire": {"wire"} | FLOOR,
    **{layer: {layer, "wire"} | FLOOR for layer in SIBLINGS},
    "sock": {"sock", "wire"} | SIBLINGS | FLOOR,
    "stack": {"stack", "sock", "wire"} | SIBLINGS | FLOOR,
    "drivers": {"drivers", "base", "public"},
    "run": {"run", "base", "public"},
    # A page is drawn from JSON, whoever made that.
    "page": {"page"},
    # The lab reads frames for people, and says states by name.
    "lab": {"lab", "page", "drivers", "wire"} | FLOOR,
    # Packet scripts read and write packets themselves, against the public interface.
    "packetdrill": {"packetdrill", "wire", "base", "public"},
    # Captures that somebody else took: bytes to words, and nothing of the stack.
    "capfile": {"capfile", "base"},
    "explain": {"explain", "capfile", "page", "wire", "base", "public"},
    "dump": {"dump", "capfile", "cli", "run", "wire", "base", "public"},
    # The command starts `weir run` and `weir lab`, so it sees their doors.
    "cli": {"cli", "drivers", "run", "lab", "packetdrill", "explain", "dump", "public"},
    "bench": {"bench", "drivers", "lab", "public"},
    "examples": {"public"},
    "tests": None,  # everything
}
# Folders that show several headers. Any other folder shows FOLDER/FOLDER.h and keeps the rest.
MANY_DOORS = {"base", "def", "public", "drivers", "bench", "lab"}

# Pure: types, limits, bytes, text of addresses, instructions. stdlib.h is for the allocator and abort.
CORE_HEADERS = {"arpa/inet.h", "immintrin.h", "netinet/in.h", "netinet/tcp.h", "sys/socket.h", "assert.h", "errno.h", "inttypes.h", "limits.h", "stdalign.h", "stdarg.h", "stdbool.h",
                "stddef.h", "stdint.h", "stdlib.h", "stdnoreturn.h", "string.h"}
CORE_FORBIDDEN = re.compile(
    r"\b(errno|v?s?n?f?d?printf|puts|fputs|fopen|fwrite|perror|stderr|stdout|time|clock|clock_gettime|"
    r"gettimeofday|nanosleep|s?rand|random|getrandom|getenv|pthread_\w+|_Thread_local|__thread|"
    r"_Atomic|atomic_\w+|__atomic_\w+|__sync_\w+)\b(?=\s*(.?))")
NOT_ONLY_CALLED = {"errno", "stderr", "stdout", "_Thread_local", "__thread", "_Atomic"}
HEAD_WORDS = ["Knows", "Shape", "Units", "Errors", "Cost"]
CLEANUP_LABELS = {"out", "fail"}
MACHINE_PATH = re.compile(r"(?<![\w.$}/~*-])/(home|root|Users|work|workspace|mnt)/[\w.]")
OPEN_TODO = re.compile(r"\b(TODO(?!\(#\d+\))|FIXME|XXX)(?=[\s:(]|$)")
WRITABLE_SECTION = re.compile(r"^\.(data(?!\.rel\.ro)|bss|tdata|tbss)|^\*COM\*")
SANITIZER_SYMBOL = re.compile(r"^(__asan|__odr_asan|__ubsan|\.?L|_\.|asan\.|__sancov|_GLOBAL__|__gcov|\.)")

Finding = namedtuple("Finding", "path line what")
RULES = []


def rule(name):
    def register(check):
        RULES.append((name, check))
        return check
    return register


class File:
    def __init__(self, root, path):
        self.path, self.full = path, os.path.join(root, path)
        with open(self.full, encoding="utf-8", errors="replace") as stream:
            self.text = stream.read()
        self.lines = self.text.split("\n")

    @functools.cached_property
    def c(self):
        return CText(self.text)

    @property
    def layer(self):
        return layer_of(self.path)

    @functools.cached_property
    def includes(self):
        """[(line, "name" without its quotes, is it in quotes)]"""
        found = []
        for number, line in enumerate(self.lines, 1):
            match = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', line)
            if match:
                found.append((number, match[1] or match[2], match[1] is not None))
        return found


def layer_of(path):
    parts = path.split("/")
    if parts[0] == "include":
        return "public"
    return parts[1] if parts[0] == "src" and len(parts) > 2 else parts[0]


class Tree:
    def __init__(self, root, library=None, core=None):
        self.root, self.library, self.core = root, library, core
        paths = self._paths()
        self.texts = [p for p in paths if os.path.isfile(os.path.join(root, p))]
        self.c_files = [File(root, p) for p in self.texts
                        if p.endswith((".c", ".h")) and layer_of(p) in {*MAY_SEE}]
        self.by_path = {f.path: f for f in self.c_files}
        self.core_files = [f for f in self.c_files if f.layer in CORE]

    def _paths(self):
        git = ["git", "-C", self.root, "ls-files", "-co", "--exclude-standard"]
        if os.path.exists(os.path.join(self.root, ".git")):
            answer = subprocess.run(git, stdout=subprocess.PIPE, text=True, check=False)
            if answer.returncode == 0:
                return sorted(set(answer.stdout.splitlines()))
        found = []
        for here, folders, names in os.walk(self.root):
            folders[:] = [f for f in folders if not f.startswith((".", "build"))]
            found += [os.path.relpath(os.path.join(here, name), self.root) for name in names]
        return sorted(found)

    def resolve(self, file, name, quoted):
        """The path of an included file of ours, or None."""
        beside = [os.path.dirname(file.path)] if quoted else []
        for folder in beside + ["src", "include", ""]:
            path = os.path.normpath(os.path.join(folder, name))
            if os.path.isfile(os.path.join(self.root, path)):
                return path
        return None


@rule("layer")
def layers(tree):
    for file in tree.c_files:
        allowed = MAY_SEE[file.layer]
        for line, name, quoted in file.includes:
            path = tree.resolve(file, name, quoted)
            if path is None or allowed is None:
                continue
            other = layer_of(path)
            if other not in allowed:
                yield Finding(file.path, line, f"{file.layer} may not see {other} ({name}); move what "
                              f"it needs down, or the work up to who sees both")
            elif other != file.layer and other not in MANY_DOORS and \
                    os.path.basename(path) != other + ".h":
                yield Finding(file.path, line, f"{name} is private to {other}; include "
                              f"{other}/{other}.h and let that show what is needed")


@rule("header-alone")
def headers_compile_alone(tree):
    headers = [f.path for f in tree.c_files if f.path.endswith(".h")
               and f.layer not in ("tests", "bench")]

    def compile_one(path):
        command = ["gcc", "-fsyntax-only", "-std=gnu11", "-D_GNU_SOURCE", "-Iinclude", "-Isrc", "-I.",
                   "-Wall", "-Wextra", "-Werror", "-Wno-unused", "-x", "c", path]
        return path, subprocess.run(command, cwd=tree.root, stderr=subprocess.PIPE, text=True,
                                    errors="replace", check=False)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, answer in pool.map(compile_one, headers):
            if answer.returncode != 0:
                match = re.search(r":(\d+):\d+: (?:fatal )?error: (.*)", answer.stderr)
                line, why = (int(match[1]), match[2]) if match else (1, answer.stderr.strip()[:200])
                yield Finding(path, line, f"does not compile alone ({why}); include what it uses")


@rule("include-depth")
def include_depth(tree):
    @functools.cache
    def steps(path):
        file = tree.by_path.get(path)
        if file is None:
            return 0
        most = 0
        for line, name, quoted in file.includes:
            other = tree.resolve(file, name, quoted)
            if other and other.endswith(".h") and other != path:
                counts = layer_of(other) not in FLOOR | {file.layer}
                most = max(most, steps(other) + counts)
        return most

    for file in tree.c_files:
        if file.path.endswith(".h") and file.layer != "tests":
            if steps(file.path) > INCLUDE_STEPS_MAX:
                yield Finding(file.path, 1, f"including it takes {steps(file.path)} steps from folder to "
                              f"folder, at most {INCLUDE_STEPS_MAX}; declare the struct instead")


@rule("function-size")
def function_size(tree):
    for file in tree.c_files:
        for f in file.c.functions:
            size = f.end - f.line + 1
            if size > FUNCTION_LINES_MAX:
                yield Finding(file.path, f.line, f"{f.name} has {size} lines, at most "
                              f"{FUNCTION_LINES_MAX}; move a piece that has a name into its own function")


def is_public_call(name):
    """Calls whose signature others set: the BSD calls, as weir_* of the library, or as libc names
    them (and their fortified forms, _chk) where we stand in for libc."""
    return name.startswith("weir_") or name.endswith("_chk") or \
        name in {"recvfrom", "sendto", "sendmsg", "recvmmsg", "splice", "setsourcefilter", "getsourcefilter",
                 "setipv4sourcefilter", "getipv4sourcefilter"}


@rule("parameters")
def parameters(tree):
    for file in tree.c_files:
        for f in file.c.functions:
            if f.params > PARAMETERS_MAX and not f.name.endswith(")") and not is_public_call(f.name):
                yield Finding(file.path, f.line, f"{f.name} takes {f.params} parameters, at most "
                              f"{PARAMETERS_MAX}; pass a struct")


@rule("nesting")
def nesting(tree):
    for file in tree.c_files:
        for f in file.c.functions:
            if f.nesting > NESTING_MAX:
                yield Finding(file.path, f.nesting_line, f"{f.name} nests {f.nesting} control "
                              f"structures, at most {NESTING_MAX}; return early or split it")


@rule("file-size")
def file_size(tree):
    for file in tree.c_files:
        count = file.text.count("\n")
        if count > FILE_LINES_MAX:
            yield Finding(file.path, FILE_LINES_MAX + 1, f"{count} lines, at most {FILE_LINES_MAX}; "
                          "give one of its responsibilities a file")


@rule("line-length")
def line_length(tree):
    for file in tree.c_files:
        for number, line in enumerate(file.lines, 1):
            if len(line) > COLUMNS_MAX:
                yield Finding(file.path, number, f"{len(line)} columns, at most {COLUMNS_MAX}; break it")


# What a row of a table is called where it is used.
ROW_NAMES = {"KNOB": "{}", "KNOB2": "{}", "KNOB3": "{}", "STAT": "{}", "DROP": "DROP_{}", "EVENT": "EVENT_{}",
             "TIMER": "TIMER_{}"}


@rule("unused-row")
def unused_rows(tree):
    """A knob that nothing reads, or a counter that nothing counts, is a promise that is not kept.

    A counter that is the sum of drops is counted by them."""
    used = set()
    for path in tree.texts:
        if path.endswith("/counted.def"):
            used |= set(re.findall(r"^COUNTED\((\w+),", File(tree.root, path).text, re.M))
    for file in tree.core_files:
        used |= set(re.findall(r"\w+", file.c.code))
    for path in tree.texts:
        if not re.fullmatch(r"src/def/\w+\.def", path):
            continue
        for number, line in enumerate(File(tree.root, path).lines, 1):
            row = re.match(r"([A-Z0-9]+)\((\w+),", line)
            if row and row[1] in ROW_NAMES and ROW_NAMES[row[1]].format(row[2]) not in used:
                yield Finding(path, number, f"no code uses {row[2]}; take the row out, or use it")


@rule("knob-named")
def knobs_named(tree):
    """Text that sends a user to a knob names one that is there."""
    defs = [p for p in tree.texts if re.fullmatch(r"src/def/\w+\.def", p)]
    knobs = set()
    for path in defs:
        knobs |= set(re.findall(r'^KNOB(?:[23]|_TEXT)?\(\w+, "([^"]+)"', File(tree.root, path).text, re.M))
    for path in defs:
        for number, line in enumerate(File(tree.root, path).lines, 1):
            for name in re.findall(r"\bnet\.(?:ipv4|core|weir)\.[\w.]*\w", line):
                if name not in knobs:
                    yield Finding(path, number, f"there is no knob {name}")


@rule("goto")
def gotos(tree):
    for file in tree.c_files:
        for f in file.c.functions:
            for here, after in zip(f.tokens, f.tokens[1:]):
                if here.text == "goto" and after.text not in CLEANUP_LABELS:
                    yield Finding(file.path, here.line, f"goto {after.text}; only one cleanup label "
                                  "called out or fail may be jumped to")


@rule("if-in-function")
def conditions_inside(tree):
    for file in tree.c_files:
        spans = [(f.line, f.end, f.name) for f in file.c.functions]
        for line, name, rest in file.c.directives:
            if name in ("if", "ifdef", "ifndef", "elif"):
                for first, last, function in spans:
                    if first < line <= last:
                        yield Finding(file.path, line, f"#{name} {rest} inside {function}; make it a knob "
                                      "or a file")


@rule("todo")
def todos(tree):
    for path in tree.texts:
        if path.endswith((".c", ".h", ".def", ".py", ".sh", ".lua", ".build")) and \
                "tidy" not in path:
            for number, line in enumerate(File(tree.root, path).lines, 1):
                match = OPEN_TODO.search(line)
                if match:
                    yield Finding(path, number, f"{match[1]} without an issue; write TODO(#12), or do it")


@rule("head")
def heads(tree):
    for file in tree.c_files:
        if not file.path.endswith(".c") or file.layer in ("tests", "bench", "examples"):
            continue
        first = file.c.comments[0] if file.c.comments else (0, "")
        head = "\n".join(first[1].split("\n")[:HEAD_LINES]) if first[0] == 1 else ""
        absent = [word for word in HEAD_WORDS if not re.search(rf"\b{word}\b\s*(\([^)]*\))?:", head)]
        if absent:
            yield Finding(file.path, 1, f"the comment that opens the file lacks {', '.join(absent)}; "
                          "say it in a line each, 'Knows: ...'")


@rule("core-pure")
def core_pure(tree):
    for file in tree.core_files:
        for line, name, quoted in file.includes:
            if not quoted and not name.startswith("weir/") and name not in CORE_HEADERS:
                yield Finding(file.path, line, f"the core may not include <{name}>; clocks, input and "
                              "output, threads belong to drivers and programs")
        code = file.c.code
        for match in CORE_FORBIDDEN.finditer(code):
            member = re.search(r"(\.|->)\s*$", code[max(0, match.start() - 8):match.start()])
            if member or match[1] not in NOT_ONLY_CALLED and match[2] != "(":
                continue
            line = code.count("\n", 0, match.start()) + 1
            if any(f.name == match[1] and f.line == line for f in file.c.functions):
                continue
            yield Finding(file.path, line, f"the core may not use {match[1]}; time and randomness are "
                          "handed in, errors are returned")


@rule("machine-path")
def machine_paths(tree):
    for path in tree.texts:
        if "tidy" in path or path.endswith((".pcap", ".pcapng", ".png")):
            continue
        for number, line in enumerate(File(tree.root, path).lines, 1):
            match = MACHINE_PATH.search(line)
            if match:
                yield Finding(path, number, f"a path of one machine ({match[0]}...); make it relative")


@rule("exports")
def exports(tree):
    if not tree.library:
        return
    answer = subprocess.run(["nm", "-D", "--defined-only", "--without-symbol-versions", tree.library],
                            stdout=subprocess.PIPE, text=True, check=True)
    for line in answer.stdout.splitlines():
        kind, name = line.split()[-2:]
        if kind != "A" and not name.startswith("weir_") and not SANITIZER_SYMBOL.match(name):
            yield Finding(os.path.basename(tree.library), 0, f"exports {name}; only weir_* may be seen")


@rule("globals")
def mutable_globals(tree):
    """By section, not by nm's letter: const tables of pointers are 'd' too, but in .data.rel.ro."""
    if not tree.core:
        return
    answer = subprocess.run(["nm", "--format=sysv", tree.core], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, check=True)
    member = "?"
    for line in answer.stdout.splitlines():
        match = re.match(r"Symbols from .*?([^\[\]/]+?)\]?:$", line)
        if match:
            member = match[1]
        fields = [field.strip() for field in line.split("|")]
        if len(fields) == 7 and WRITABLE_SECTION.match(fields[6]) and \
                not SANITIZER_SYMBOL.match(fields[0]):
            yield Finding(member, 0, f"{fields[0]} is a variable that outlives calls ({fields[6]}); "
                          "put it into the stack, or make it const")


def report(tree, tap):
    count = 0
    if tap:
        print(f"1..{len(RULES)}")
    for number, (name, check) in enumerate(RULES, 1):
        findings = list(check(tree))
        count += len(findings)
        left_out = name == "exports" and not tree.library or name == "globals" and not tree.core
        if tap:
            print(("not ok" if findings else "ok"), number, "-", name, "# SKIP" if left_out else "")
        for f in findings:
            print(f"{'# ' if tap else ''}{f.path}:{f.line}: {name}: {f.what}")
    return count


def main():
    parser = argparse.ArgumentParser(description="checks layers, sizes and names")
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--root", default=here)
    parser.add_argument("--library", help="a built libweir.so")
    parser.add_argument("--core", help="the built archive of src/")
    parser.add_argument("--tap", action="store_true")
    args = parser.parse_args()
    sys.exit(1 if report(Tree(args.root, args.library, args.core), args.tap) else 0)


if __name__ == "__main__":
    main()
