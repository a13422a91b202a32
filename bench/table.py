"""One row of the table: a figure of weir's, its peer's, and what was asked for; and on what machine."""
import os
import platform
from dataclasses import dataclass


class Skip(Exception):
    """This cannot be measured here; the text says why and what would help."""


@dataclass
class Row:
    name: str
    weir: float
    peer: str
    other: float
    unit: str
    at_least: float = None
    at_most: float = None

    @property
    def ratio(self):
        return self.weir / self.other if self.other else float("inf")

    @property
    def is_ok(self):
        if self.target == "":
            return True
        if self.at_least is not None:
            return round(self.ratio, 2) >= self.at_least
        return round(self.ratio, 2) <= self.at_most

    @property
    def target(self):
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return f"<= {self.at_most:g}" if self.at_most is not None else ""

    def as_dict(self):
        return {"name": self.name, "weir": self.weir, "peer": self.peer, "peer_value": self.other,
                "unit": self.unit, "ratio": self.ratio, "target": self.target, "ok": self.is_ok}


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def print_table(rows):
    if not rows:
        return
    lines = [("", "weir", "peer", "", "ratio", "target", "")]
    lines += [(r.name, f"{number(r.weir)} {r.unit}", r.peer, f"{number(r.other)}",
               f"{r.ratio:.2f}", r.target, ("ok" if r.is_ok else "short") if r.target else "") for r in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        cells = [cell.ljust(w) if i in (0, 2, 6) else cell.rjust(w)
                 for i, (cell, w) in enumerate(zip(line, widths))]
        print(("  " + "  ".join(cells)).rstrip())


def machine():
    model = platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            model = next(line.split(":")[1].strip() for line in f if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"
