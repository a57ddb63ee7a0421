"""Catalogues: `en.json` and its translations hold the same keys with the same placeholders; a test says so."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

LANGUAGES = MappingProxyType({"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"})
"""Code and own name of each language that there is a catalogue of."""


@dataclass(frozen=True)
class Words:
    """The texts of one language.

    Attributes:
        language: Its code, as in HTML's `lang`.
        texts: Text by key; `{name}` stands for what is filled in.
    """

    language: str
    texts: MappingProxyType[str, str]

    def __call__(self, key: str, **values: Any) -> str:
        """The text of a key, filled in; values are put in as they are and never looked into."""
        return self.texts[key].format_map(values)

    def has(self, key: str) -> bool:
        return key in self.texts

    def number(self, value: float, digits: int = 1) -> str:
        """A decimal number as the language writes it: 3.5 or 3,5."""
        return self.localised(f"{value:.{digits}f}")

    def localised(self, plain: str) -> str:
        """A decimal number written with a point, as the language writes it."""
        return plain if self.language == "en" else plain.replace(".", ",")

    def percent(self, share: float | None) -> str:
        """0.873 as "87 %", never broken over two lines; the ends read "< 1 %" and "> 99 %", for nothing is certain."""
        if share is None:
            return "–"
        if share < 0.01:
            return "<\u00a01\u00a0%"
        if share > 0.99:
            return ">\u00a099\u00a0%"
        return f"{100 * share:.0f}\u00a0%"


@cache
def words(language: str = "en") -> Words:
    """The texts of a language.

    Raises:
        ValueError: There is no catalogue of it.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}, got {language!r}")
    texts = json.loads((Path(__file__).parent / f"{language}.json").read_text(encoding="utf-8"))
    return Words(language, MappingProxyType(texts))
