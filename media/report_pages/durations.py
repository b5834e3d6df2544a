"""Durations as people say them."""

MINUTE, HOUR = 60, 3_600
# A number and its unit stay on one line; hours and minutes may part.
H, MIN, S, PERCENT = "\xa0h", "\xa0min", "\xa0s", "\xa0%"


def spoken(seconds: float) -> str:
    """To the second under an hour, else to the minute: "42 s", "7 min 05 s", "1 h 05 min"."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole}{S}"
    if whole < HOUR:
        minutes, rest = divmod(whole, MINUTE)
        return f"{minutes}{MIN} {rest:02}{S}" if rest else f"{minutes}{MIN}"
    hours, minutes = divmod(round(seconds / MINUTE), MINUTE)
    return f"{hours:,}{H} {minutes:02}{MIN}"


def share(part: float, whole: float) -> str:
    """In percent, without the lie that a little is nothing, or nearly all is all."""
    if not whole:
        return "–"
    value = part / whole * 100
    if 0 < value < 1:
        return f"<\xa01{PERCENT}"
    if 99 < value < 100:
        return f">\xa099{PERCENT}"
    return f"{value:.0f}{PERCENT}"
