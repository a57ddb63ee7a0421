"""Heatmaps of one face side by side: methods, directions, layers; slow ones as jobs, and none is computed twice."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
import streamlit as st

from core.detector import Detector
from core.errors import UserError
from core.explain import colour_bar, draw_overlay
from core.explain.base import Method
from core.explain.cam import METHODS
from core.explain.network import ExplainedNetwork, MapLayer
from core.explain.regions import in_words, top_regions
from core.faces.crop import resize_crop
from core.jobs import Job, JobContext
from pages.components import faces, live, pictures, resources, results
from pages.components.explain_face import ChosenFace
from pages.components.explain_words import bar_words, direction_words, layer_words, why
from pages.components.text import duration, escape

KEPT = 256
MOST_CARDS = 24
ENGINE_METHOD = "activation_map"
"""Comes with the answer of the detector; TensorFlow is not needed for it."""
Regions = dict[str, np.ndarray]


@dataclass(frozen=True)
class View:
    """One heatmap that is shown."""

    method: Method
    target: str
    layer: MapLayer | None

    @property
    def key(self) -> str:
        return f"{self.method.name}:{self.target}:{self.layer.name if self.layer else ''}"


class MapCache:
    """The latest maps, for all tabs; any thread may use it."""

    def __init__(self) -> None:
        self._maps: OrderedDict[str, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> np.ndarray | None:
        with self._lock:
            return self._maps.get(key)

    def put(self, key: str, heat: np.ndarray) -> None:
        with self._lock:
            self._maps[key] = heat
            self._maps.move_to_end(key)
            while len(self._maps) > KEPT:
                self._maps.popitem(last=False)


@st.cache_resource(show_spinner=False)
def maps() -> MapCache:
    return MapCache()


def controls(chosen: ChosenFace, detector: Detector, default: str) -> tuple[list[View], float]:
    """What is asked for, and how strongly it covers the face."""
    spec = detector.spec
    kinds = [name for name in spec.classes if name not in ("real", "fake")] if len(spec.classes) > 2 else []
    picked = st.pills(
        "Methods",
        list(METHODS),
        selection_mode="multi",
        default=list(dict.fromkeys([ENGINE_METHOD, default])),  # the map of every verdict, and the most faithful one
        format_func=lambda name: METHODS[name].title + (" ·  slow" if METHODS[name].slow else ""),
        wrap=True,
        key="explain_methods",
        persist_state="session",
    )
    grid = st.grid(3, min_column_width=180, gap="medium", vertical_alignment="bottom")
    left, middle, right = grid.cell(), grid.cell(), grid.cell()
    with left:
        targets = st.pills(
            "Directions",
            ["fake", "real", *kinds],
            selection_mode="multi",
            default=["fake"],
            format_func=why,
            wrap=True,
            key=f"explain_targets_{detector.sha256[:8]}",
            persist_state="session",
        )
    with middle:
        layers = _layers(picked, detector)
    with right:
        opacity = faces.opacity_slider(f"explain_{chosen.key}")
    return views(picked, targets or ["fake"], layers), opacity


def _layers(picked: list[str], detector: Detector) -> list[MapLayer | None]:
    """Layers to draw from: the last convolution's unless others are picked; the network is only built for those."""
    if not any(METHODS[name].layered for name in picked):
        return [None]
    network = network_or_none(detector)
    if network is None:
        return [None]
    there = {one.name: one for one in network.layers}
    names = st.multiselect(
        "Layers",
        list(there),
        default=[network.features],
        format_func=lambda name: layer_words(there[name]),
        key=f"explain_layers_{detector.sha256[:8]}",
        persist_state="session",
        placeholder="The last convolution",
        help="Early layers show fine edges, late ones what the answer is made of.",
    )
    return [there[name] for name in names] or [there[network.features]]


def views(picked: list[str], targets: list[str], layers: list[MapLayer | None]) -> list[View]:
    """Every combination that makes a difference: saliency has no direction, and not all methods have a layer."""
    found: dict[str, View] = {}
    for name, target, layer in product(METHODS, targets, layers):
        method = METHODS[name]
        if name in picked:
            one = View(method, target if method.directed else "fake", layer if method.layered else None)
            found.setdefault(one.key, one)
    return list(found.values())


def network_or_none(detector: Detector) -> ExplainedNetwork | None:
    """The network for explanations; says why where it cannot be had."""
    try:
        with st.spinner("Starting TensorFlow for this method…", show_time=True):
            return _network(results.settings_key(detector, "explain"), detector)
    except UserError as error:
        resources.show_error(error)
        return None


@st.cache_resource(max_entries=2, show_spinner=False)
def _network(key: str, _detector: Detector) -> ExplainedNetwork:
    from core.explain.network import explained_network

    return explained_network(_detector)


def grid(chosen: ChosenFace, detector: Detector, shown: list[View], opacity: float, regions: Regions | None) -> None:
    """A card for each view."""
    if not shown:
        st.caption("Pick a method.")
        return
    if len(shown) > MOST_CARDS:
        st.caption(f"The first {MOST_CARDS} of {len(shown)} maps are shown: pick fewer to see the others.")
    with st.grid("auto", min_column_width=240):
        for view in shown[:MOST_CARDS]:
            with st.container(border=True, height="stretch"):
                _card(chosen, detector, view, opacity, regions)


def _card(chosen: ChosenFace, detector: Detector, view: View, opacity: float, regions: Regions | None) -> None:
    slot = st.empty()
    st.markdown(f"**{view.method.title}** · {direction_words(view.method, view.target)}")
    if view.layer:
        st.caption(layer_words(view.layer))
    heat = _map(chosen, detector, view)
    if heat is None:
        slot.image(resize_crop(chosen.crop, pictures.CROP_SIDE), alt=chosen.title, width="stretch")
        return
    large = resize_crop(chosen.crop, pictures.CROP_SIDE)
    scale, target = view.method.scale, view.target
    drawn = draw_overlay(large, heat, scale_logits=scale, opacity=opacity, target=target)
    slot.image(drawn, alt=f"{view.method.title}, {direction_words(view.method, target)}", width="stretch")
    st.image(colour_bar(signed=view.method.signed, target=target), alt="Colour bar", width="stretch")
    st.caption(bar_words(view.method, target))
    if regions is not None:
        st.markdown(f"Strongest in: {in_words(top_regions(heat, regions, scale))}.")
    st.caption(view.method.note)


def _map(chosen: ChosenFace, detector: Detector, view: View) -> np.ndarray | None:
    """The map, computed if need be; None while a job does so, and its progress stands there."""
    if view.method.name == ENGINE_METHOD and view.target in ("fake", "real"):
        heat = engine_map(chosen, detector)
        return heat if view.target == "fake" else -heat
    key = f"{_crop_key(chosen, detector)}:{view.key}"
    heat = maps().get(key)
    if heat is not None:
        return heat
    network = network_or_none(detector)
    if network is None:
        return None
    layer = view.layer.name if view.layer else None
    if view.method.slow:
        _job(key, _work(key, network, chosen.crop, view, layer), view.method.title)
        return maps().get(key)
    with st.spinner(f"{view.method.title}…"):
        heat = view.method(network, chosen.crop[None], view.target, layer)[0]
    maps().put(key, heat)
    return heat


def _crop_key(chosen: ChosenFace, detector: Detector) -> str:
    """Changes with the face's pixels and with all that its maps depend on."""
    digest = hashlib.sha256(chosen.crop.tobytes()).hexdigest()[:32]
    return f"{results.settings_key(detector, 'explain')}:{digest}"


def engine_map(chosen: ChosenFace, detector: Detector) -> np.ndarray:
    """Evidence for a fake in logits, (h, w), of the detector in use, which may not be the one of the report."""
    key = f"{_crop_key(chosen, detector)}:engine"
    heat = maps().get(key)
    if heat is None:
        heat = detector.predict(chosen.crop[None]).activation_maps[0]
        maps().put(key, heat)
    return heat


def _work(
    key: str, network: ExplainedNetwork, crop: pictures.Rgb, view: View, layer: str | None
) -> Callable[[JobContext], None]:
    kept = maps()

    def work(context: JobContext) -> None:
        if kept.get(key) is not None:  # another tab was quicker
            return
        found = view.method(
            network,
            crop[None],
            view.target,
            layer,
            on_progress=context.report,
            should_cancel=lambda: context.cancelled,
        )
        kept.put(key, found[0])

    return work


def _job(key: str, work: Callable[[JobContext], None], title: str) -> None:
    job = live.job_for(key, work, label=title)
    if not job.ended:
        _waiting(job, title)
    elif job.state != "done":
        if job.state == "failed":
            st.error(escape(job.error or ""), title=job.error_title, icon=":material/error:")
        else:
            st.caption("Stopped.")
        st.button("Draw it", icon=":material/refresh:", key=f"redraw_{job.id}", on_click=live.try_again, args=(key,))


def _waiting(job: Job[None], title: str) -> None:
    @st.fragment(run_every=live.POLL_S)
    def poll() -> None:
        if job.ended:
            st.rerun()
        progress = job.progress
        if job.state == "queued":
            words = live.waiting(job)
        elif progress.total is None:
            words = f"Starting {title}…"
        else:
            left = f" · about {duration(progress.seconds_left)} left" if progress.seconds_left else ""
            words = f"{progress.done} of {progress.total} steps{left}"
        st.progress(progress.fraction or 0.0, text=words)
        st.button("Cancel", icon=":material/close:", key=f"cancel_{job.id}", on_click=job.cancel)

    poll()
