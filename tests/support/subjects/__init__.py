"""Socket calls by theme, one function a subject; SUBJECTS has them all by name (base.py)."""
from subjects import (connecting, datagrams, descriptors, listening, options, states, streams, urgent,
                      waiting)
from subjects.base import SUBJECTS

__all__ = ["SUBJECTS", "connecting", "datagrams", "descriptors", "listening", "options", "states",
           "streams", "urgent", "waiting"]
