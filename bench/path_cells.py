"""The cells of bench/path.py: which links, for how long, and what runs over them."""
from dataclasses import dataclass, field

RTTS = (1, 20, 100)            # ms
LOSSES = (0, 0.1, 1, 3)        # %
REORDERS = (0, 2)              # %
RATES = (10, 100)              # Mbit/s
FRAME_BITS = 1514 * 8
QUEUE_MIN = 40                 # frames; else one bandwidth-delay product

QUICK = {(1, 0, 0, 100), (20, 0, 0, 10), (20, 0, 2, 10), (20, 0, 0, 100), (20, 1, 0, 10),
         (20, 0.1, 2, 100), (20, 3, 0, 100), (100, 0, 0, 10), (100, 0, 2, 10)}
CONTROLS = ((1, 0, 0, 100), (20, 0, 0, 100), (20, 1, 0, 10), (20, 0, 2, 10), (100, 3, 0, 10))
SHARED = ((20, 10), (20, 100), (100, 10), (100, 100))   # RTT, rate


@dataclass
class Cell:
    """One link, and the senders over it: `sides` are the links that run at the same time, each a
    list of flows (stack, algorithm). The first side is the one that is judged. Stacks: weir, kernel,
    and hop, a kernel that stands where weir does (path_run.py)."""
    rtt: int
    loss: float
    reorder: float
    rate: int
    sides: list
    seconds: float
    skip: float = 0
    jobs: list = field(default_factory=list)

    @property
    def queue(self):
        return max(QUEUE_MIN, round(self.rate * 1e3 * self.rtt / FRAME_BITS))

    @property
    def net(self):
        text = f"delay {self.rtt * 500}us rate {self.rate}mbit queue {self.queue}"
        if self.loss:
            text += f" loss {self.loss}%"
        if self.reorder:
            text += f" reorder {self.reorder}%"
        return text

    @property
    def is_shared(self):
        return max(len(side) for side in self.sides) > 1

    @property
    def stage(self):
        """What senders that share a link have before it, each its own: up to a tenth of the round
        trip, a twentieth on average, a frame's time at least. Without it each sender's segments
        meet the full queue at an instant of its own between two departures, always the same, and
        that decides whose are lost (docs/path.md)."""
        us = max(round(FRAME_BITS / self.rate), self.rtt * 50)
        return f"delay {us}us jitter {us}us" if self.is_shared else ""

    @property
    def name(self):
        return (f"rtt={self.rtt} loss={self.loss:g} reorder={self.reorder:g} rate={self.rate}")

    def matches(self, text):
        return set(text.split()) <= set(self.name.split())

    @property
    def weight(self):
        """Mbit/s that it will carry, roughly: what the rate or the losses allow (Mathis, twice)."""
        most = self.rate
        if self.loss and all(cc != "bbr" for side in self.sides for _, cc in side):
            most = min(most, 2 * 1.22 * 11.6 / self.rtt / (self.loss / 100) ** 0.5)
        return most * len(self.sides)

    @property
    def limit_us(self):
        return max(5000, self.rtt * 250)


def seconds_for(rtt, loss):
    """Long enough for many round trips and, where there are losses, for many of those."""
    if rtt >= 100:
        return 40 if loss >= 1 else 20 if loss else 10
    return (12 if loss >= 1 else 8) if rtt >= 20 else 5


def against_kernel(own, other, rtt, loss, reorder, rate):
    return Cell(rtt, loss, reorder, rate, [[("weir", own)], [("kernel", other)]],
                seconds_for(rtt, loss))


def grid(own, other, quick):
    return [against_kernel(own, other, rtt, loss, reorder, rate)
            for rtt in RTTS for rate in RATES for reorder in REORDERS for loss in LOSSES
            if not quick or (rtt, loss, reorder, rate) in QUICK]


def control(quick):
    """The kernel against itself: what this comparison is worth."""
    return [Cell(*at, [[("kernel", "cubic")], [("kernel", "cubic")]], seconds_for(*at[:2]))
            for at in (CONTROLS[1:3] if quick else CONTROLS)]


def coexistence(stack, quick):
    """One link, both senders on it at once: the first seconds are left out. The first to start has
    the better part for long, so each seed is run in both orders (jobs_of)."""
    return [Cell(rtt, 0, 0, rate, [[(stack, "cubic"), ("hop", "cubic")]], 30 if rtt < 100 else 45,
                 skip=5 if rtt < 100 else 10)
            for rtt, rate in (SHARED[:1] if quick else SHARED)]


def jobs_of(cell, seeds, knobs):
    """(specs, limit of lateness, weight, seconds) for each seed; where two flows meet, for each
    seed and order of starting."""
    orders = (False, True) if cell.is_shared else (False,)
    for seed, last_first in ((s, o) for s in range(1, seeds + 1) for o in orders):
        specs = [{"net": cell.net, "seed": seed, "skip": cell.skip, "seconds": cell.seconds,
                  "last_first": last_first, "stage": cell.stage, "set": knobs,
                  "flows": [{"stack": stack, "cc": cc} for stack, cc in side]}
                 for side in cell.sides]
        yield specs, cell.limit_us, cell.weight, cell.seconds + cell.skip
