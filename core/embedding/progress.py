"""How long work tells how far it is; by itself, since the process that makes maps shall start without torch."""

from collections.abc import Callable

Tell = Callable[[int, int], None]  # done, total; may raise to break the work off


def quiet(done: int, total: int) -> None:
    """For those who do not care how far it is."""
