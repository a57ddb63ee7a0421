"""The fixed texts of reports and findings in four languages: plain catalogue files, one a language."""

from core.words.catalogue import LANGUAGES, Words, words
from core.words.retell import retell

__all__ = ["LANGUAGES", "Words", "retell", "words"]
