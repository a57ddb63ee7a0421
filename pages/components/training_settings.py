"""Every setting of a run as a widget, made from the configuration itself, so that none is forgotten."""

from collections.abc import Mapping
from dataclasses import Field, fields
from typing import Any

import streamlit as st

from core.training.config import TrainConfig
from pages.components import training_words as words

GROUPS = {
    "Network": ("input_size", "crop_scale", "blocks", "dropout", "batch_norm", "multi_class"),
    "Length": ("head_epochs", "epochs", "epoch_pictures", "minutes", "patience", "val_pictures"),
    "Learning": (
        "batch_size",
        "learning_rate",
        "head_learning_rate",
        "warmup",
        "weight_decay",
        "label_smoothing",
        "localise",
        "ema",
        "class_weights",
    ),
    "Data": ("self_blend", "composite", "retouch", "frames_per_video", "source_weights", "seed"),
    "Machine": ("precision", "strategy", "export"),
    "For the model card": ("description", "licence"),
}
"""The order of the settings; those that no group names come last."""
ELSEWHERE = ("data", "name", "init", "preset")
KNOWN = {setting.name: setting for setting in fields(TrainConfig) if setting.name not in ELSEWHERE}


def _key(preset: str, name: str) -> str:
    """Each preset has values of its own: what was changed in one is still there after a look at another."""
    return f"set_{preset}_{name}"


def put(preset: str, **values: Any) -> None:
    """For callbacks: set some settings."""
    for name, value in values.items():
        st.session_state[_key(preset, name)] = value


def put_all(preset: str, config: TrainConfig) -> None:
    """For callbacks: let the widgets hold what another run was started with."""
    usual = TrainConfig()
    for name, setting in KNOWN.items():
        value, kind = getattr(config, name), type(getattr(usual, name))
        if kind is tuple:
            value = list(value) if setting.metadata["choices"] else ", ".join(value)
        put(preset, **{name: float(value) if kind is float else value})


def chosen(preset: str) -> dict[str, Any]:
    """What the widgets held when the page ran last; those that have not been drawn yet are left out."""
    sizes, shares = (
        ("input_size", "crop_scale"),
        ("self_blend", "composite", "retouch"),
    )  # a share may be 0, a size may not
    held = {name: st.session_state.get(_key(preset, name)) for name in (*sizes, *shares)}
    return {name: value for name, value in held.items() if value or (name in shares and value is not None)}


def step_of(default: float) -> float:
    """By how much one press of + or - changes a number: a tenth of its size, 0.05 for shares."""
    return 0.05 if 0.05 <= default <= 1 or default == 0 else float(f"{default / 10:.0e}")


def _widget(setting: "Field[Any]", default: Any, key: str) -> Any:
    """The widget for a setting, by the type of its default and by the choices that it names."""
    label, choices = words.setting_label(setting.name), setting.metadata.get("choices")
    help_text = str(setting.metadata["help"])
    common: dict[str, Any] = {
        "key": key,
        "help": f"{help_text[:1].upper()}{help_text[1:]}.",
        "persist_state": "session",
    }
    as_text = isinstance(default, tuple) and not choices
    st.session_state.setdefault(key, ", ".join(default) if as_text else default)
    if choices and isinstance(default, tuple):
        return tuple(st.pills(label, choices, selection_mode="multi", **common))
    if choices:
        return st.selectbox(label, choices, **common)
    if isinstance(default, bool):
        return st.toggle(label, **common)
    if isinstance(default, int):
        return st.number_input(label, step=1, **common)
    if isinstance(default, float):
        return st.number_input(label, step=step_of(default), format="%g", **common)
    text = st.text_input(label, **common)
    return tuple(part.strip() for part in text.split(",") if part.strip()) if as_text else text


def show(preset: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """All settings by group, folded away; what they hold."""
    named = {name for group in GROUPS.values() for name in group}
    groups = {**GROUPS, "Others": tuple(name for name in KNOWN if name not in named)}
    values: dict[str, Any] = {}
    with st.expander("All settings", icon=":material/tune:"):
        for title, names in groups.items():
            here = [KNOWN[name] for name in names if name in KNOWN]
            if here:
                st.markdown(f"**{title}**")
                with st.grid("auto", min_column_width=200):
                    for setting in here:
                        values[setting.name] = _widget(setting, defaults[setting.name], _key(preset, setting.name))
    return values
