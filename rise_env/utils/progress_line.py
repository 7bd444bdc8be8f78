"""The text of a progress line, which fits into the width of a terminal. Pure functions."""

_BAR = 24
"""The widest bar."""
_SHORTEST_BAR = 6
_SHORTEST_TITLE = 8


def progress_line(
    *, title: str, share: float | None, count: str, speed: str, left: str, status: str, width: int
) -> str:
    """Return one line with everything that fits.

    The share, the count, the speed and the time left are always there. Then come, as far as there is room,
    at least a part of the title, the status, a bar, and the whole title.

    Args:
        title: What is being done.
        share: The fraction that is done; None if it is unknown.
        count: For example "12/300".
        speed: For example "1,234 tokens/s"; may be empty.
        left: The time left; may be empty.
        status: Further text; may be empty.
        width: The number of characters of the line.
    """
    counted = count if share is None else f"{share:.0%} {count}"
    always = [part for part in (counted, speed, left) if part]
    room = width - len("  ".join(always)) - 2
    kept = min(len(title), _SHORTEST_TITLE)
    shown_status = status if status and len(status) + 2 <= room - kept else ""
    room -= len(shown_status) + 2 if shown_status else 0
    bar = ""
    if share is not None and room - len(title) - 1 >= _SHORTEST_BAR:
        size = min(_BAR, room - len(title) - 1)
        done = round(size * min(1.0, max(0.0, share)))
        bar = "━" * done + "─" * (size - done)
        room -= size + 1
    parts = [_cut(title, room), *([bar] if bar else []), *always[:1]]
    return "  ".join([" ".join(parts), *([shown_status] if shown_status else []), *always[1:]])[:width]


def plain_line(*, title: str, share: float | None, count: str, speed: str, left: str, status: str) -> str:
    """Return the line for a log file: the share done, the count, the speed, and the time left."""
    done = "" if share is None else f"{100 * share:.0f} % done, "
    parts = [f"{done}{count}", speed, status, f"{left} left" if left else ""]
    return f"{title}: {', '.join(part for part in parts if part)}"


def duration(seconds: float | None) -> str:
    """Return a time as hours, minutes and seconds, "0:04:05"; empty if it is unknown."""
    if seconds is None:
        return ""
    whole = max(0, round(seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(0, room - 1)] + "…"
