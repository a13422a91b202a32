"""Socket calls by theme, one function a subject; SUBJECTS has them all by name (base.py)."""
import importlib
import pkgutil

from subjects.base import SUBJECTS

__all__ = ["SUBJECTS"]

for _, name, _ in sorted(pkgutil.iter_modules(__path__), key=lambda found: found.name):
    importlib.import_module("subjects." + name)
