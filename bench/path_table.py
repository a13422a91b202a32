"""What bench/path.py prints: ratios, their spread over the seeds, and what was asked of them."""
import statistics

from path_cells import LOSSES

AT_LEAST_MEDIAN, AT_LEAST_CELL = 1.0, 0.8
SHARE = (0.40, 0.60)
REORDER_COST = 0.10


def side_rates(cell):
    """[[Mbit/s of the first flow of each side] for each seed]; None where the run stayed void."""
    return [[a["flows"][0]["mbit"] for a in job.answers] if is_good(job) else None
            for job in cell.jobs]


def is_good(job):
    return bool(job.answers) and all(job.is_sound(a) for a in job.answers)


class Figure:
    """One cell: the ratio of the means, the least and the most ratio of a seed."""

    def __init__(self, cell):
        seen = [r for r in side_rates(cell) if r]
        self.cell, self.runs = cell, len(seen)
        self.is_void = not seen
        if self.is_void:
            return
        self.own = statistics.mean(r[0] for r in seen)
        self.other = statistics.mean(r[1] for r in seen)
        ratios = [a / b if b else float("inf") for a, b in seen]
        self.ratio = self.own / self.other if self.other else float("inf")
        self.least, self.most = min(ratios), max(ratios)

    def text(self):
        if self.is_void:
            return "void"
        return (f"{self.ratio:.2f} ({self.least:.2f}-{self.most:.2f}) "
                f"{number(self.own)}/{number(self.other)}")


def number(mbit):
    return f"{mbit:.0f}" if mbit >= 10 else f"{mbit:.2g}"


def columns(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [[cell.ljust(width) for cell, width in zip(row, widths)] for row in rows]


class Report:
    def __init__(self, where, sections, notes, voids):
        self.where, self.sections, self.notes, self.voids = where, sections, notes, voids

    # ---- tables: a title, a header and rows of text ----

    def tables(self):
        for name, cells in self.sections.items():
            if name == "control":
                yield self.control(cells)
            elif name.startswith("share"):
                yield self.share(cells)
            else:
                yield self.grid(name, cells)
                costs = list(self.reorder_costs(cells))
                if costs:
                    yield (f"What 2 % reordering costs, {name.split()[-1]}",
                           ["RTT ms", "Mbit/s", "weir", "kernel", f"weir < {REORDER_COST:.0%}"],
                           costs)

    def control(self, cells):
        rows = [[c.name, Figure(c).text()] for c in cells]
        return "Control: the kernel's cubic against itself", ["link", "ratio"], rows

    def grid(self, name, cells):
        lines = sorted({(c.rtt, c.rate, c.reorder) for c in cells})
        by_place = {(c.rtt, c.rate, c.reorder, c.loss): Figure(c) for c in cells}
        rows = [[str(rtt), str(rate), f"{reorder:g}",
                 *(by_place[rtt, rate, reorder, loss].text()
                   if (rtt, rate, reorder, loss) in by_place else "" for loss in LOSSES)]
                for rtt, rate, reorder in lines]
        (own,), (other,) = cells[0].sides
        return (f"weir {own[1]} / kernel {other[1]}: ratio (least-most of a seed) Mbit/s",
                ["RTT ms", "Mbit/s", "reorder %", *(f"loss {x:g} %" for x in LOSSES)], rows)

    def reorder_costs(self, cells):
        at = {(c.rtt, c.rate, c.reorder): Figure(c) for c in cells if c.loss == 0}
        for (rtt, rate, reorder), with_it in at.items():
            without = at.get((rtt, rate, 0))
            if not reorder or not without or with_it.is_void or without.is_void:
                continue
            own, other = 1 - with_it.own / without.own, 1 - with_it.other / without.other
            yield [str(rtt), str(rate), f"{own:.1%}", f"{other:.1%}",
                   "ok" if own < REORDER_COST else "short"]

    def shares(self, cell):
        for job in cell.jobs:
            if is_good(job):
                own, other = (flow["mbit"] for flow in job.answers[0]["flows"])
                yield own / (own + other)

    def share(self, cells):
        rows = []
        for cell in cells:
            seen = list(self.shares(cell))
            mean = statistics.mean(seen) if seen else 0
            rows.append([str(cell.rtt), str(cell.rate), str(cell.queue),
                         f"{mean:.0%}" if seen else "void", " ".join(f"{x:.0%}" for x in seen),
                         "ok" if SHARE[0] <= mean <= SHARE[1] else "short"])
        first = {"weir": "weir cubic", "hop": "kernel cubic"}[cells[0].sides[0][0][0]]
        return (f"{first} beside kernel cubic on one link: the share of the first",
                ["RTT ms", "Mbit/s", "queue", "mean", "seeds", "40 to 60 %"], rows)

    # ---- what was asked ----

    def verdicts(self):
        for name, cells in self.sections.items():
            if not name.startswith("grid"):
                continue
            figures = [f for f in map(Figure, cells) if not f.is_void]
            (own,), (other,) = cells[0].sides
            if not figures or own[1] != other[1]:
                continue
            median = statistics.median(f.ratio for f in figures)
            low = sorted((f for f in figures if f.ratio < AT_LEAST_CELL), key=lambda f: f.ratio)
            yield (f"{own[1]}: median of {len(figures)} cells {median:.2f} "
                   f"({'ok' if median >= AT_LEAST_MEDIAN else 'short'}), "
                   f"{len(low)} under {AT_LEAST_CELL}"
                   + "".join(f"; {f.cell.name}: {f.ratio:.2f}" for f in low))

    def remarks(self):
        yield from self.verdicts()
        yield from self.notes
        yield f"{self.voids} runs were void (the link came late, or it failed) and made again"
        for cells in self.sections.values():
            for cell in cells:
                for job in cell.jobs:
                    if not is_good(job):
                        yield f"void in the end: {cell.name}: {job.why_void()}"

    def print(self):
        for title, header, rows in self.tables():
            print(f"\n{title}")
            for row in columns([header, *rows]):
                print(("  " + "  ".join(row)).rstrip())
        print()
        for line in self.remarks():
            print(line)

    def markdown(self):
        out = [self.where + "\n"]
        for title, header, rows in self.tables():
            out.append(f"\n### {title}\n\n| " + " | ".join(header) + " |\n"
                       + "| --- " * len(header) + "|\n"
                       + "".join("| " + " | ".join(row) + " |\n" for row in rows))
        out.append("\n" + "".join(f"- {line}\n" for line in self.remarks()))
        return "".join(out)

    def as_dict(self):
        return {"where": self.where, "remarks": list(self.remarks()), "runs": [
            {"section": name, "cell": cell.name, "specs": job.specs, "answers": job.answers,
             "tries": job.tries, "good": is_good(job)}
            for name, cells in self.sections.items() for cell in cells for job in cell.jobs]}
