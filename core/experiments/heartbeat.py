"""The thread by which a driver keeps its lease: it says that it is alive, and hears whether it shall stop."""

import threading
import time
from collections.abc import Callable
from typing import Any

from core.errors import ExperimentError
from core.experiments.ledger import STALE_S, Lease

BEAT_S = 1.0
FRESH_S = STALE_S / 2  # after a silence of this length the lease is asked before anything is written


class LeaseLost(Exception):
    """Another driver has the study now."""


class Heartbeat(threading.Thread):
    def __init__(self, lease: Lease, state: Callable[[], dict[str, Any]]) -> None:
        super().__init__(name="lease", daemon=True)
        self._lease, self._state, self._over = lease, state, threading.Event()
        self._heard = now()
        self.asked_to_stop = self.lost = False

    def run(self) -> None:
        while not self._over.wait(BEAT_S):
            try:
                self._beat()
            except ExperimentError:  # the storage is away; the driver will say so
                continue

    def hold(self) -> None:
        """Raises `LeaseLost` once another driver may be at work: this process was frozen, or cut off, for too long."""
        if now() - self._heard > FRESH_S:
            self._beat()
        if self.lost:
            raise LeaseLost

    def end(self) -> None:
        self._over.set()
        self.join(2 * BEAT_S)

    def _beat(self) -> None:
        began = now()
        still, stop = self._lease.beat(self._state())
        self.asked_to_stop |= stop
        self.lost |= not still
        self._heard = began


def now() -> float:
    """Seconds that also pass while the machine sleeps, where the system has such a clock."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)
