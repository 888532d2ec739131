"""The recognizer reads glyphs, and says of which networks it cannot be made."""

import pytest

from core.errors import NetworkError
from core.networks import NetworkSpec, save_network
from core.networks.base import build
from core.reading import open_recognizer


def test_a_network_for_tables_reads_nothing():
    fields = {
        "name": "rows",
        "classes": ("healthy", "ill"),
        "data": {"name": "heart"},
        "seed": 1,
        "training": {},
        "metrics": {},
        "temperature": 1.0,
        "refusal_threshold": 0.0,
        "preprocessing": {"columns": [f"column {i}" for i in range(11)]},
    }
    save_network(build(NetworkSpec("heart-11-10-1")), fields)
    with pytest.raises(NetworkError, match="'rows' takes the rows of a table and cannot read pictures; choose one"):
        open_recognizer("rows")
