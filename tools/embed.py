#!/usr/bin/env python3
"""Writes text files into a C source, so that the command finds them wherever it is installed.

    tools/embed.py OUTPUT.c HEADER STRUCT TABLE FILE...

TABLE becomes an array of struct STRUCT (name, text, size; HEADER has it), in the order of the files, and
TABLE_count its length. A file's name is what stands behind the last slash.
"""
import os
import sys


def literal(data):
    lines = []
    for start in range(0, len(data), 24):
        lines.append("".join(f"{byte}," for byte in data[start:start + 24]))
    return "\n".join(lines)


def main():
    output, header, struct, table, *paths = sys.argv[1:]
    parts = [f'#include "{header}"\n']
    rows = []
    for number, path in enumerate(paths):
        with open(path, "rb") as stream:
            data = stream.read()
        parts.append(f"static const unsigned char file{number}[] = {{\n{literal(data)}\n0}};\n")
        rows.append(f'{{"{os.path.basename(path)}", (const char *)file{number}, {len(data)}}},')
    parts.append(f"const struct {struct} {table}[] = {{\n" + "\n".join(rows) + "\n{0, 0, 0}};\n")
    parts.append(f"const int {table}_count = {len(paths)};\n")
    with open(output, "w", encoding="utf-8") as stream:
        stream.write("".join(parts))


if __name__ == "__main__":
    main()
