#!/usr/bin/env python3
"""Writes text files into a C source, so that the command finds them wherever it is installed.

    tools/embed.py OUTPUT.c TABLE FOLDER NAME...

TABLE becomes an array of struct lab_file, in the order of the names, and TABLE_count its length.
"""
import os
import sys


def literal(data):
    lines = []
    for start in range(0, len(data), 24):
        lines.append("".join(f"{byte}," for byte in data[start:start + 24]))
    return "\n".join(lines)


def main():
    output, table, folder, *names = sys.argv[1:]
    parts = ['#include "lab/embed.h"\n']
    rows = []
    for number, name in enumerate(names):
        with open(os.path.join(folder, name), "rb") as stream:
            data = stream.read()
        parts.append(f"static const char file{number}[] = {{\n{literal(data)}\n0}};\n")
        rows.append(f'{{"{name}", file{number}, {len(data)}}},')
    parts.append(f"const struct lab_file {table}[] = {{\n" + "\n".join(rows) + "\n{0, 0, 0}};\n")
    parts.append(f"const int {table}_count = {len(names)};\n")
    with open(output, "w", encoding="utf-8") as stream:
        stream.write("".join(parts))


if __name__ == "__main__":
    main()
