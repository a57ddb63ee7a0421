"""Check pictures: drop in several or take one; each is judged face by face."""

from collections import Counter
from functools import partial

import streamlit as st

from core.analysis.types import ImageReport
from core.detector import Detector
from core.errors import UserError
from core.media import IMAGE_SUFFIXES
from core.store import StoredMedia
from pages.components import (
    exports,
    faces,
    file_says,
    filing,
    opened,
    pictures,
    resources,
    results,
    routing,
    sample_pictures,
    sources,
    verdict,
)
from pages.components.explain_face import PAGE as EXPLAIN
from pages.components.explain_face import PICTURE
from pages.components.text import count, escape

PAGE = "image"
AT_ONCE = 5  # pictures shown at once; the others are a page number away
TYPES = sorted(suffix.lstrip(".") for suffix in IMAGE_SUFFIXES)
FILES, CAMERA = "Files", "Camera"


def from_files() -> list[StoredMedia]:
    uploads = st.file_uploader(
        "Drop pictures here, or choose them",
        type=TYPES,
        accept_multiple_files=True,
        key=sources.uploader_key(PAGE),
        on_change=sources.replaced_by_uploads(PAGE),
    )
    return sources.store_all(uploads)


def from_camera() -> list[StoredMedia]:
    shot = st.camera_input(
        "Take a picture",
        key=f"camera_{sources.uploader_key(PAGE)}",
        on_change=sources.replaced_by_uploads(PAGE),
        label_visibility="collapsed",
    )
    return sources.store_all([shot] if shot else [])


def choose() -> list[StoredMedia]:
    """The pictures of this page: those just given, or those that were here before."""
    sources.drop_gone(PAGE)
    row = st.container(horizontal=True, horizontal_alignment="distribute")
    source = row.segmented_control(
        "Source", [FILES, CAMERA], default=FILES, required=True, key="image_source", label_visibility="collapsed"
    )
    found = from_camera() if source == CAMERA else from_files()
    if found and not sources.items(PAGE):
        sources.set_items(PAGE, found)
    if sources.items(PAGE):
        row.button("Start over", icon=":material/restart_alt:", on_click=sources.start_over, args=(PAGE,))
    return sources.items(PAGE)


def analyse(items: list[StoredMedia], detector: Detector) -> dict[str, ImageReport | UserError]:
    """Report or error by digest; a bar shows how far it is when there are several."""
    found: dict[str, ImageReport | UserError] = {}
    bar = st.empty()
    for number, item in enumerate(items):
        if len(items) > 1:
            bar.progress(number / len(items), text=f"Picture {number + 1} of {len(items)}: {escape(item.name)}")
        try:
            found[item.digest] = results.image_report(item, detector)
        except UserError as error:
            found[item.digest] = error
    bar.empty()
    return found


def overview(found: dict[str, ImageReport | UserError]) -> None:
    """How many of the pictures got which verdict."""
    verdicts = Counter("error" if isinstance(report, UserError) else report.verdict for report in found.values())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{count(len(found), 'picture')}**", width="content")
        for name, look in verdict.LOOKS.items():
            if verdicts[name]:
                st.badge(f"{verdicts[name]} · {look.word}", icon=look.icon, color=look.colour)


def explain(item: StoredMedia) -> None:
    """The same picture on the Explain page."""
    sources.start_over(EXPLAIN)
    sources.set_items(EXPLAIN, [item])
    st.session_state["explain_source"] = PICTURE
    st.switch_page("pages/explain.py")


def show(item: StoredMedia, report: ImageReport | UserError, detector: Detector, *, named: bool) -> None:
    """One picture: the verdict first, the picture with its faces, then face by face."""
    if isinstance(report, UserError):
        resources.show_error(report, item.name)
        opened.other_page(item.path, PAGE)
        return
    if named:
        st.subheader(escape(item.name), anchor=False)
    opened.note(item, report, detector)
    opened.other_page(item.path, PAGE)  # of an animated GIF a picture is but the start
    left, right = st.columns([2, 3], gap="medium")
    with left:
        verdict.card(report, detector.spec.limits(video=False), dark=resources.dark(), key=item.digest)
        png = partial(pictures.boxed_png, item.path)
        filed = partial(filing.button, item, report, detector)
        exports.row(report, item.digest, {"PNG": (png, ".png", "image/png")}, filed)
        if report.faces and st.button("Explain", icon=":material/lightbulb:", key=f"explain_{item.digest}"):
            explain(item)
    with right:
        width = pictures.shape_of(report.size_wh, tallest=560)
        st.image(pictures.boxed(item.digest, str(item.path), report), alt=pictures.describe(report), width=width)
    faces.gallery(item, report, detector)
    file_says.panel(item, partial(pictures.original, item))


routing.require_router()
st.title("Check a picture", anchor=False)
st.caption("Every face is found and judged on this machine. Nothing is sent anywhere.")

items = choose()
if not items:
    sample_pictures.offer(PAGE)
    st.stop()

detector = resources.detector_or_stop()
found = analyse(items, detector)
page_slot = st.container()
if len(items) > 1:
    with page_slot:
        overview(found)
number = 1
if len(items) > AT_ONCE:
    with page_slot:
        number = st.pagination(-(-len(items) // AT_ONCE), key="image_page")
for item in items[(number - 1) * AT_ONCE : number * AT_ONCE]:
    show(item, found[item.digest], detector, named=len(items) > 1)
