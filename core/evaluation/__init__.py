"""A detector measured on labelled media: figures with their uncertainty, curves, robustness, comparisons."""

from core.evaluation.document import Document, anonymous, read_document, to_json
from core.evaluation.figures import summarise
from core.evaluation.run import Request, evaluate
from core.evaluation.scoring import Scored, score_media, score_pictures
from core.evaluation.weights import balance_weights, even_weights

__all__ = [
    "Document",
    "Request",
    "Scored",
    "anonymous",
    "balance_weights",
    "evaluate",
    "even_weights",
    "read_document",
    "score_media",
    "score_pictures",
    "summarise",
    "to_json",
]
