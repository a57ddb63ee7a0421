"""A training run as a folder on disk."""
