"""Where a detector comes from: its file, its spec, its graph; checked before anything is built from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from core.detector.artifact import check_outputs, check_weights, load_spec, refuse_pickles_in, weights_path
from core.detector.graph import Graph
from core.detector.loading import read_graph
from core.detector.spec import DetectorSpec
from core.detector.weights import Weights, read_weights


@dataclass(frozen=True)
class Source:
    """A detector on disk whose weights are the ones that its spec names.

    Attributes:
        weights_file: Path of the .keras or .h5 file.
        spec: What stands in its model.json, or what a bare file gives away.
        sha256: Hash of the weights.
    """

    weights_file: Path
    spec: DetectorSpec
    sha256: str

    @cached_property
    def graph(self) -> Graph:
        """The flat network; read when it is first needed, since a start from the cache does without."""
        graph = read_graph(self.weights_file)
        check_outputs(graph.head.units, self.spec)
        return graph

    def read_weights(self) -> Weights:
        """The weights, read from the file at each call: they are large, and an engine keeps its own copy."""
        return read_weights(self.weights_file, self.graph)


def open_source(path: Path) -> Source:
    """Read a detector's spec and check its weights against the hash in it.

    Raises:
        DetectorError: Something is missing, damaged, unsafe or has been changed.
    """
    spec = load_spec(path)
    if path.is_dir():
        refuse_pickles_in(path)
    weights_file = weights_path(path, spec)
    return Source(weights_file, spec, check_weights(weights_file, spec))
