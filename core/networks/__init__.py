"""Specs and builders, weights with passports, the store of trained networks."""

from core.networks.exchange import export_onnx_file, export_zip, export_zip_file, import_zip
from core.networks.keeping import delete_network, list_deleted, rename_network, undo_delete
from core.networks.passport import Passport
from core.networks.spec import ARCHITECTURES, NetworkSpec
from core.networks.store import (
    TrainedNetwork,
    check_savable,
    free_name,
    is_taken,
    list_networks,
    list_readers,
    open_network,
    save_network,
    survey_networks,
)

__all__ = [
    "ARCHITECTURES",
    "NetworkSpec",
    "Passport",
    "TrainedNetwork",
    "check_savable",
    "delete_network",
    "export_onnx_file",
    "export_zip",
    "export_zip_file",
    "free_name",
    "import_zip",
    "is_taken",
    "list_deleted",
    "list_networks",
    "list_readers",
    "open_network",
    "rename_network",
    "save_network",
    "survey_networks",
    "undo_delete",
]
