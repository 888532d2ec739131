"""Dask workers of one machine, one a core: `python -m core.experiments.workers tcp://HOST:8786 [--workers N]`.

`dask worker` with the settings that trainings want (one thread each, memory kept, no profiler), started again for as
long as it takes: Dask's workers end with their scheduler, and a scheduler that is back would wait for them in vain.
"""

import argparse
import os
import signal
import subprocess
import sys
import time

from core.experiments.executors import SURROUNDINGS, cores
from core.paths import PROJECT, data_dir, home_dir

PAUSE_S = 3.0
SETTINGS = {"DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"}  # it looks at a training a hundred times a second


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m core.experiments.workers", description="Work for a scheduler.")
    parser.add_argument("scheduler", help="its address, as tcp://HOST:8786")
    parser.add_argument("--workers", type=int, default=cores(), metavar="N", help="how many (default: one a core)")
    args = parser.parse_args()
    folders = {"INKLING_DATA": str(data_dir().absolute()), "INKLING_HOME": str(home_dir().absolute())}
    environment = os.environ | SURROUNDINGS | SETTINGS | folders
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        while True:
            _serve(command(args.scheduler, args.workers), environment)
            print(f"{args.scheduler} has gone; trying again every {PAUSE_S:.0f} s.", file=sys.stderr, flush=True)
            time.sleep(PAUSE_S)
    except KeyboardInterrupt:
        return 130


def _serve(command: list[str], environment: dict[str, str]) -> None:
    """Until the workers end; they end with this process."""
    worker = subprocess.Popen(command, cwd=PROJECT, env=environment)
    try:
        worker.wait()
    finally:
        worker.terminate()
        worker.wait()


def command(scheduler: str, workers: int) -> list[str]:
    own = ["--nthreads", "1", "--nworkers", str(workers), "--memory-limit", "0", "--no-dashboard"]
    return [sys.executable, "-m", "distributed.cli.dask_worker", scheduler, *own, "--death-timeout", "30"]


if __name__ == "__main__":
    sys.exit(main())
