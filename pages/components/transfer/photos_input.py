"""Where the pictures of section Photos come from: an example, the letters set, an uploaded ZIP, a folder."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from core.data.uploads import MAX_ARCHIVE_BYTES, unpack_images
from core.errors import InklingError
from core.reading import written
from core.transfer.photo_set import Photo, PhotoSet, check_photos, example_photos, folder_photos, letters_photos
from pages.components.transfer.desk import Desk
from pages.components.transfer.photos_cards import photo_cards

EXAMPLE, LETTERS, UPLOAD, FOLDER = "example", "letters", "upload", "folder"
SOURCES = {
    EXAMPLE: ":material/photo: Example",
    LETTERS: ":material/edit: The letters set",
    UPLOAD: ":material/upload: A ZIP",
    FOLDER: ":material/folder_open: A folder",
}
UPLOADED, DONE = "photos_uploaded", "photos_upload_done"
SHOWN = 4  # pictures of each class shown beforehand,
MOST_SHOWN = 12  # and in all


@dataclass(frozen=True)
class Chosen:
    photo_set: PhotoSet
    key: str  # the same for the same choice


def choose_photos(desk: Desk) -> Chosen | None:
    """Shows the choice and what is in it; None, said on the page, while there is nothing to teach."""
    source = st.segmented_control(
        "From", list(SOURCES), default=EXAMPLE, required=True, wrap=True, format_func=SOURCES.get,
        key="photos_source", persist_state="session",
    )  # fmt: skip
    try:
        chosen = READ[source](desk)
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
        return None
    if chosen is not None:
        _look(chosen.photo_set)
    return chosen


def _example(desk: Desk) -> Chosen:
    st.caption(
        "Two photographs cut into 60 tiles each: which photograph is a tile from? Tiles of one photograph are alike, "
        "so this is easier than telling animals apart."
    )
    return Chosen(example_photos(), EXAMPLE)


def _letters(desk: Desk) -> Chosen:
    st.caption(f"The pictures of **{desk.letters.name}** as they came, in colour.")
    return Chosen(letters_photos(desk.letters), f"{LETTERS}:{','.join(letter.id for letter in desk.letters.letters)}")


def _upload(desk: Desk) -> Chosen | None:
    file = st.file_uploader(
        "A ZIP with a folder of pictures for each class", type=["zip"], key="photos_upload",
        max_upload_size=MAX_ARCHIVE_BYTES // 1_000_000,
        help="Or with train and test in it, each with the class folders: then test measures.",
    )  # fmt: skip
    if file is not None and st.session_state.get(DONE) != file.file_id:
        st.session_state.pop(UPLOADED, None)
        with st.spinner(f"Checking {file.name} …"):
            st.session_state[UPLOADED] = str(unpack_images(file.getvalue(), file.name, check_photos))
        st.session_state[DONE] = file.file_id
    place = st.session_state.get(UPLOADED)
    return None if place is None else _of_folder(Path(place))


def _folder(desk: Desk) -> Chosen | None:
    typed = st.text_input(
        "Path of the folder on the machine that runs Inkling", key="photos_folder", persist_state="session",
        placeholder="/home/me/animals",
        help="It holds a folder of pictures for each class; or train and test, each with the class folders.",
    ).strip()  # fmt: skip
    return _of_folder(Path(typed).expanduser()) if typed else None


def _of_folder(folder: Path) -> Chosen:
    return Chosen(folder_photos(folder), f"{FOLDER}:{folder}")


READ: dict[str, Callable[[Desk], Chosen | None]] = {
    EXAMPLE: _example,
    LETTERS: _letters,
    UPLOAD: _upload,
    FOLDER: _folder,
}


def _look(photo_set: PhotoSet) -> None:
    """How many there are of each class, and some of them."""
    counts = Counter(photo.label for photo in photo_set.photos)
    tested = f", {len(photo_set.tested):,} more test it" if photo_set.tested else ""
    st.markdown(f"**{len(photo_set.photos):,} pictures** of {len(counts):,} classes{tested}.")
    for note in photo_set.notes:
        st.caption(note)
    each = max(1, min(SHOWN, MOST_SHOWN // len(counts)))
    some = [photo for label in counts for photo in _spread([p for p in photo_set.photos if p.label == label], each)]
    st.html(photo_cards([(photo, "<b>{}</b>", (written(photo.label),), False) for photo in some[:MOST_SHOWN]]))
    if len(counts) > 3:
        with st.expander("How many of each class", icon=":material/table:"):
            st.dataframe(
                pd.DataFrame({"class": map(written, counts), "pictures": counts.values()}),
                hide_index=True, width="stretch", key="photos_counts",
            )  # fmt: skip


def _spread(photos: list[Photo], count: int) -> list[Photo]:
    """So many, evenly from the first to the last."""
    return photos if len(photos) <= count else [photos[i * len(photos) // count] for i in range(count)]
