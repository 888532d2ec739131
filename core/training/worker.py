"""The process that trains one run in the background: `python -m core.training.worker NAME`.

It waits until no other background training runs and none was asked for earlier, so that trainings queue on the machine
whichever page or server started them. It ends with the process that started it: when standard input closes, even
because that process was killed, the training breaks off and can go on later from its last whole epoch.
"""

import os
import sys
import threading
import time

from filelock import FileLock, Timeout

from core.errors import InklingError
from core.paths import home_dir
from core.training.runs import Run, StopFile, list_runs, open_run
from core.training.threads import wait_patiently

POLL_S = 0.3
ABANDONED = 3  # exit code


def main() -> int:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    run = open_run(sys.argv[1])
    stop, turn = StopFile(run.stop_file), FileLock(home_dir() / "training.lock")
    try:
        with run.lock:  # seen to wait
            if _wait_for_turn(run, stop, turn):
                wait_patiently()
                from core.training.execute import execute  # imports torch: not while waiting

                for _ in execute(run, stop):
                    pass
    except InklingError as error:
        print(error, file=sys.stderr)  # and in the run's history
        return 2
    finally:
        run.stop_file.unlink(missing_ok=True)
    return 0


def _end_with_parent() -> None:
    while os.read(0, 4096):  # not sys.stdin, whose lock this thread would hold when the process ends
        pass
    os._exit(ABANDONED)


def _wait_for_turn(run: Run, stop: StopFile, turn: FileLock) -> bool:
    """Whether the turn came; False when the run was stopped first."""
    while not stop.is_set():
        try:
            if not any(other.waits_before(run) for other in list_runs()):
                turn.acquire(blocking=False)  # let go when the process ends
                return True
        except Timeout:
            pass  # another one trains
        time.sleep(POLL_S)
    history = run.history
    history.state, history.message = "stopped", "Stopped before it began."
    run.write_history(history)
    return False


if __name__ == "__main__":
    sys.exit(main())
