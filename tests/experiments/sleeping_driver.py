"""A driver of sleeping trials as a process: `python -m tests.experiments.sleeping_driver STORAGE COUNT SECONDS`."""

import json
import sys

from core.bench import sleeping
from core.experiments import executors
from core.experiments.driver import Driver
from core.experiments.storage import Storage


def study(count: int, seconds: float, name: str = "asleep", **more) -> sleeping.SleepingStudy:
    """A grid of `count` configurations, an even number."""
    rates = tuple(round(0.001 * number, 3) for number in range(1, count // 2 + 1))
    dimensions = {"learning_rate": rates, "batch_size": (32, 64)}
    return sleeping.SleepingStudy(
        "Who wakes up?", dimensions, name, settings={"momentum": seconds / sleeping.TENS}, **more
    )


def expected(asked: sleeping.SleepingStudy) -> dict[str, float]:
    """What an undisturbed run finds: each configuration, and its accuracy."""
    return {
        json.dumps(configuration): sleeping.accuracy_of(json.loads(asked.setup(configuration).text())["settings"], 0)
        for configuration in asked.grid()
    }


if __name__ == "__main__":
    sleeping.without_data()
    executors.PRELOAD[:] = ["core.bench.sleeping"]
    url, count, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    for done in Driver(study(count, seconds), Storage(url), executors.Processes(2)).run():
        print(json.dumps(done.to_json()), flush=True)
