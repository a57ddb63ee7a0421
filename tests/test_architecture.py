"""DESIGN.md's order of imports, held by reading the source: downwards only, and core knows no screen."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).parents[1]

GROUND = {"errors", "home", "metrics", "openvino_ready", "signal_stack", "words"}
"""Anyone in core may import these; they import no one but each other."""

MAY_IMPORT: dict[str, set[str]] = {
    **dict.fromkeys(GROUND, GROUND),
    # media knows nobody; faces knows media; detector knows neither; analysis joins the three
    "media": set(),
    "faces": {"media"},
    "detector": set(),
    "analysis": {"media", "faces", "detector"},
    # explain and report stand on analysis; data and training stand on media, faces and detector
    # charts: the strip under a heatmap video is the page's timeline, drawn as pixels
    "explain": {"media", "faces", "detector", "analysis", "charts", "timeline_points"},
    "data": {"media", "faces", "detector", "samples"},
    "training": {"media", "faces", "detector", "analysis", "data", "evaluation"},
    # single files
    "setup_check": set(),
    "jobs": set(),
    "pins": set(),
    "disk": {"media"},
    "history_entry": {"analysis"},
    "store": {"media", "analysis", "disk", "history_entry", "pins"},
    "samples": {"media"},
    "timeline_points": {"analysis"},
    "charts": {"detector", "analysis", "timeline_points"},
    "training_charts": {"charts"},
    "compare_charts": {"detector", "analysis", "charts"},
    "provenance": {"media"},  # what a file says of itself: apart from any verdict
    "output": {"analysis", "media"},
    "resume": {"output"},
    "extras": {"detector", "analysis", "explain", "provenance", "report"},
    "report": {"media", "faces", "detector", "analysis", "explain", "charts", "timeline_points", "provenance", "disk"},
    # explanations are measured on fakes that data makes, whose masks are known: explain itself must not know data
    "evaluation": {"media", "faces", "detector", "analysis", "data", "explain"},
    "evaluation_charts": {"detector", "analysis", "evaluation", "charts"},
    "evaluation_html": {"media", "detector", "explain", "evaluation", "evaluation_charts"},
}
SCREENS = {"streamlit", "pages", "streamlit_app", "train", "predict", "evaluate", "tests", "benchmarks"}
CHECKER = {"cv2", "numpy", "tensorflow", "keras", "openvino"}


def imported_modules(source: str, module: str, *, is_package: bool = False) -> Iterator[str]:
    """Full dotted names of all that a module imports, anywhere in it: in functions and under TYPE_CHECKING as well."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.split(".") if is_package else module.split(".")[:-1]
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def violations(source: str, module: str, *, is_package: bool = False) -> list[str]:
    """What is wrong with the imports of one module of core."""
    unit = module.split(".")[1] if "." in module else ""
    allowed = MAY_IMPORT.get(unit, set(MAY_IMPORT)) | GROUND | {unit}
    found = []
    for name in imported_modules(source, module, is_package=is_package):
        top, *rest = name.split(".")
        if top in SCREENS:
            found.append(f"{module} imports {name}: core knows no screen and no command line")
        elif top == "core" and rest and rest[0] in MAY_IMPORT and rest[0] not in allowed:
            found.append(f"{module} imports {name}: {unit} must not know {rest[0]}")
    return found


def core_modules() -> list[tuple[str, Path]]:
    paths = sorted((REPO / "core").rglob("*.py"))
    return [(".".join(path.relative_to(REPO).with_suffix("").parts).removesuffix(".__init__"), path) for path in paths]


@pytest.mark.parametrize(("module", "path"), core_modules(), ids=[module for module, _ in core_modules()])
def test_imports_run_downwards(module: str, path: Path) -> None:
    assert violations(path.read_text(), module, is_package=path.name == "__init__.py") == []


def test_every_unit_of_core_has_its_place() -> None:
    units = {module.split(".")[1] for module, _ in core_modules() if "." in module}
    assert units - set(MAY_IMPORT) == set(), "say in MAY_IMPORT what a new part of core stands on, and why"


def test_the_order_has_no_circle() -> None:
    left = {unit: may - GROUND for unit, may in MAY_IMPORT.items()}
    while free := {unit for unit, may in left.items() if not may & set(left)}:
        left = {unit: may for unit, may in left.items() if unit not in free}
    assert left == {}


@pytest.mark.parametrize(
    ("source", "module", "bad"),
    [
        ("import streamlit as st", "core.charts", True),
        ("def f():\n    import streamlit.runtime", "core.charts", True),  # hidden in a function
        ("from streamlit import cache_data", "core.store", True),
        ("from pages.components import card", "core.report", True),
        ("import core.faces.finder", "core.media.video", True),
        ("from core import faces", "core.media.video", True),
        ("from ..faces import Face", "core.media.video", True),  # relative
        ("from ..faces import Face", "core.analysis.video", False),
        ("from . import video", "core.media.images", False),
        ("from .video import x", "core.media", False),  # in an __init__, "." is the package itself
        ("from core.media.files import open_file", "core.faces.finder", False),
        ("from core.errors import MediaError", "core.media.video", False),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from core.media import Picture",
            "core.detector.x",
            True,
        ),
        ("from core.explain import overlay", "core.training.loop", True),
        ("from core.store import Store", "core.analysis.image", True),
        ("import pages_of_history", "core.report", False),  # a name that only begins like a screen's
    ],
)
def test_the_check_itself(source: str, module: str, bad: bool) -> None:
    assert bool(violations(source, module, is_package=module == "core.media")) == bad


def test_whatever_runs_openvino_makes_its_first_array_beforehand() -> None:
    """Two threads that bring it its first arrays at once can wait for each other for ever: see core/openvino_ready.py.

    That it hangs cannot be shown in a test: it took a busy machine and luck.
    """
    running = [(name, path) for name, path in core_modules() if "create_infer_request" in path.read_text()]
    assert len(running) >= 3
    for name, path in running:
        assert "core.openvino_ready" in set(imported_modules(path.read_text(), name)), name


@pytest.mark.parametrize("name", ["errors", "home", "setup_check"])
def test_what_comes_first_imports_nothing_that_could_fail(name: str) -> None:
    """`setup_check` tells of missing libraries; what it stands on must not need one."""
    tops = {full.split(".")[0] for full in imported_modules((REPO / f"core/{name}.py").read_text(), f"core.{name}")}
    assert not tops & CHECKER
    assert set(imported_modules((REPO / "core/__init__.py").read_text(), "core", is_package=True)) == {"sys"}
