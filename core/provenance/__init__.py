"""What a file says of itself, apart from its pixels: metadata and Content Credentials, read offline."""

from core.provenance.credentials import read_credentials
from core.provenance.examine import examine
from core.provenance.special import error_levels, spectrum
from core.provenance.types import Credentials, Fact, Findings, Note

__all__ = ["Credentials", "Fact", "Findings", "Note", "error_levels", "examine", "read_credentials", "spectrum"]
