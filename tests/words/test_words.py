"""core.words: the catalogues agree with each other and with the sentences of the analysis."""

import re
from string import Formatter

import pytest

from core.analysis.track_sentences import TOO_BRIEF, stretch_sentence, too_few_sentence
from core.analysis.types import Quality, Stretch
from core.analysis.verdict import (
    GATE_WORDS,
    NO_FACE_IMAGE,
    NO_FACE_VIDEO,
    VERDICT_WORDS,
    between_sentence,
    gate_sentence,
)
from core.detector.spec import QualityGates, Thresholds
from core.words import LANGUAGES, retell, words
from core.words.retell import _patterns

OTHERS = [language for language in LANGUAGES if language != "en"]
SAME_BY_NATURE = re.compile(
    r"report\.(sha256|bytes_value|pixels|seconds|frames_value|credentials)|fact\.\w+|action\.\w+|person.*"
)


def fields(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", OTHERS)
def test_every_catalogue_has_every_key_and_the_same_placeholders(language):
    english, other = words("en").texts, words(language).texts
    assert list(other) == list(english)
    assert {key for key in english if fields(english[key]) != fields(other[key])} == set()
    assert all(text.strip() for text in other.values())


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_was_left_in_english(language):
    english, other = words("en").texts, words(language).texts
    same = {key for key in english if english[key] == other[key] and not SAME_BY_NATURE.match(key)}
    assert same <= {"report.name", "report.person", "report.verdict", "report.model"}  # words that two languages share


@pytest.mark.parametrize("language", LANGUAGES)
def test_real_never_says_more_than_no_manipulation_found(language):
    said = words(language)("verdict.real")
    assert not re.search(r"\b(real|authentic|genuine|echt|authentique|auténtico|vrai)\b", said, re.IGNORECASE)


def test_verdict_words_are_those_of_the_analysis():
    for verdict in ("real", "fake", "uncertain", "no_face"):
        assert words("en")(f"verdict.{verdict}").lower() == VERDICT_WORDS[verdict]


def test_unknown_language_is_refused():
    with pytest.raises(ValueError, match="en, de, fr, es"):
        words("xx")


QUALITY, GATES = Quality(31.4, 1.23, 12.5, 0.81, 23.4, 41.3, 77.0), QualityGates()
SENTENCES = [
    *(gate_sentence(gate, QUALITY, GATES) for gate in GATE_WORDS),
    between_sentence(0.5, Thresholds(0.3, 0.75)),
    NO_FACE_IMAGE,
    NO_FACE_VIDEO,
    TOO_BRIEF.format("91 %"),
    stretch_sentence(Stretch(4.0, 7.25, 0.95)),
    stretch_sentence(Stretch(4.0, 7.25, 0.95, (0.91, 0.08))),
    too_few_sentence([()], 1),  # one frame
    too_few_sentence([(), ()], 2),  # two frames
    *(too_few_sentence([(), (gate,), (gate,)], 1) for gate in GATE_WORDS),
    *(too_few_sentence([(gate,), (gate,)], 0) for gate in GATE_WORDS),
    '"a {b}.png" is cut off: only a part of it could be decoded, the rest is blank.',
    '"a.mp4" is cut off or damaged: it decodes only up to second 1.5 of 3.0.',
]


@pytest.mark.parametrize("sentence", SENTENCES)
@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_of_the_analysis_is_told_again(sentence, language):
    told = retell(sentence, words(language))
    assert told != sentence
    figures = re.findall(r"\d+(?:\.\d+)?", sentence)
    assert [figure.replace(".", ",") for figure in figures] == re.findall(r"\d+(?:,\d+)?", told)  # none is lost
    assert retell(f"Face 2: {sentence}", words(language)).endswith(told)


def test_what_is_not_known_stays():
    assert retell("Something new.", words("de")) == "Something new."
    assert retell("Person 3: Something new.", words("fr")) == "Personne 3: Something new."
    assert retell(SENTENCES[0], words("en")) == SENTENCES[0]


def test_every_template_knows_its_own_text():
    for key, pattern in _patterns():
        text = words("en").texts[key]
        filled = text.format(**dict.fromkeys(fields(text), "1.5"))
        assert [other for other, one in _patterns() if one.fullmatch(filled)] == [key]
        assert pattern.fullmatch(filled)


@pytest.mark.parametrize(
    ("share", "expected"), [(None, "–"), (0.0, "< 1 %"), (0.873, "87 %"), (0.999, "> 99 %"), (1.0, "> 99 %")]
)
def test_percent_never_claims_certainty(share, expected):
    assert words("de").percent(share).replace("\u00a0", " ") == expected


def test_a_percent_sign_stays_with_its_figure():
    assert "69\u00a0%" in retell(
        "The fake probability of 69 % lies between 24 % and 81 %: too close to call.", words("de")
    )
    assert words("fr").percent(0.69) == "69\u00a0%"
    assert words("fr").percent(0.999) == ">\u00a099\u00a0%"
    assert words("fr").percent(None) == "–"
