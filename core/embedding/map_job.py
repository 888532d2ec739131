"""Maps in the background: each in a process of its own, so that the pages stay quick and it can be stopped at any time.

The libraries hold Python's lock for seconds at a time while they search neighbours; in a thread of the server every
page would stand still meanwhile.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from typing import IO

import numpy as np

from core.embedding.map_store import open_map
from core.embedding.maps import Map, MapConfig
from core.embedding.space import Space
from core.paths import PROJECT, data_dir, home_dir

log = logging.getLogger(__name__)
_guard = threading.Lock()
_turn = threading.Semaphore(1)  # one map at a time: two would share the same few cores
_jobs: dict[tuple[object, ...], "MapJob"] = {}
MOST_JOBS = 8  # remembered after their end


@dataclass(eq=False)
class MapJob:
    """Makes one map; whoever watches only reads."""

    space: Space
    config: MapConfig
    done: int = 0  # iterations of the library; before them it looks for neighbours
    total: int = 0
    state: str = "waiting"  # "running", then "finished", "stopped" or "failed"
    message: str = ""  # why it failed, as a sentence
    made: Map | None = None

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._started = self._first = time.perf_counter()
        self._thread = threading.Thread(target=self._work, name="map", daemon=True)

    @property
    def running(self) -> bool:
        return self.state in ("waiting", "running")

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.perf_counter() - self._started

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the iterations so far; None before there are some."""
        if not self.total or self.done < self.total / 20:
            return None
        return (time.perf_counter() - self._first) / self.done * (self.total - self.done)

    def stop(self) -> None:
        """Ends it at once; nothing is kept."""
        self._stop.set()
        with _guard:
            if self._process is not None:
                self._process.kill()

    def join(self, timeout: float | None = None) -> None:
        self._thread.join(timeout)

    def _work(self) -> None:
        try:
            while not _turn.acquire(timeout=0.2):
                if self._stop.is_set():
                    self.state = "stopped"
                    return
            try:
                self._make()
            finally:
                _turn.release()
        except Exception as error:  # whatever happens, the page says it
            log.exception("A map could not be made.")
            self.state, self.message = "failed", f"The map could not be made ({type(error).__name__}: {error})."

    def _make(self) -> None:
        self._started = time.perf_counter()
        with tempfile.TemporaryFile() as rows, tempfile.TemporaryFile() as errors:
            np.lib.format.write_array(rows, np.ascontiguousarray(self.space.embeddings), allow_pickle=False)
            rows.seek(0)
            with _guard:
                if self._stop.is_set():
                    self.state = "stopped"
                    return
                self.state = "running"
                process = self._process = _start(self.space.sha256, self.config, rows, errors)
            assert process.stdout is not None
            with process.stdout as lines:
                for line in lines:
                    self._hear(line)
            code = process.wait()
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace").strip()
        self._end(code, said)

    def _hear(self, line: bytes) -> None:
        numbers = line.split()
        if len(numbers) != 2 or not all(number.isdigit() for number in numbers):
            return
        if not self.total:
            self._first = time.perf_counter()
        self.done, self.total = int(numbers[0]), int(numbers[1])

    def _end(self, code: int, said: str) -> None:
        if code == 0:
            self.made = open_map(self.space.sha256, self.config, len(self.space))
        if self.made is not None:
            self.state = "finished"
        elif self._stop.is_set():
            self.state = "stopped"
        else:
            log.error("The process of a map ended with %s: %s", code, said)
            self.state, self.message = "failed", f"There is no map: {_reason(code, said)}"


def _reason(code: int, said: str) -> str:
    """Why the process made no map, from how it ended and what it said last."""
    last = said.splitlines()[-1] if said else ""
    if code == 2 and last:
        return last  # a sentence of ours
    if code < 0:
        return "its process was ended from outside, perhaps for want of memory; make it again, or of fewer samples."
    return f"its process broke off ({last or f'it ended with {code}'}); make it again, or with other settings."


def _start(sha256: str, config: MapConfig, rows: IO[bytes], errors: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "core.embedding.map_worker", sha256, json.dumps(asdict(config))],
        cwd=PROJECT,
        env=os.environ | {"INKLING_DATA": str(data_dir().absolute()), "INKLING_HOME": str(home_dir().absolute())},
        stdin=rows,
        stdout=subprocess.PIPE,
        stderr=errors,
        start_new_session=True,  # Ctrl-C is for the server
    )


def start(space: Space, config: MapConfig) -> MapJob:
    """Begins to make the map; where that goes on already, that job."""
    key = _key(space, config)
    with _guard:
        job = _jobs.get(key)
        if job is None or not job.running:
            for old in [k for k, other in _jobs.items() if not other.running][: max(0, len(_jobs) + 1 - MOST_JOBS)]:
                del _jobs[old]
            job = _jobs[key] = MapJob(space, config)
            job._thread.start()
        return job


def latest(space: Space, config: MapConfig) -> MapJob | None:
    """The job for this map that goes on, or the last one of this server."""
    return _jobs.get(_key(space, config))


def _key(space: Space, config: MapConfig) -> tuple[object, ...]:
    return (space.sha256, *config.decisive)
