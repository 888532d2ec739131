"""The process that carries one study out in the background: `python -m core.experiments.worker NAME --storage URL …`.

It ends with the process that started it: when standard input closes, even because that process was killed. Nothing is
lost then; another driver goes on.
"""

import argparse
import json
import os
import sys
import threading

from core.errors import InklingError

STOPPED = threading.Event()
PATIENCE_S = 10.0  # for a driver to put its things in order once its server has gone


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    for option in ("--storage", "--executor", "--scheduler"):
        parser.add_argument(option)
    parser.add_argument("--workers", type=int)
    args = parser.parse_args()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from core.experiments.driver import Driver
    from core.experiments.executors import executor
    from core.experiments.storage import Storage

    try:
        storage = Storage(args.storage)
        study, _ = storage.open(args.name)
        for done in Driver(study, storage, executor(args.executor, args.workers, args.scheduler)).run(STOPPED):
            print(json.dumps(done.to_json()), flush=True)
    except InklingError as error:
        print(error, file=sys.stderr, flush=True)
        return 2
    return 0


def _end_with_parent() -> None:
    while os.read(0, 4096):  # not sys.stdin, whose lock this thread would hold when the process ends
        pass
    STOPPED.set()
    threading.Timer(PATIENCE_S, os._exit, (3,)).start()


if __name__ == "__main__":
    sys.exit(main())
