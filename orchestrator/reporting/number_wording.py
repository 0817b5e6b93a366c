"""How numbers and counts are written, for both the terminal and the page."""

import math


def number(value: float) -> str:
    """Return a number with four significant digits, or whole from 1000 on, or a dash for NaN."""
    if not math.isfinite(value):
        return "-" if math.isnan(value) else str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def counted(count: int, what: str) -> str:
    """Return a count with its noun, in the plural unless the count is 1."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
