"""What a file says of itself, folded below the verdict: read when it is opened, and escaped, for strangers wrote it."""

from collections.abc import Callable, Iterable

import pandas as pd
import streamlit as st

from core.errors import UserError
from core.provenance import Findings, error_levels, examine, spectrum
from core.provenance.types import CredentialState
from core.store import StoredMedia
from core.words import words
from pages.components import layout, pictures, resources
from pages.components.text import escape

TITLE = "What the file says of itself"
BADGES: dict[CredentialState, tuple[str, str, str]] = {
    "none": ("None", ":material/remove:", "gray"),
    "valid": ("Signature fits, signer not checked", ":material/verified_user:", "blue"),
    "trusted": ("Signature fits, signer trusted", ":material/verified_user:", "green"),
    "invalid": ("Does not validate", ":material/gpp_bad:", "red"),
    "remote": ("Kept elsewhere, not asked", ":material/cloud_off:", "gray"),
    "unreadable": ("Cannot be read", ":material/help:", "gray"),
}
SPECTRUM = (
    "Spectrum of frequencies. Bright spots or a grid off the centre can come from a generator, and from scaling, "
    "printing or compression as well."
)
ERROR_LEVELS = (
    "Error levels: what changes when the picture is saved as JPEG once more. Edges and fine structure are bright in "
    "every picture; only a patch unlike everything of its kind is worth a look."
)


@st.cache_data(max_entries=64, show_spinner=False)
def _findings(digest: str, _path: str) -> Findings:
    return examine(_path)


@st.cache_data(max_entries=8, show_spinner=False)
def _views(digest: str, _picture: Callable[[], pictures.Rgb]) -> tuple[pictures.Rgb, pictures.Rgb]:
    rgb = _picture()
    return spectrum(rgb), error_levels(rgb)


@st.fragment
def panel(item: StoredMedia, picture: Callable[[], pictures.Rgb]) -> None:
    """The folded panel; `picture` gives the pixels for the specialists' views."""
    box = st.expander(TITLE, icon=":material/fingerprint:", key=f"file_says_{item.digest}", on_change="rerun")
    if not box.open:
        return
    with box:
        try:
            with st.spinner("Reading the file…"):
                findings = _findings(item.digest, str(item.path))
        except UserError as error:
            resources.show_error(error)
            return
        st.caption(
            "Apart from the verdict above. All of this can be forged or removed. It is read from the file alone: "
            "no address that stands in it is asked."
        )
        _credentials(findings)
        _metadata(findings)
        _for_specialists(item, picture)


def _credentials(findings: Findings) -> None:
    word, icon, colour = BADGES[findings.credentials.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**Content Credentials**", width="content")
        st.badge(word, icon=icon, color=colour)  # type: ignore[arg-type]
    _sentences(findings.credentials.sentences(words("en")))


def _metadata(findings: Findings) -> None:
    st.markdown("**Metadata**")
    _sentences(note.text(words("en")) for note in findings.notes)
    if findings.facts:
        rows = [(fact.name(words("en")), fact.value) for fact in findings.facts]
        st.dataframe(pd.DataFrame(rows, columns=["Field", "Value"]), hide_index=True, height="content")


def _sentences(sentences: Iterable[str]) -> None:
    st.markdown("\n".join(f"- {escape(sentence)}" for sentence in sentences))


def _for_specialists(item: StoredMedia, picture: Callable[[], pictures.Rgb]) -> None:
    st.markdown("**For specialists: not evidence by themselves**")
    if not st.toggle("Show spectrum and error levels", key=f"special_{item.digest}"):
        return
    try:
        spectral, levels = _views(item.digest, picture)
    except UserError as error:
        resources.show_error(error)
        return
    left, right = layout.halves()
    left.image(spectral, alt="Spectrum of frequencies", width="stretch")
    left.caption(SPECTRUM)
    right.image(levels, alt="Error levels", width="stretch")
    right.caption(ERROR_LEVELS)
