"""Folders to indexed, split, cropped, augmented batches."""
