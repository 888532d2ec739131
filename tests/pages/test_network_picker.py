"""The network picker: what it offers is what can read."""

from core.networks import NetworkSpec, list_networks, save_network
from core.networks.base import build
from pages.components.keys import NETWORK_PICKER


def test_networks_for_tables_are_not_offered_to_read_pictures(open_app, inkling_home):
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
    run = inkling_home / "networks" / "going"
    run.mkdir()
    (run / "run.json").write_text("{}")
    assert "rows" in [p.name for p in list_networks()]
    offered = [option.split(" · ")[0] for option in open_app().selectbox(key=NETWORK_PICKER).options]
    assert offered == ["digits", "report"]
