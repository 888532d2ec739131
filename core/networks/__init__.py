"""Specs and builders, weights with passports, the store of trained networks."""

from core.networks.passport import Passport
from core.networks.spec import ARCHITECTURES, NetworkSpec
from core.networks.store import (
    TrainedNetwork,
    check_savable,
    list_networks,
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
    "list_networks",
    "open_network",
    "save_network",
    "survey_networks",
]
