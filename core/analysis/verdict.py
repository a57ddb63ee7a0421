"""The verdict rules: pure functions from numbers to verdicts and sentences. Screens and records get theirs here.

A face: its calibrated probability against two thresholds, after the quality gates. An image: its worst face.
A track (one person in a video): see `core.analysis.track_rule`. A video: its worst person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from core.analysis.types import FaceScore, Quality, TrackReport, Verdict

if TYPE_CHECKING:
    from core.detector.spec import QualityGates, Thresholds

Gate = Literal["small", "blurred", "turned", "dark", "noisy", "compressed", "tilted"]

VERDICT_WORDS: dict[Verdict, str] = {
    "real": "no manipulation found",
    "fake": "likely fake",
    "uncertain": "uncertain",
    "no_face": "no face found",
    "error": "could not be read",
}
GATE_WORDS: dict[Gate, str] = {
    "small": "too small",
    "blurred": "too blurred",
    "turned": "turned too far to the side",
    "dark": "too dark",
    "noisy": "too noisy",
    "compressed": "too strongly compressed (look for a better copy)",
    "tilted": "tilted too far (turn the picture upright)",
}
NO_FACE_IMAGE = "No face was found in this picture, so nothing can be said about it."
NO_FACE_VIDEO = "No face was found in the frames that were analysed, so nothing can be said about this video."
TOO_CLOSE = "too close to call."
MIN_TRACK_FACES = 3
MOST_DECIMALS = 6

_BADNESS: dict[Verdict, int] = {"error": 0, "no_face": 0, "real": 1, "uncertain": 2, "fake": 3}


def verdict_of(probability: float, thresholds: Thresholds) -> Verdict:
    """`fake` from `fake_above` on, `real` below `real_below`, `uncertain` between (and for what is not a number)."""
    if probability >= thresholds.fake_above:
        return "fake"
    return "real" if probability < thresholds.real_below else "uncertain"


def failed_gates(quality: Quality, gates: QualityGates) -> tuple[Gate, ...]:
    """The gates that a face does not pass; what is unknown passes. Empty for a face that can be judged."""
    checks: dict[Gate, bool] = {
        # first: what lies on its side fails others as well, and this one can be mended
        "tilted": quality.tilt is not None and quality.tilt > gates.max_tilt,
        "small": quality.face_px < gates.min_face_px,
        "blurred": quality.sharpness < gates.min_sharpness,
        "turned": quality.turn is not None and quality.turn > gates.max_turn,
        "dark": quality.brightness < gates.min_brightness,
        "noisy": quality.noise is not None and quality.noise > gates.max_noise,
        "compressed": quality.quantiser is not None and quality.quantiser > gates.max_quantiser,
    }
    return tuple(gate for gate, failed in checks.items() if failed)


def told_apart(*rising: float, digits: int) -> list[str]:
    """Figures rounded to `digits` decimals, or to as many more as it takes to show on which side of which each lies."""
    for decimals in range(digits, MOST_DECIMALS + 1):
        texts = [f"{figure:.{decimals}f}" for figure in rising]
        if len(set(texts)) == len(texts):
            return texts
    return [f"{figure:.{digits}f}" for figure in rising]  # the same even so: at the limit


def percent(probability: float) -> str:
    """0.873 as "87 %"; certainty is never claimed, so the ends read "< 1 %" and "> 99 %"."""
    if probability < 0.01:
        return "< 1 %"
    return "> 99 %" if probability > 0.99 else f"{100 * probability:.0f} %"


def gate_sentence(gate: Gate, quality: Quality, gates: QualityGates) -> str:
    """Why a face that fails `gate` cannot be judged, with the figure and its limit."""
    if gate == "small":
        return (
            f"The face is only {int(quality.face_px)} pixels high; "
            f"below {gates.min_face_px:g} nothing reliable can be said."
        )
    if gate == "blurred":
        value, _ = told_apart(quality.sharpness, gates.min_sharpness, digits=1)
        return f"The face is too blurred: sharpness {value}, at least {gates.min_sharpness:g} is needed."
    if gate == "dark":
        value, _ = told_apart(quality.brightness, gates.min_brightness, digits=0)
        return f"The face is too dark: brightness {value} of 255, at least {gates.min_brightness:g}."
    if gate == "noisy":
        _, value = told_apart(gates.max_noise, quality.noise or 0.0, digits=1)
        return (
            f"The face is too noisy: noise of {value} grey levels; "
            f"above {gates.max_noise:g} nothing reliable can be said."
        )
    if gate == "compressed":
        _, value = told_apart(gates.max_quantiser, quality.quantiser or 0.0, digits=0)
        return (
            f"The film is compressed too strongly here: quantiser {value}; "
            f"above {gates.max_quantiser:g} nothing reliable can be said. Look for a better copy."
        )
    if gate == "tilted":
        _, value = told_apart(gates.max_tilt, quality.tilt or 0.0, digits=0)
        return (
            f"The face is tilted by {value} degrees; above {gates.max_tilt:g} nothing reliable can be said. "
            "Turn the picture upright."
        )
    value, _ = told_apart(quality.turn or 0.0, gates.max_turn, digits=2)
    return (
        f"The head is turned too far to the side: {value}, where 0 is frontal and 1 is a profile; "
        f"above {gates.max_turn:g} nothing reliable can be said."
    )


def between_sentence(probability: float, thresholds: Thresholds) -> str:
    """Why a probability between the thresholds is no verdict."""
    shares = thresholds.real_below, probability, thresholds.fake_above
    low, value, high = told_apart(*(100 * share for share in shares), digits=0)
    return f"The fake probability of {value} % lies between {low} % and {high} %: {TOO_CLOSE}"


def passed_gates(score: FaceScore) -> bool:
    """Whether a face could be judged, be it that its number is too close to call.

    Told by its reasons: a record keeps these, and not the gates that were in use.
    """
    return score.verdict != "uncertain" or any(reason.endswith(TOO_CLOSE) for reason in score.reasons)


def judge_face(
    probability: float, quality: Quality, thresholds: Thresholds, gates: QualityGates
) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict on one face, and its reasons.

    Args:
        probability: Calibrated P(fake), 0..1.
        quality: The face's figures; one that fails a gate is `uncertain` whatever the network says.
        thresholds: Two limits on the probability.
        gates: Limits on the figures.

    Returns:
        `real`, `fake` or `uncertain`, and sentences: one for each failed gate, or why it is too close to call.
    """
    failed = failed_gates(quality, gates)
    if failed:
        return "uncertain", tuple(gate_sentence(gate, quality, gates) for gate in failed)
    verdict = verdict_of(probability, thresholds)
    return verdict, (between_sentence(probability, thresholds),) if verdict == "uncertain" else ()


def worst_face(faces: Sequence[FaceScore]) -> int | None:
    """Index of the face that decides: fake before uncertain before real, then the highest probability."""
    if not faces:
        return None
    return max(range(len(faces)), key=lambda i: (_BADNESS[faces[i].verdict], faces[i].fake_probability))


def judge_image(faces: Sequence[FaceScore]) -> tuple[Verdict, float | None, tuple[str, ...]]:
    """The verdict on a picture by its worst face: verdict, that face's probability, reasons.

    One face that is fake makes the picture fake; without one, a face that cannot be judged makes it uncertain.
    With several faces each reason names its face by its number, from 1 in the order given; those of the face that
    decides come first.
    """
    index = worst_face(faces)
    if index is None:
        return "no_face", None, (NO_FACE_IMAGE,)
    order = sorted(range(len(faces)), key=lambda i: i != index)
    reasons = _numbered("Face", ((i + 1, faces[i].reasons) for i in order), len(faces) > 1)
    return faces[index].verdict, faces[index].fake_probability, reasons


def worst_track(tracks: Sequence[TrackReport], thresholds: Thresholds) -> TrackReport | None:
    """The person who decides: fake before uncertain before real, then the highest probability.

    Tracks of fewer than three faces (a passer-by, a false detection) decide only when nobody else was judged or when
    they look fake; then the video is `uncertain`, since so few faces prove nothing.
    """
    lasting = [track for track in tracks if track.face_count >= MIN_TRACK_FACES]
    weighty = [t for t in tracks if t.face_count >= MIN_TRACK_FACES or t.fake_probability >= thresholds.fake_above]
    candidates = weighty if lasting else tracks
    return max(candidates, key=lambda track: (_BADNESS[track.verdict], track.fake_probability), default=None)


def judge_video(tracks: Sequence[TrackReport], thresholds: Thresholds) -> tuple[Verdict, float | None, tuple[str, ...]]:
    """The verdict on a video by its worst person: verdict, that person's probability, reasons, that one's first."""
    worst = worst_track(tracks, thresholds)
    if worst is None:
        return "no_face", None, (NO_FACE_VIDEO,)
    order = sorted(tracks, key=lambda track: track is not worst)
    reasons = _numbered("Person", ((track.id, track.reasons) for track in order), len(tracks) > 1)
    return worst.verdict, worst.fake_probability, reasons


def _numbered(noun: str, reasons: Iterable[tuple[int, Sequence[str]]], several: bool) -> tuple[str, ...]:
    return tuple(
        f"{noun} {number}: {sentence}" if several else sentence
        for number, sentences in reasons
        for sentence in sentences
    )
