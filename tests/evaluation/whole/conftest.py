"""An evaluation with everything that can be asked for."""

import pytest

from core.evaluation import Request, evaluate
from tests.evaluation.support import FINDER, clip, detector, labelled_folder

NASTY = "<img src=x onerror=alert(1)> & </script>"


def folders(data):
    return str(data / "one"), str(data / "two")


@pytest.fixture(scope="package")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPFAKE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="package")
def data(tmp_path_factory):
    root = labelled_folder(tmp_path_factory.mktemp("data") / "faces", 12, sources=("one", "two"))
    clip(root / "one/Fake/clip.mp4", 100)
    (root / "one/Real/broken.png").write_bytes(b"no picture")
    (root / "two/Fake/Fake0.png").rename(root / f"two/Fake/{NASTY.replace('/', '')}.png")
    return root


@pytest.fixture(scope="package")
def told():
    return []


@pytest.fixture(scope="package")
def document(home, data, told):
    """Everything that can be asked for, once."""
    request = Request(folders(data), baseline=True, robustness=True, robustness_limit=6, gates=True)
    return evaluate(
        request, detector(), detector("other", gain=-0.3), finder=FINDER, on_progress=lambda *at: told.append(at)
    )
