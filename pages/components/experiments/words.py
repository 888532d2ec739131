"""Strategies and times in words."""

STRATEGY_TITLES = {
    "grid": "grid: every combination",
    "one-at-a-time": "one at a time: a dimension after another",
    "random": "random: drawn at random",
    "tpe": "TPE: drawn where it went well",
}


def duration(seconds: float) -> str:
    """ "45 s", "3 min", "2.5 h" or "4 days"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.0f} days"
