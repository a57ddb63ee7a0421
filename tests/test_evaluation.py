"""Figures of a detector on labelled pictures, with a detector whose answers are known."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from core import evaluation
from core.data.dataset import Sample
from core.errors import MediaError
from core.evaluation import Scored, balance_weights, score_pictures, summarise


def one(label, probability, verdict, source="a"):
    logit = None if probability is None else float(np.log(probability / (1 - probability)))
    return Scored(Sample(Path("x"), label, source, "test", "g"), verdict, probability, logit)


SCORED = [
    one("real", 0.1, "real"),
    one("real", 0.4, "uncertain"),
    one("real", 0.8, "fake"),  # a real called fake
    one("real", None, "no_face"),
    one("fake", 0.9, "fake"),
    one("fake", 0.2, "real"),  # a fake called real
    one("real", 0.3, "real", "b"),
    one("fake", 0.7, "fake", "b"),
]


def test_figures_by_source():
    figures = summarise(SCORED)
    a = figures["a"]
    assert (a["real"], a["fake"], a["no_face"]) == (3, 2, 1)
    # fakes .9 and .2 against reals .1 .4 .8: .9 beats all three, .2 beats one
    assert a["auc"] == pytest.approx(4 / 6, abs=1e-4)
    assert (a["real_called_fake"], a["fake_called_real"], a["uncertain"]) == (0.3333, 0.5, 0.2)
    assert figures["b"]["auc"] == 1.0
    assert figures["all"]["real"] == 4
    assert "ece" in figures["all"]


def test_a_picture_is_as_fake_as_its_worst_face_and_unreadable_ones_are_left_out(monkeypatch):
    def analyze(path, *_, **__):
        if path.name == "broken":
            raise MediaError("broken")
        faces = [SimpleNamespace(fake_probability=p, logit=p * 10) for p in (0.2, 0.6)] if path.name == "two" else []
        return SimpleNamespace(
            verdict="fake" if faces else "no_face", fake_probability=0.6 if faces else None, faces=faces
        )

    monkeypatch.setattr(evaluation, "analyze_image", analyze)
    samples = [Sample(Path(name), "real", "s", "test", name) for name in ("two", "none", "broken")]
    seen = []
    scored = score_pictures(samples, None, finder=object(), on_progress=lambda *at: seen.append(at))
    assert [(s.sample.path.name, s.verdict, s.logit) for s in scored] == [
        ("two", "fake", 6.0),
        ("none", "no_face", None),
    ]
    assert seen[0] == (1, 3)


def test_weights_balance_classes_and_damp_large_sources():
    samples = [one(label, 0.5, "real", source).sample for source, label, n in COUNTS for _ in range(n)]
    weights = balance_weights(samples)
    total = {
        (source, label): sum(w for w, s in zip(weights, samples, strict=True) if (s.source, s.label) == (source, label))
        for source, label, _ in COUNTS
    }
    assert total["big", "real"] == pytest.approx(total["big", "fake"])
    assert total["big", "real"] / total["small", "real"] == pytest.approx((400 / 100) ** 0.5)


COUNTS = [("big", "real", 100), ("big", "fake", 300), ("small", "real", 50), ("small", "fake", 50)]
