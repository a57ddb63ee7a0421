"""What a GPU's machine has judged, evaluate.py need not judge again."""

import numpy as np
import pytest

from benchmarks.gpu import judge
from core.evaluation import Request, evaluate
from core.evaluation.changes import all_changes
from core.evaluation.gates import gate_copies
from tests.evaluation.support import FINDER, detector, labelled_folder


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPFAKE_HOME", str(tmp_path / "home"))
    return str(labelled_folder(tmp_path / "faces", 4, splits=("val", "test")))


def counted(one):
    told, seen = one.predict, []
    one.predict = lambda crops, **options: (seen.append(len(crops)), told(crops, **options))[1]
    return seen


def test_evaluate_takes_the_copies_that_all_shares_have_judged(data):
    for share in range(2):
        judge.judge(detector(), judge.jobs(data, 6, ["jpeg", "blur"]), share, 2, FINDER)
    one = detector()
    seen = counted(one)
    gates = evaluate(Request((data,), split="val", gates=True, robustness_limit=6), one, finder=FINDER)
    robustness = evaluate(
        Request((data,), split="test", robustness=True, changes=("jpeg", "blur"), robustness_limit=6),
        one,
        finder=FINDER,
    )
    assert len(seen) == 8 + 8  # the untouched pictures of both splits
    assert gates["gates"]["min_face_px"]["bins"]
    assert len(robustness["robustness"]["levels"]) == len(all_changes(("jpeg", "blur")))


def test_untouched_pictures_are_no_part_of_it(data):
    changes = [change for change, _ in judge.jobs(data, 6)]
    assert changes == [*gate_copies(), *all_changes()]
    assert {len(samples) for _, samples in judge.jobs(data, 6)} == {6}


def test_its_engine_is_compared_with_the_one_that_ships():
    torch = pytest.importorskip("torch", reason="PyTorch is for GPU machines without TensorFlow")

    class Net(torch.nn.Module):
        def forward(self, x):
            return x.mean(dim=(1, 2, 3))[:, None], None

    class Shipped:
        name, precision = "openvino", "f32"

        def run(self, crops, batch_size):
            mean = (crops / 127.5 - 1).mean(axis=(1, 2, 3), dtype=np.float32)[:, None]
            return mean + np.float32(0.25), np.ones((len(crops), 2, 2, 1), np.float32)

    engine = judge.TorchEngine(Net(), torch.device("cpu"), Shipped())
    crops = np.random.default_rng(0).integers(0, 256, (judge.COMPARED, 8, 8, 3), dtype=np.uint8)
    logits, maps = engine.run(crops, 32)
    assert engine.largest == pytest.approx(0.25, abs=1e-5)
    assert (logits.shape, maps.shape) == ((judge.COMPARED, 1), (judge.COMPARED, 2, 2, 1))
    engine.run(crops, 32)
    assert engine.compared == judge.COMPARED
