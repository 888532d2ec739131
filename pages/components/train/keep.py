"""Keeping and giving away: what the network in use is, its name, its files for elsewhere, and networks coming in."""

import hashlib
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from core.errors import InklingError
from core.networks import (
    TrainedNetwork,
    delete_network,
    export_onnx_file,
    export_zip,
    import_zip,
    list_deleted,
    list_networks,
    open_network,
    rename_network,
    undo_delete,
)
from core.networks.exchange import MAX_ZIP_BYTES, SAMPLES, TOLERANCE
from core.networks.store import own_shelf
from core.reading.own_hand import list_own_hand
from core.report.chapters import report_html
from pages.components.caches import fingerprint
from pages.components.train.attempt import attempt, show_problem
from pages.components.train.passport import about_html
from pages.components.train.watch import USE_NEXT, WATCHED

STYLE = Path(__file__).with_suffix(".css")
PANEL = "keep"
PREPARED = "keep_prepared"  # the files that were made for the network in use: key → content and what to say of it
IMPORTED = "keep_imported"  # how many ZIPs came in: each time the uploader starts anew
SAID = "keep_said"  # what was done since the last time

Prepared = tuple[bytes, str]


def keep_panel(network: str) -> None:
    """Shows what the network is; renames, deletes, gives it away and takes others in."""
    st.html(STYLE)
    show_problem(PANEL)
    if said := st.session_state.pop(SAID, None):
        st.success(said, icon=":material/check_circle:")
    try:
        opened = open_network(network)
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
    else:
        _about(opened)
        _files(opened)
        _name_and_bin(opened)
    _import()
    _deleted()


def _about(network: TrainedNetwork) -> None:
    st.subheader(f"About {network.name}")
    st.html(about_html(network.passport))
    with st.expander("The whole passport", icon=":material/badge:", on_change="rerun") as passport:
        if passport.open:
            st.json(network.passport.to_json(), expanded=1)


def _files(network: TrainedNetwork) -> None:
    """Each file is made when it is asked for, and then offered."""
    st.subheader("Take it away")
    name = network.name
    of_now = fingerprint(network.passport)
    own_hand = json.dumps([sample.name for sample in list_own_hand()])  # the report shows these digits too
    with st.grid(3, min_column_width=250, key="keep_files"):
        _file(
            "report", "report", f"{name}-report.html", "text/html", of_now + own_hand, lambda: _report(name),
            "One page with everything that a course report asks for: samples, diagram, curves, outputs, confusions, "
            "settings. It opens in any browser, offline too.",
        )  # fmt: skip
        _file(
            "onnx", "ONNX file", f"{name}.onnx", "application/octet-stream", of_now, lambda: _onnx(name),
            "The network for other programs. It is handed out once ONNX Runtime has answered "
            f"{SAMPLES:,} samples with it as the network itself does.",
        )  # fmt: skip
        _file(
            "zip", "ZIP file", f"{name}.zip", "application/zip", of_now, lambda: _zip(name),
            "Weights, passport and history for another Inkling, or as a copy to keep.",
        )  # fmt: skip


def _file(
    kind: str, title: str, file: str, mime: str, content_key: str, make: Callable[[], Prepared], about: str
) -> None:
    kept = st.session_state.setdefault(PREPARED, {})
    key = hashlib.sha256(content_key.encode()).hexdigest()
    if kind in kept and kept[kind][0] != key:
        del kept[kind]  # of another network, or of this one as it was
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{title[0].upper()}{title[1:]}**")
        st.caption(about)
        if kind not in kept and st.button(f"Make the {title}", icon=":material/build:", key=f"keep_make_{kind}"):
            with st.spinner(f"Making the {title} …"):
                made = attempt(f"keep_{kind}", make)
            if made:
                kept[kind] = (key, made)
                st.rerun()
        show_problem(f"keep_{kind}")
        if kind in kept:
            content, said = kept[kind][1]
            st.download_button(
                f"Download {file}", content, file, mime, key=f"keep_download_{kind}", on_click="ignore",
                icon=":material/download:", type="primary",
            )  # fmt: skip
            st.markdown(f":material/check: {_size(content)}. {said}")


def _report(name: str) -> Prepared:
    return report_html(name), ""


def _zip(name: str) -> Prepared:
    return export_zip(name), ""


def _onnx(name: str) -> Prepared:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        told = export_onnx_file(name, file)
        content = file.read_bytes()
    takes, gives = (f"`{told[end]['name']}` {_shape(told[end]['shape'])}" for end in ("input", "output"))
    return content, (
        f"On {SAMPLES:,} samples its answers differ from the network's by {told['largest_difference']:.2g} at most; "
        f"{TOLERANCE:g} is allowed. It takes {takes} and gives {gives}, both as float32."
    )


def _shape(shape: list[object]) -> str:
    return " × ".join(map(str, shape))


def _size(content: bytes) -> str:
    return f"{len(content) / 1e6:.1f} MB" if len(content) >= 1e6 else f"{len(content) / 1e3:.0f} kB"


def _name_and_bin(network: TrainedNetwork) -> None:
    st.subheader("Rename or delete it")
    if not network.folder.is_relative_to(own_shelf()):
        st.markdown(f"{network.name} ships with Inkling: it cannot be renamed or deleted. Those you train can.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        new = st.text_input("Name", network.name, max_chars=64, key=f"keep_name_{network.name}", width=320)
        st.button(
            "Rename", icon=":material/edit:", key="keep_rename", on_click=_rename, args=(network.name, new.strip()),
        )  # fmt: skip
        st.button(
            "Delete", icon=":material/delete:", key="keep_delete", on_click=_delete, args=(network.name,),
            help="It goes to Inkling's bin, from where it can be brought back for 30 days.",
        )  # fmt: skip


def _rename(old: str, new: str) -> None:
    if new == old:
        st.session_state[f"{PANEL}_problem"] = f"It is called {old} already; write another name first."
        return
    try:
        rename_network(old, new)
    except InklingError as error:
        st.session_state[f"{PANEL}_problem"] = str(error)
        return
    _use(new, f"{old} is called {new} now.")
    if st.session_state.get(WATCHED) == old:
        st.session_state[WATCHED] = new


def _delete(name: str) -> None:
    if attempt(PANEL, delete_network, name):
        _use(
            next((left.name for left in list_networks()), ""),
            f"{name} is deleted; it can be brought back below for 30 days.",
        )


def _use(name: str, said: str) -> None:
    """That network is the one in use next, where there is one of that name."""
    if name in [passport.name for passport in list_networks()]:
        st.session_state[USE_NEXT] = name
    st.session_state[SAID] = said


def _import() -> None:
    st.subheader("Import a network")
    number = st.session_state.setdefault(IMPORTED, 0)
    file = st.file_uploader(
        "A ZIP file that was made above, here or in another Inkling", type=["zip"], key=f"keep_import_{number}",
        max_upload_size=MAX_ZIP_BYTES // 1_000_000,
        help="Nothing in it can run, and everything in it is checked before it is kept.",
    )  # fmt: skip
    if file is None:
        return
    try:
        with st.spinner(f"Checking {file.name} …"):
            name = import_zip(file.getvalue()).name
    except InklingError as error:
        st.error(f"{file.name}: {error}", icon=":material/error:")
        return
    st.session_state[IMPORTED] = number + 1
    _use(name, f"{file.name} is kept as {name}, and in use now.")
    st.rerun()


def _deleted() -> None:
    """What can be brought back, the latest first."""
    if not (deleted := list_deleted()):
        return
    st.subheader("Deleted")
    for gone in deleted:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Bring back", icon=":material/undo:", key=f"keep_undo_{gone.token}", on_click=_undo, args=(gone.token,)
            )
            st.markdown(f"**{gone.names[0]}**, deleted {_ago(time.time() - gone.deleted_s)}")


def _undo(token: str) -> None:
    if name := attempt(PANEL, undo_delete, token):
        _use(name, f"{name} is back.")


def _ago(seconds: float) -> str:
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if count := int(seconds // length):
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
