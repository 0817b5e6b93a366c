"""Where things are: the checkout, and the reference data beside it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
"""The top of the checkout."""
SHARED = ROOT.parent / "shared"
"""The folder of reference data; never part of the project."""
