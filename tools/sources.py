#!/usr/bin/env python3
"""Lists the C files of a folder, sorted, one per line: the build's answer to "which sources?".

    tools/sources.py FOLDER [--flat] [--only GLOB]... [--not GLOB]... [--ext c,py]
    tools/sources.py --all              every file the build picks up; the Makefile reconfigures
                                        when this list differs from the one it configured with

Meson asks for explicit lists. Here many people add files to the same folders at the same time, and
a shared list would be the one line everybody conflicts on; so a folder is its list. Paths are printed
relative to FOLDER (with --all: to the root). A folder that does not exist has no files: no error.
"""
import argparse
import fnmatch
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILT = ["src", "drivers", "run", "cli", "lab", "page", "scenarios", "packetdrill", "capfile", "explain", "dump", "tests", "bench", "examples", "include"]


def listing(folder, extensions, flat=False):
    """Yields the paths below `folder`, relative to it, with '/' separators."""
    for here, folders, names in os.walk(folder):
        folders[:] = [] if flat else sorted(f for f in folders if not f.startswith("."))
        for name in names:
            if name.rpartition(".")[2] in extensions and not name.startswith("."):
                yield os.path.relpath(os.path.join(here, name), folder).replace(os.sep, "/")


def main():
    parser = argparse.ArgumentParser(description="lists the C files of a folder")
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--flat", action="store_true", help="not its subfolders")
    parser.add_argument("--only", action="append", default=[], metavar="GLOB")
    parser.add_argument("--not", action="append", default=[], metavar="GLOB", dest="without")
    parser.add_argument("--ext", default="c", help="extensions, separated by commas")
    args = parser.parse_args()

    if args.all:
        extensions = {"c", "h", "py", "sh", "lua", "html", "css", "js"}
        found = [f"{top}/{path}" for top in BUILT
                 for path in listing(os.path.join(ROOT, top), extensions)]
    elif args.folder:
        folder = os.path.join(ROOT, args.folder)
        found = list(listing(folder, set(args.ext.split(",")), args.flat))
    else:
        parser.error("name a folder, or --all")
    if args.only:
        found = [f for f in found if any(fnmatch.fnmatch(f, g) for g in args.only)]
    found = [f for f in found if not any(fnmatch.fnmatch(f, g) for g in args.without)]
    sys.stdout.writelines(f"{path}\n" for path in sorted(found))


if __name__ == "__main__":
    main()
