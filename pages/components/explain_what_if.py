"""What if the picture were compressed, blurred, smaller, or lacked a part: the probability follows at once."""

from typing import Literal

import numpy as np
import streamlit as st

from core import charts
from core.analysis.scoring import cut_views, score_crops, score_stills
from core.analysis.types import FaceScore
from core.detector import Detector, Thresholds
from core.evaluation.changes import blur, downscale, jpeg
from core.explain.regions import NAMES
from core.explain.what_if import erase, mask_views
from core.faces import Face
from core.faces.crop import resize_crop
from pages.components import layout, pictures, resources, verdict
from pages.components.explain_face import ChosenFace, face_of
from pages.components.text import escape

UNTOUCHED_QUALITY = 100
LEAST_POINTS = 0.5
STILL = {"staticPlot": True, "displayModeBar": False}
SIZE, BLUR, QUALITY, ERASED = "what_if_size", "what_if_blur", "what_if_quality", "what_if_erased"
UNTOUCHED: dict[str, object] = {SIZE: 100, BLUR: 0, QUALITY: UNTOUCHED_QUALITY, ERASED: []}


def changed_crop(
    chosen: ChosenFace,
    detector: Detector,
    *,
    size_percent: int,
    blur_px: int,
    quality: int,
    erased: np.ndarray | None,
) -> tuple[pictures.Rgb, FaceScore]:
    """The network's crop after the changes, in the order in which media suffer them, and how it is judged."""
    rgb = chosen.rgb
    if size_percent < 100:
        rgb = downscale(rgb, size_percent / 100)
    if blur_px:
        rgb = blur(rgb, 2 * blur_px + 1)
    if quality < UNTOUCHED_QUALITY:
        rgb = jpeg(rgb, quality)
    face = face_of(chosen, (rgb.shape[1] / chosen.rgb.shape[1], rgb.shape[0] / chosen.rgb.shape[0]))
    return _judged(chosen, detector, rgb, face, erased)


def judged(chosen: ChosenFace, detector: Detector) -> FaceScore:
    """The face as it is, by the detector in use, which may not be the one of the report."""
    return _judged(chosen, detector, chosen.rgb, chosen.score.face, None)[1]


def _judged(
    chosen: ChosenFace, detector: Detector, rgb: pictures.Rgb, face: Face, erased: np.ndarray | None
) -> tuple[pictures.Rgb, FaceScore]:
    views = cut_views(rgb, face, detector.spec.crop, detector.spec.input_size)
    if erased is not None:
        masks = mask_views(erased, detector.spec.crop, tight=face.tight)
        views = np.stack([erase(*both) for both in zip(views, masks, strict=True)])
    if chosen.still:
        return views[0], score_stills(detector, [views], [face], maps=False)[0]
    return views[0], score_crops(detector, views[:1], [face], maps=False)[0]


def _reset() -> None:
    st.session_state.update(UNTOUCHED)


def _controls(regions: dict[str, np.ndarray] | None) -> dict[str, object]:
    for key, value in UNTOUCHED.items():
        st.session_state.setdefault(key, value)
    size = st.slider(
        "Size of the picture", 10, 100, step=5, format="%d %%", key=SIZE, help="A smaller copy, as a preview is."
    )
    radius = st.slider("Blur", 0, 15, format="%d px", key=BLUR, help="Radius of a Gaussian, in pixels.")
    quality = st.slider("JPEG quality", 5, UNTOUCHED_QUALITY, step=5, key=QUALITY, help="100 leaves it as it is.")
    names: list[str] = []
    if regions is None:
        st.caption("Parts of this face cannot be told apart, so none can be erased: it is turned too far, or covered.")
    else:
        names = st.pills(
            "Erase",
            NAMES,
            selection_mode="multi",
            wrap=True,
            key=ERASED,
            help="Blurred away, since a hole would be judged itself. Left and right are as the crop shows them.",
        )
    erased = np.any([regions[name] for name in names], axis=0) if regions and names else None
    return {"size_percent": size, "blur_px": radius, "quality": quality, "erased": erased}


@st.fragment
def panel(chosen: ChosenFace, detector: Detector, regions: dict[str, np.ndarray] | None) -> None:
    """Controls on the left, before and after on the right; only this part of the page runs anew."""
    left, right = layout.halves()
    with left:
        settings = _controls(regions)
        st.button("Reset", icon=":material/restart_alt:", key="what_if_reset", on_click=_reset)
    before, limits = judged(chosen, detector), detector.spec.limits(video=not chosen.still)
    crop, after = changed_crop(chosen, detector, **settings)  # type: ignore[arg-type]
    with right:
        one, other = st.columns(2, gap="medium")
        with one:
            _side("Untouched", chosen.crop, before, limits, None)
        with other:
            _side("Changed", crop, after, limits, before)


def points(moved: float) -> str:
    """How far a probability moved, in percentage points: "+3 points", "−1 point", "no change"."""
    if abs(moved) < LEAST_POINTS:
        return "no change"
    return f"{moved:+.0f} {'point' if round(abs(moved)) == 1 else 'points'}".replace("-", "−")


def arrow(moved: float) -> Literal["up", "down", "off"]:
    """Said outright: Streamlit would take the minus sign of `points` for no sign at all, and point up."""
    if abs(moved) < LEAST_POINTS:
        return "off"
    return "up" if moved > 0 else "down"


def _percents(score: FaceScore) -> int:
    """As it is shown: a difference of others would not be that of the two numbers above it."""
    return round(100 * score.fake_probability)


def _side(title: str, crop: pictures.Rgb, score: FaceScore, limits: Thresholds, before: FaceScore | None) -> None:
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{title}**")
        st.image(resize_crop(crop, pictures.CROP_SIDE), alt=f"{title}: the crop that is judged", width="stretch")
        moved = None if before is None else _percents(score) - _percents(before)
        st.metric(
            "Fake probability",
            verdict.percent(score.fake_probability),
            None if moved is None else points(moved),
            delta_color="off",
            delta_arrow=arrow(moved or 0.0),
        )
        verdict.badge(score.verdict)
        st.plotly_chart(
            charts.probability_strip(score.fake_probability, limits, dark=resources.dark()),
            key=f"what_if_{title}",
            config=STILL,
            alt=f"{title}: {verdict.percent(score.fake_probability)} on the scale of verdicts",
        )
        for reason in score.reasons:
            st.caption(escape(reason))
