"""The process that makes one map: `python -m core.embedding.map_worker SHA256 CONFIG < EMBEDDINGS.npy`.

A line "done total" on standard output for each bit of progress; the map goes to the store. It ends with the process
that started it, for then nobody reads its lines. Standard error says in one sentence why there is no map (exit code 2).
"""

import json
import os
import sys

import numpy as np

from core.embedding.compiled import keep_compiled
from core.embedding.map_store import keep_map
from core.embedding.maps import UMAP, MapConfig, make_map
from core.errors import InklingError
from core.paths import home_dir

THREADS = min(2, os.cpu_count() or 1)  # the pages shall stay quick beside it


def main() -> int:
    sha256, config = sys.argv[1], MapConfig(**json.loads(sys.argv[2]))
    embeddings = np.lib.format.read_array(sys.stdin.buffer, allow_pickle=False)
    if config.kind == UMAP:
        keep_compiled(home_dir() / "cache" / "numba")
    try:
        keep_map(sha256, make_map(embeddings, config, _tell, THREADS))
    except InklingError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _tell(done: int, total: int) -> None:
    print(done, total, flush=True)


if __name__ == "__main__":
    sys.exit(main())
