"""Check pictures: drop in several or take one; each is judged face by face."""

import time
from functools import partial

import streamlit as st

from core.analysis.types import ImageReport, Verdict
from core.detector import Detector
from core.errors import UserError
from core.media import IMAGE_SUFFIXES
from core.store import StoredMedia
from pages.components import (
    by_verdict,
    exports,
    faces,
    file_says,
    filing,
    layout,
    opened,
    picture_list,
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
from pages.components.text import escape

PAGE = "image"
AT_ONCE = 5  # pictures shown at once; the others are a page number away
TYPES = sorted(suffix.lstrip(".") for suffix in IMAGE_SUFFIXES)
NAMED = 12  # pictures of each verdict that are named while others are judged
REDRAWN_S = 1.0
FILES, CAMERA = "Files", "Camera"


def from_files() -> list[StoredMedia]:
    uploads = st.file_uploader(
        "Drop pictures here, or choose them",
        type=TYPES,
        accept_multiple_files=True,
        key=sources.uploader_key(PAGE),
        on_change=sources.added_by_uploads(PAGE),
    )
    return sources.all_given(PAGE, uploads)


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
    sources.begin(PAGE)
    row = st.container(horizontal=True, horizontal_alignment="distribute")
    source = row.segmented_control(
        "Source", [FILES, CAMERA], default=FILES, required=True, key="image_source", label_visibility="collapsed"
    )
    found = from_camera() if source == CAMERA else from_files()
    if found and not sources.items(PAGE):
        sources.set_items(PAGE, found)
    if sources.items(PAGE):
        row.button("Start over", icon=":material/restart_alt:", on_click=sources.start_over, args=(PAGE,))
    sources.name_in_address(PAGE)
    return sources.items(PAGE)


def verdict_of(report: ImageReport | UserError) -> Verdict:
    return "error" if isinstance(report, UserError) else report.verdict


def so_far(items: list[StoredMedia], found: dict[str, ImageReport | UserError]) -> None:
    """Names by verdict, the worst first, of what is judged while the others wait."""
    for name, look in verdict.LOOKS.items():
        names = [escape(item.name) for item in items if item.digest in found and verdict_of(found[item.digest]) == name]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        if names:
            st.markdown(f":{look.colour}[{look.icon} **{look.word}:**] {', '.join(names[:NAMED])}{more}")


def analyse(items: list[StoredMedia], detector: Detector) -> dict[str, ImageReport | UserError]:
    """Report or error by digest; of several a bar shows how far it is, and names below it what was found so far."""
    found: dict[str, ImageReport | UserError] = {}
    bar, names = st.empty(), st.empty()
    drawn = time.monotonic()
    for number, item in enumerate(items):
        if len(items) > 1:
            bar.progress(number / len(items), text=f"Picture {number + 1} of {len(items)}: {escape(item.name)}")
        if found and time.monotonic() - drawn > REDRAWN_S:  # never while all of it is known from before
            drawn = time.monotonic()
            with names.container():
                so_far(items, found)
        try:
            found[item.digest] = results.image_report(item, detector)
        except UserError as error:
            found[item.digest] = error
    bar.empty()
    names.empty()
    return found


def chosen(
    items: list[StoredMedia], found: dict[str, ImageReport | UserError], detector: Detector
) -> list[StoredMedia]:
    """The pictures to show now: the one that was clicked in the list, or those of one verdict, a few at a time."""
    if len(items) == 1:
        return items
    if one := picture_list.chosen(items, found, detector):
        return [one]
    only = by_verdict.chosen([verdict_of(found[item.digest]) for item in items], "picture", key="image_verdict")
    shown = [item for item in items if only in (None, verdict_of(found[item.digest]))]
    pages = -(-len(shown) // AT_ONCE)
    number = st.pagination(pages, key="image_page") if pages > 1 else 1
    return shown[(number - 1) * AT_ONCE : number * AT_ONCE]


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
    left, right = layout.halves()
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
for item in chosen(items, found, detector):
    show(item, found[item.digest], detector, named=len(items) > 1)
