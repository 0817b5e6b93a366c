"""Paths: the checkout, and the reference data next to it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
"""The root of the checkout."""
SHARED = ROOT.parent / "shared"
"""The folder of reference data; never part of the project."""
