"""The report of a network: one chapter from each page that has something to tell of it."""

from collections.abc import Callable
from importlib import import_module

from core.report.document import Chapter, Document

# What a report may hold, in its order: "module:function", which takes a network's name and gives its chapter,
# or None where it has nothing to say of that network.
CHAPTERS = {
    "training": "core.report.training_chapter:training_chapter",
    "transfer": "core.report.transfer_chapter:transfer_chapter",
    "experiment": "core.report.experiment_hook:experiment_chapter",
    "examination": "core.report.examination_chapter:examination_chapter",
}


def report(name: str) -> Document:
    """Everything that is known of a trained network; `NetworkError` where there is no such network."""
    found = [chapter for address in CHAPTERS.values() if (chapter := _function(address)(name)) is not None]
    return Document(f"{name}: a report", found)


def report_html(name: str) -> bytes:
    """The same as one self-contained HTML file."""
    return report(name).to_html().encode()


def _function(address: str) -> Callable[[str], Chapter | None]:
    module, function = address.split(":")
    return getattr(import_module(module), function)
