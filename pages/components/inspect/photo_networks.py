"""Which of torchvision's networks is examined, and with which weights."""

import hashlib
import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import NetworkError
from core.inspection.subject import Subject
from core.networks import pretrained
from core.networks.pretrained import FIRST, PHOTO_NETWORKS, fetched_file, published

if TYPE_CHECKING:
    from torchvision.models import WeightsEnum

    from core.networks.fetch import Fetch

RANDOM, PUBLISHED, LOCAL = "random", "published", "local"
ORIGINS = {
    RANDOM: ":material/casino: Untrained",
    PUBLISHED: ":material/cloud_download: torchvision’s",
    LOCAL: ":material/folder_open: A local file",
}
STANDARDISED, CAFFE = "torchvision’s mean and spread", "0 to 255 minus a mean colour (Caffe)"
EVERY_S = 0.5


@dataclass(frozen=True)
class _LocalFile:
    """A safetensors file, and how its network's inputs were made."""

    path: Path
    sha256: str
    order: str  # "RGB" or "BGR"
    standardised: bool

    @property
    def key(self) -> str:
        return f"{self.sha256}:{self.order}:{self.standardised}"


def photo_subject() -> tuple[Subject, str] | None:
    """The chosen network and its cache key; None, said on the page, while its weights are not here.

    Raises `InklingError` where they do not fit.
    """
    name = st.selectbox(
        "Network for photos", PHOTO_NETWORKS, key="inspect_photo_network", persist_state="session",
        format_func=lambda n: n if n in FIRST else f"{n} · more of torchvision’s",
        help="torchvision’s classification networks; the first eleven stand for one family each.",
    )  # fmt: skip
    origin = st.segmented_control(
        "Weights", list(ORIGINS), default=RANDOM, required=True, wrap=True, format_func=ORIGINS.get,
        key="inspect_photo_weights", persist_state="session",
    )  # fmt: skip
    if origin == PUBLISHED:
        return _published(name)
    if origin == LOCAL:
        return _local(name)
    st.caption("Random weights: **this network has learned nothing**, and its answers mean nothing.")
    return _subject(f"{name}:untrained", lambda: _untrained_subject(name)), f"{name}:untrained"


def _untrained_subject(name: str) -> Subject:
    from core.inspection import photo_networks

    weights = next(iter(published(name).values()))
    module = pretrained.untrained(name)
    return photo_networks.photo_subject(name, module, weights, moment=photo_networks.UNTRAINED)


@st.cache_resource(max_entries=3, show_spinner="Building the network …")
def _subject(key: str, _build: Callable[[], Subject]) -> Subject:
    return _build()


def _published(name: str) -> tuple[Subject, str] | None:
    versions = published(name)
    version = next(iter(versions))
    if len(versions) > 1:
        version = st.selectbox(
            "Version",
            list(versions),
            key=f"inspect_photo_version_{name}",
            help="How they were trained; the best first.",
        )
    weights = versions[version]
    st.caption(_about(weights))
    file = fetched_file(weights)
    if not file.is_file():
        _fetch_panel(weights)
        return None
    key = f"{name}:{_hash(file, file.stat().st_mtime_ns, file.stat().st_size)}"
    return _subject(key, lambda: _published_subject(name, weights)), key


def _published_subject(name: str, weights: "WeightsEnum") -> Subject:
    from core.inspection import photo_networks

    return photo_networks.photo_subject(name, pretrained.pretrained(weights), weights)


def _about(weights: "WeightsEnum") -> str:
    figures = weights.meta["_metrics"].get("ImageNet-1K", {})
    return (
        f"{weights.meta['num_params'] / 1e6:,.1f} million parameters. torchvision states "
        f"{figures['acc@1']:.1f} % right on ImageNet’s 1,000 classes, {figures['acc@5']:.1f} % among its best five."
    )


def _fetch_panel(weights: "WeightsEnum") -> None:
    """Offers to fetch the weights, and shows how far that is; it looks again and again only while they come."""
    running = _fetches().get(weights.url)
    busy = running is not None and running.is_running
    st.fragment(_fetch_parts, run_every=EVERY_S if busy else None)(weights, busy)


def _fetch_parts(weights: "WeightsEnum", seen_busy: bool) -> None:
    from core.networks.fetch import Fetch, size_mb

    fetches, url = _fetches(), weights.url
    running = fetches.get(url)
    busy = running is not None and running.is_running
    if busy != seen_busy or fetched_file(weights).is_file():
        st.rerun()  # the whole page: with the network, or with another timer
    if running and busy:
        st.progress(*_how_far(running, size_mb(weights)))
        st.button("Stop", icon=":material/stop_circle:", key="inspect_fetch_stop", on_click=running.stop)
        return
    if running and running.error:
        st.error(str(running.error), icon=":material/error:")
    st.markdown(f"Not on this computer yet: **{size_mb(weights):,.0f} MB** from download.pytorch.org, fetched once.")

    def start() -> None:
        fetches[url] = Fetch(weights).start()

    st.button(
        "Fetch them", icon=":material/cloud_download:", type="primary", key="inspect_fetch", on_click=start,
        help="Checked by the SHA-256 in the file’s name and kept as safetensors in Inkling’s own folder.",
    )  # fmt: skip


def _how_far(running: "Fetch", size: float) -> tuple[float, str]:
    done, total = running.done_bytes / 1e6, (running.total_bytes / 1e6 or size)
    if running.converting:
        return 1.0, "Checking and converting …"
    return min(1.0, done / total), f"{done:,.1f} of {total:,.1f} MB"


@st.cache_resource(show_spinner=False)
def _fetches() -> dict[str, "Fetch"]:
    """Address → its download: all sessions share one."""
    return {}


def _local(name: str) -> tuple[Subject, str] | None:
    path = _chosen_file()
    order = st.segmented_control(
        "Colour order of the file", ("RGB", "BGR"), default="RGB", required=True, key="inspect_photo_order",
        persist_state="session",
        help="BGR: what was trained with Caffe or OpenCV. Its first filters are turned, so that all here is RGB.",
    )  # fmt: skip
    scaling = st.radio(
        "Input scaling", (STANDARDISED, CAFFE), key="inspect_photo_scaling", persist_state="session",
        help="How the pictures were scaled when it was trained. Caffe’s mean colour is (123, 117, 104) in RGB.",
    )  # fmt: skip
    if path is None:
        st.info("Choose a safetensors file with torchvision’s key names.", icon=":material/upload_file:")
        return None
    local = _LocalFile(path, _hash(path, path.stat().st_mtime_ns, path.stat().st_size), order, scaling == STANDARDISED)
    key = f"{name}:{local.key}"
    subject = _subject(key, lambda: _local_subject(name, local))
    if not subject.classes:
        st.caption("The file has the features alone, without a classifier.")
    return subject, key


def _local_subject(name: str, local: _LocalFile) -> Subject:
    from core.inspection import photo_networks

    module, classifies = pretrained.from_file(name, local.path, local.order, local.standardised)
    return photo_networks.photo_subject(
        name,
        module,
        next(iter(published(name).values())),
        classifies=classifies,
        scaling=None if local.standardised else photo_networks.CAFFE,
    )


def _chosen_file() -> Path | None:
    """The uploaded file or the one at the typed path; raises `NetworkError` where there is none."""
    upload = st.file_uploader("Weights (safetensors, up to 25 MB)", type="safetensors", key="inspect_photo_file")
    typed = st.text_input(
        "Or the path of a file on this computer", key="inspect_photo_path", persist_state="session",
        placeholder="/home/me/resnet152.safetensors",
        help="For larger files: the path on the machine that runs Inkling.",
    )  # fmt: skip
    if upload is not None:
        return _kept(upload.file_id, upload.getvalue())
    if not typed.strip():
        return None
    path = Path(typed.strip()).expanduser()
    if path.suffix != ".safetensors" or not path.is_file():
        raise NetworkError(f"A file that ends in .safetensors was expected; there is none at {typed.strip()}.")
    return path


@st.cache_resource(max_entries=4, show_spinner=False, on_release=lambda path: path.unlink(missing_ok=True))
def _kept(file_id: str, _content: bytes) -> Path:
    """An upload as a file, until others have come in its place."""
    path = Path(_uploads().name) / f"{uuid.uuid4().hex}.safetensors"
    path.write_bytes(_content)
    return path


@st.cache_resource(show_spinner=False)
def _uploads() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="inkling-weights-")


@st.cache_data(max_entries=32, show_spinner="Reading the file …")
def _hash(path: Path, modified_ns: int, size: int) -> str:
    """SHA-256; the arguments say when it must be read anew."""
    try:
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise NetworkError(f"{path} cannot be read ({error.strerror}).") from error
