"""Indexing: class folders, what a split is called, and data that cannot be used."""

import pytest

from core.data.dataset import classes_of, find_samples, index_data
from core.data.folders import MOST_SOURCES
from core.errors import DataError
from tests.data.support import by_name, picture, two_classes
from tests.media.make_media import numbered_video


def test_class_folders_of_any_case_and_depth(tmp_path):
    picture(tmp_path / "train/Real/a.png")
    picture(tmp_path / "train/FAKE/deep/b.png")
    picture(tmp_path / "val/real/c.png")
    picture(tmp_path / "val/fake/d.png")
    (tmp_path / "train/Real/notes.txt").write_text("not a picture")
    picture(tmp_path / "val/unlabelled/e.png")
    picture(tmp_path / "train/Real/.hidden.png")
    found = {(s.path.name, s.label, s.split) for s in index_data([tmp_path])}
    assert found == {
        ("a.png", "real", "train"),
        ("b.png", "fake", "train"),
        ("c.png", "real", "val"),
        ("d.png", "fake", "val"),
    }


@pytest.mark.parametrize(
    ("path", "label", "split", "source"),
    [
        ("train/Real/a.png", "real", "train", "data"),
        ("train/FaceSwap/a.png", "faceswap", "train", "data"),  # any folder beside Real is a class
        ("train/GAN/deep/down/a.png", "gan", "train", "data"),  # nested below its class
        ("Validation/REAL/a.png", "real", "val", "data"),  # another word for val
        ("Validation/GAN/a.png", "gan", "val", "data"),
        ("ffhq/training/Real/a.png", "real", "train", "ffhq"),  # a folder above the classes is a source
        ("ffhq/training/Fake/a.png", "fake", "train", "ffhq"),
        ("testing/ffhq/fake/a.png", "fake", "test", "ffhq"),  # Fake is a class without a Real beside it too
        ("Real/train/a.png", "real", "train", "data"),  # the split below the class
    ],
)
def test_what_a_path_says(tmp_path, path, label, split, source):
    beside = path[: path.lower().index(label)] + "Real/beside.png"
    picture(tmp_path / "data" / beside, 1)
    picture(tmp_path / "data/val/Real/other.png", 2)  # without it, val would be drawn from train
    picture(tmp_path / "data" / path, 99)
    found = next(s for s in find_samples([tmp_path / "data"]) if s.path == tmp_path / "data" / path)
    assert (found.label, found.split, found.source) == (label, split, source)


def test_classes_are_real_first_and_then_by_name(tmp_path):
    for label in ("swap", "Real", "GAN"):
        for split in ("train", "val"):
            picture(tmp_path / split / label / "a.png", 1)
    assert classes_of(index_data([tmp_path])) == ("real", "gan", "swap")


def test_videos_count_and_are_told_from_pictures(tmp_path):
    two_classes(tmp_path / "data", count=1)
    numbered_video(tmp_path / "data/train/Real/clip.mp4", 3)
    found = by_name(index_data([tmp_path / "data"]))
    assert found["clip.mp4"].is_video
    assert [sample.is_video for name, sample in found.items() if name != "clip.mp4"] == [False] * 4


def test_many_folders_above_the_classes_are_no_sources(tmp_path):
    for person in range(MOST_SOURCES + 1):
        picture(tmp_path / f"data/person{person}/train/Real/a.png", person)
    found = find_samples([tmp_path / "data"])
    assert {sample.source for sample in found} == {"data"}
    assert len({sample.group for sample in found}) == MOST_SOURCES + 1


def test_folders_of_one_name_are_two_sources_and_a_folder_named_twice_is_one(tmp_path):
    for above in ("a", "b"):
        two_classes(tmp_path / above / "faces", count=1)
    paths = [tmp_path / "a/faces", tmp_path / "b/faces", tmp_path / "a/faces"]
    found = index_data(paths)
    assert len(found) == 8
    assert {sample.source for sample in found} == {"a/faces", "b/faces"}


def test_a_file_counts_once_however_its_path_is_spelled(tmp_path, monkeypatch):
    two_classes(tmp_path / "faces", count=1)
    rows = [f"../faces/{path.relative_to(tmp_path / 'faces')},real" for path in (tmp_path / "faces").rglob("*.png")]
    (tmp_path / "man").mkdir()
    (tmp_path / "man/manifest.csv").write_text("path,label\n" + "\n".join(rows))
    (tmp_path / "link").symlink_to(tmp_path / "faces", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    found = find_samples(["faces", tmp_path / "faces", "man/../faces", "man", "link"])
    assert len(found) == 4
    assert {sample.source for sample in found} == {"faces"}  # and not "there/faces", as of two folders of one name
    assert [sample.label for sample in found].count("real") == 2  # what was named first rules


def test_a_link_from_one_class_to_the_other_is_refused(tmp_path):
    two_classes(tmp_path, 1)
    (tmp_path / "train/Fake/link.png").symlink_to(next((tmp_path / "train/Real").iterdir()))
    with pytest.raises(DataError, match=r"has two labels \(fake, real\)"):
        find_samples([tmp_path])


def test_linked_folders_are_followed_and_circles_end(tmp_path):
    two_classes(tmp_path / "elsewhere")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/linked").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "elsewhere/again").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert len(find_samples([tmp_path / "data"])) == 24


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (("0", "1"), "the labels are 0, 1"),  # both would count as fakes
        (("true", "false"), "the labels are false, true"),
        (("authentic", "generated"), "the labels are authentic, generated"),
        (("maybe", "maybe"), "the labels are maybe"),
        (("fake", "0"), "the labels are 0, fake"),
        (("k=v; x", "\x1b[31m"), 'Nothing is labelled real: call real media "real"'),  # nothing to repeat
    ],
)
def test_data_that_call_nothing_real_are_refused(tmp_path, labels, said):
    rows = [f"{number}.png,{label}" for number, label in enumerate(labels)]
    (tmp_path / "manifest.csv").write_text("path,label\n" + "\n".join(rows))
    with pytest.raises(DataError, match=said):
        find_samples([tmp_path])


@pytest.mark.parametrize(
    "labels",
    [
        ("fake", "fake"),  # fakes alone can be measured
        ("real", "real"),
        ("real", "faceswap", "1"),  # any kinds beside real
    ],
)
def test_labels_that_are_understood(tmp_path, labels):
    rows = [f"{number}.png,{label},test" for number, label in enumerate(labels)]
    (tmp_path / "manifest.csv").write_text("path,label,split\n" + "\n".join(rows))
    assert [sample.label for sample in find_samples([tmp_path])] == list(labels)


def test_kinds_of_fakes_may_lie_apart_from_the_reals(tmp_path):
    for name, label in (("reals", "real"), ("fakes", "gan")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.csv").write_text(f"path,label,split\na.png,{label},test\n")
    assert classes_of(find_samples([tmp_path / "reals", tmp_path / "fakes"])) == ("real", "gan")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([], "No pictures were found in class folders"),  # empty
        (["a.png", "b.png"], "put real pictures or videos into a folder named Real"),  # no classes
        (["Real/notes.txt", "Fake/list.csv"], "No pictures were found"),  # a folder of text files
        (["train/Real/a.png", "val/Real/b.png"], r"only real pictures: add .* \(--self-blend 1\)"),  # one class
        (["train/Fake/a.png", "val/Fake/b.png"], "There are no real pictures"),  # the other
        (
            ["train/Real/a.png", "train/Fake/b.png", "val/Real/c.png"],
            "The val split has no fake pictures",
        ),  # half a val
        (["val/Real/a.png", "val/Fake/b.png"], "The train split has no real pictures"),  # nothing to train on
        (["Real/a.png", "Fake/b.png"], "The val split has no real pictures .there is only one"),  # one picture a class
        (["Real/a.png"], "There are only real pictures"),  # one picture
    ],
)
def test_unusable_folders(tmp_path, files, sentence):
    for seed, name in enumerate(files):
        if name.endswith("png"):
            picture(tmp_path / name, seed)
        else:
            (tmp_path / name).parent.mkdir(parents=True)
            (tmp_path / name).write_text("text")
    with pytest.raises(DataError, match=sentence):
        index_data([tmp_path])


def test_a_folder_of_pictures_that_do_not_decode_still_has_an_index(tmp_path):
    for name in ("Real/a.jpg", "Real/b.jpg", "Fake/c.jpg", "Fake/d.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"no picture")
    assert len(index_data([tmp_path])) == 4  # `prepare` leaves them out, and `survey` says so


def test_only_reals_will_do_where_fakes_are_made_from_them(tmp_path):
    for number in range(10):
        picture(tmp_path / f"Real/{number}a.png", number)
    samples = index_data([tmp_path], blended=True)
    assert {s.split for s in samples} == {"train", "val", "test"}
    with pytest.raises(DataError, match=r"val split has no real pictures \(there is only one"):
        picture(tmp_path / "other/Real/a.png")
        index_data([tmp_path / "other"], blended=True)


@pytest.mark.parametrize("name", ["nowhere", "no\0where"])
def test_missing_folders(tmp_path, name):
    with pytest.raises(DataError, match="There is no folder"):
        index_data([tmp_path / name])


def test_a_class_is_no_data_set(tmp_path):
    picture(tmp_path / "Real/a.png")
    with pytest.raises(DataError, match="is a class itself: name the folder above it"):
        index_data([tmp_path / "Real"])


def test_a_manifest_without_its_files_says_so(tmp_path):
    (tmp_path / "manifest.csv").write_text("path,label\nnowhere/a.png,real\nnowhere/b.png,fake\n")
    with pytest.raises(DataError, match=r"None of the 2 files that are named is there, the first: .*nowhere/a\.png"):
        index_data([tmp_path])
