"""What a report is made of, before it becomes HTML or PDF. All text is in its final language and not escaped yet."""

from dataclasses import dataclass

from core.analysis.types import Verdict
from core.timeline_points import Point


@dataclass(frozen=True)
class Title:
    """What the report is, and on which file."""

    product: str
    text: str


@dataclass(frozen=True)
class Headline:
    """The verdict in words; `share` is the fake probability, 0..1, `limits` where its scale is divided."""

    verdict: Verdict
    word: str
    probability: str
    share: float | None
    limits: tuple[float, float] | None
    caution: str


@dataclass(frozen=True)
class Heading:
    """Begins a section."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Running text; `muted` is what explains and does not say."""

    text: str
    muted: bool = False


@dataclass(frozen=True)
class Items:
    """Sentences, one below the other."""

    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Pairs:
    """Names and values."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """Rows under a head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Figure:
    """A JPEG with a line of text; `wide` ones take a row of their own."""

    jpeg: bytes
    size_wh: tuple[int, int]
    caption: str
    wide: bool = False


@dataclass(frozen=True)
class Figures:
    """Pictures side by side."""

    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Timeline:
    """One person's fake probability over time."""

    title: str
    axis: str
    points: tuple[Point, ...]
    stretches: tuple[tuple[float, float], ...]
    end_s: float
    limits: tuple[float, float] | None
    step_s: float
    order: int


@dataclass(frozen=True)
class Command:
    """Something to paste into a shell."""

    text: str


Block = Title | Headline | Heading | Paragraph | Items | Pairs | Table | Figures | Timeline | Command
