"""The network picker: what it offers is what can read."""

from core.networks import list_networks
from pages.components.keys import NETWORK_PICKER


def test_networks_for_tables_are_not_offered_to_read_pictures(open_app, inkling_home, table_network):
    run = inkling_home / "networks" / "going"
    run.mkdir()
    (run / "run.json").write_text("{}")
    assert "rows" in [p.name for p in list_networks()]
    offered = [option.split(" · ")[0] for option in open_app().selectbox(key=NETWORK_PICKER).options]
    assert offered == ["digits", "greek", "report"]
