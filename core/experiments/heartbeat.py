"""The thread by which a driver keeps its lease: it says that it is alive, and hears whether it shall stop."""

import threading
from collections.abc import Callable
from typing import Any

from core.errors import ExperimentError
from core.experiments.ledger import Lease

BEAT_S = 1.0


class Heartbeat(threading.Thread):
    def __init__(self, lease: Lease, state: Callable[[], dict[str, Any]]) -> None:
        super().__init__(name="lease", daemon=True)
        self._lease, self._state, self._over = lease, state, threading.Event()
        self.asked_to_stop = self.lost = False

    def run(self) -> None:
        while not self._over.wait(BEAT_S) and not self.lost:
            try:
                still, stop = self._lease.beat(self._state())
            except ExperimentError:  # the storage is away; the driver will say so
                continue
            self.asked_to_stop |= stop
            self.lost |= not still

    def end(self) -> None:
        self._over.set()
        self.join(2 * BEAT_S)
