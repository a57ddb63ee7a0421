"""Frames to faces to tracks to square crops."""

from core.faces.crop import crop_face, crop_square, find_faces_or_tight
from core.faces.finder import FaceFinder, default_finder
from core.faces.types import Box, Face

__all__ = ["Box", "Face", "FaceFinder", "crop_face", "crop_square", "default_finder", "find_faces_or_tight"]
