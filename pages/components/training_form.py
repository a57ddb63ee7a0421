"""The form for a new run: data, preset, name, what to start from, and every other setting folded away."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import streamlit as st

from core.data.dataset import REAL, check_classes
from core.data.survey import Survey
from core.errors import DataError, TrainingError, UserError
from core.training import queue
from core.training.config import TrainConfig
from core.training.estimate import estimate_minutes, measure_speed
from core.training.presets import PRESETS, Preset
from pages.components import (
    layout,
    resources,
    training_data,
    training_jobs,
    training_runs,
    training_samples,
    training_settings,
)
from pages.components import training_survey as surveys
from pages.components import training_words as words
from pages.components.sidebar import licence
from pages.components.text import escape
from pages.components.training_samples import MADE

PRESET = "training_preset"
"""Session state: the name of the chosen preset."""
USUAL = "standard"
IMAGENET, SCRATCH = "imagenet", "none"


def preset() -> Preset:
    """The chosen one."""
    return PRESETS.get(st.session_state.get(PRESET, USUAL)) or next(iter(PRESETS.values()))


def _choose(name: str) -> None:
    st.session_state[PRESET] = name


def _time(config: TrainConfig, pictures: int) -> str:
    return words.about(estimate_minutes(config, pictures).minutes)


def _card(one: Preset, pictures: int) -> None:
    picked = one.name == preset().name
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{one.title}**  \n:gray[:material/schedule: {_time(one.config(), pictures)}]")
        st.caption(one.description)
        st.space("stretch")
        st.button(
            "Chosen" if picked else "Choose",
            key=f"preset_{one.name}",
            icon=":material/check:" if picked else None,
            type="primary" if picked else "secondary",
            width="stretch",
            on_click=_choose,
            args=(one.name,),
        )


def presets(pictures: int) -> None:
    """A card for each preset with the time that it takes here."""
    st.subheader("How thoroughly", anchor=False)
    with st.grid(len(PRESETS), min_column_width=220):
        for one in PRESETS.values():
            _card(one, pictures)
    _speed(preset(), pictures)


def _speed(of: Preset, pictures: int) -> None:
    """How the times are known; a way to measure them where they are guessed."""
    if estimate_minutes(of.config(), pictures).measured:
        st.caption("On this machine, by the speed that was measured on it.")
        return
    key = f"speed:{of.name}"
    job = training_jobs.known(key)
    if job is not None and not job.ended:
        training_jobs.wait(job, "Measuring the speed of this machine with a few batches")
        return
    if job is not None and job.state == "failed":
        st.error(escape(job.error or ""), title=job.error_title, icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Guessed, until a run has done its first batches on this machine.", width="content")
        st.button(
            "Measure now",
            icon=":material/speed:",
            type="tertiary",
            key="training_measure",
            on_click=_measure,
            args=(key, of.config()),
        )


def _measure(key: str, config: TrainConfig) -> None:
    training_jobs.forget(key)
    training_jobs.submit(key, lambda _: measure_speed(config))


def start_from() -> str:
    """The starting weights: a detector that is here, ImageNet, nothing, or a file named by its path."""
    entries = {entry.name: entry for entry in resources.detectors() if entry.error is None}
    labels = {name: f"The detector {name}" for name in entries}
    labels |= {IMAGENET: "ImageNet weights (downloaded once if they are not here)", SCRATCH: "Nothing: from scratch"}
    chosen = st.selectbox(
        "Start from",
        list(labels),
        format_func=lambda name: labels.get(name, name),
        key="training_init",
        persist_state="session",
        accept_new_options=True,
        help="What the network knows before it starts. You can also type the path of a weights file.",
    )
    if chosen in entries:
        st.caption(f"Its licence applies to what is made from it: {escape(licence(entries[chosen]))}")
    return str(chosen or IMAGENET)


def _say_size(init: str, input_size: int) -> None:
    """Where a detector is to learn on at another size than its own: it knows faces at that size best."""
    own = next((one.spec.input_size for one in resources.detectors() if one.name == init and one.spec), input_size)
    if own != input_size:
        st.caption(
            f"{escape(init)} was trained at {own} px and starts at {input_size} px here, which it must get used to "
            "first. The size can be changed above; fewer pixels are quicker."
        )


def blend_all() -> None:
    """For callbacks: have all fakes made from the real pictures, whichever preset is chosen then."""
    for name in PRESETS:
        training_settings.put(name, self_blend=1.0, composite=0.0, retouch=0.0)


def _ask_to_blend(found: Survey | None, config: TrainConfig) -> bool:
    """Whether there are only real pictures and nothing that makes fakes of them yet; offers to."""
    if found is None or not surveys.only_real(found) or config.made_from_reals:
        return False
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            ":orange[:material/warning:] **There are only real pictures.** Add a folder with fakes beside Real, or "
            "let the fakes be made from the real ones by self-blending.",
            width="stretch",
        )
        st.button(
            "Make the fakes",
            icon=":material/face_retouching_natural:",
            on_click=blend_all,
            key="training_blend",
        )
    return True


def _say_what_is_missing(found: Survey | None, config: TrainConfig) -> bool:
    """Whether a split lacks a class, so that the run would be refused; says so."""
    try:
        if found is not None and REAL in found.classes:  # without it the survey has said so
            check_classes(found.samples, config.made_from_reals)
    except DataError as error:
        st.warning(escape(str(error)), title="Too few pictures to train on", icon=":material/warning:")
        return True
    return False


def begin_with(config: TrainConfig) -> None:
    """For callbacks: open the form with another run's settings, its data too where they are still there."""
    name = config.preset if config.preset in PRESETS else USUAL
    _choose(name)
    training_settings.put_all(name, config)
    st.session_state["training_name"], st.session_state["training_init"] = config.name, config.init
    st.session_state[training_data.DATA] = []
    for folder in config.data:
        with suppress(DataError):
            training_data.add(training_data.existing(folder))
    training_runs.choose(training_runs.NEW)


def configuration(of: Preset, data: tuple[str, ...], name: str, settings: Mapping[str, Any]) -> TrainConfig:
    """The settings asked for. Raises TrainingError with the sentence for what is impossible."""
    if not name.strip():
        raise TrainingError("Give the detector a name, so that you find it again.")
    return of.config(**{**settings, "data": data, "name": name.strip()})


def _start(config: TrainConfig) -> None:
    """Start the run or queue it, and let the URL hold it."""
    try:
        run = queue.submit(config)
    except UserError as error:
        resources.show_error(error)
        return
    training_runs.choose(run.id)
    st.rerun()


def _start_row(config: TrainConfig | None, *, ready: bool, pictures: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        usable = config is not None and ready
        pressed = st.button(
            "Start training", icon=":material/play_arrow:", type="primary", key="training_start", disabled=not usable
        )
        if config is not None and not config.data:
            st.caption("Choose the data first.", width="content")
        elif config is not None and ready:
            st.caption(f"Takes {_time(config, pictures)}, and goes on when this page is closed.", width="content")
    if pressed and config is not None and ready:
        _start(config)


def _look(data: tuple[str, ...], settings: Mapping[str, Any]) -> Survey | None:
    """What is in the data, and samples of them."""
    found = surveys.of(data)
    if found is not None:
        surveys.show(found, surveys.key_of(data))
        shown = [sample for sample in found.samples if sample.split == "train"] or found.samples
        key = f"{surveys.key_of(data)}:{len(found.samples)}:{found.size_bytes}"
        made = [kind for kind, setting in zip(MADE, ("self_blend", "composite", "retouch")) if settings[setting]]
        training_samples.show(key, shown, settings["input_size"], settings["crop_scale"], made)
    return found


def show() -> None:
    """The whole form."""
    of = preset()
    usual = asdict(of.config())
    known = {**usual, **training_settings.chosen(of.name)}
    with st.container(border=True):
        data = training_data.choose()
        found = _look(data, known) if data else None
    pictures = len(found.samples) if found else 0
    presets(pictures)
    with st.container(border=True):
        left, right = layout.halves()
        with left:
            name = st.text_input("Name", "My detector", key="training_name", persist_state="session", max_chars=60)
        with right:
            init = start_from()
        settings = {**training_settings.show(of.name, usual), "init": init}
        _say_size(init, settings["input_size"])
    config = None
    try:
        config = configuration(of, data, name, settings)
    except TrainingError as error:
        st.error(escape(words.with_labels(str(error))), title="These settings do not work", icon=":material/error:")
    blocked = config is not None and (_ask_to_blend(found, config) or _say_what_is_missing(found, config))
    _start_row(config, ready=surveys.usable(data, found) and not blocked, pictures=pictures)
