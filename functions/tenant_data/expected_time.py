"""How long a move is going to take, told before it begins, and how large a tenant may be.

What a second does of each part of the work was measured on two processors that did nothing else (`make
bench-large`), and is taken as half of that. A worker of logical replication copies one table, two at a time;
ranges are compared one after the other; where a key is random and the table larger than memory, each row may
ask for a block of its own, which storage sets the pace for.
"""

from collections.abc import Sequence
from typing import Final

MIB: Final = 2**20
GIB: Final = 2**30
TIB: Final = 2**40
LARGEST: Final = TIB  # bytes of tables and indexes, of what is followed
# Bytes in a second of each part.
COPIED: Final = 25 * MIB  # first copy by a worker
COMPARED: Final = 20 * MIB
COPIED_OFFLINE: Final = 50 * MIB  # at best: rows are read, written, and read again at both ends


def of_following(size: int) -> str:
    """A sentence about the time until the cutover is possible, and of it."""
    copied, compared = size / COPIED, size / COMPARED
    return (
        f"{_much(size)} take about {_long(copied)} to copy (replicate) and {_long(compared)} to compare"
        " (cutover) while the tenant writes"
    )


def too_large(size: int) -> Sequence[str]:
    """What is said where nobody has tried: above `LARGEST`."""
    if size <= LARGEST:
        return ()
    return (
        f"its {_much(size)} are more than the {_much(LARGEST)} that a move is made for; have the tenant"
        " archive what it does not need, and run again",
    )


def too_long_offline(size: int, budget: float) -> Sequence[str]:
    """An offline copy that cannot be over within the seconds that the tenant may wait."""
    needed = size / COPIED_OFFLINE
    if needed <= budget:
        return ()
    return (
        f"its {_much(size)} take {_long(needed)} at least, while the tenant cannot write, which may take"
        f" {budget:.0f} s; give every table a primary key and move it by replication, or raise"
        " --read-only-seconds",
    )


def _much(size: int) -> str:
    return f"{size / GIB:.1f} GiB"


def _long(seconds: float) -> str:
    return f"{max(1, round(seconds / 60))} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
