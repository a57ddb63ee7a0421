"""Pieces that pages share. They draw; what they draw comes from `core`."""
