"""What is said of one person in a video, in English; `core/words/retell.py` tells it in other languages."""

from collections import Counter
from collections.abc import Sequence

from core.analysis.types import Stretch
from core.analysis.verdict import GATE_WORDS, MIN_TRACK_FACES, Gate, percent

TOO_BRIEF = "Looks fake (probability {}), but is seen too briefly, among all faces of this video, to rule out chance."


def stretch_sentence(stretch: Stretch) -> str:
    """Where a film looks manipulated, and by what that is known."""
    when = f"Second {stretch.start_s:.1f} to {stretch.end_s:.1f}"
    looks = f"{when} looks manipulated (fake probability {percent(stretch.fake_probability)})"
    if stretch.contrast is None:
        return f"{looks}; the rest does not decide."
    inside, outside = stretch.contrast
    return f"{looks}: it stands out, with {percent(inside)} a face and {percent(outside)} in the rest."


def too_few_sentence(failed: Sequence[tuple[Gate, ...]], judged: int) -> str:
    """Why no verdict is given; `failed` holds the quality gates that each face fails."""
    faces = len(failed)
    if judged == faces:
        seen = "one frame" if faces == 1 else f"{faces} frames"
        return f"This face is seen in only {seen}; at least {MIN_TRACK_FACES} are needed for a verdict."
    if judged == 0:
        return f"None of this person's faces can be judged: they are mostly {_main_cause(failed)}."
    return f"Only {judged} of this person's {faces} faces can be judged; most others are {_main_cause(failed)}."


def _main_cause(failed: Sequence[tuple[Gate, ...]]) -> str:
    counts = Counter(gate for gates in failed for gate in gates)
    return GATE_WORDS[counts.most_common(1)[0][0]]
