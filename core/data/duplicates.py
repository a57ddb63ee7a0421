"""Copies and near-copies of pictures: a perceptual hash, checked against a small grey copy of the picture.

The hash is the DCT hash of Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010): the
sign, against their median, of the 64 lowest frequencies of the picture at 32 x 32. Face crops are so alike that hashes
alone would call strangers copies, and chains of such pairs would join thousands. So the small copies must agree too.
On the 15,009 pictures of ../shared/data the two limits find every copy at half the size or at JPEG quality 40, a third
of those that lost 2 % of their border, and no group of more than four pictures. Mirrored copies are found by the hash
of the mirrored picture.
"""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

HASH_BITS_APART = 6
LIKENESS_MIN = 0.98
SMALL_SIDE = 16
_CHUNK = 4_000_000  # pairs looked at together


def perceptual_hash(grey: NDArray[np.uint8]) -> int:
    """64 bits that stay nearly the same when a picture (h, w) is scaled, re-encoded or made a little brighter."""
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:8, :8].ravel()
    bits = low > np.median(low[1:])  # the first is the mean brightness
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def mirrored_hash(grey: NDArray[np.uint8]) -> int:
    """`perceptual_hash` of the picture (h, w) as a mirror shows it."""
    return perceptual_hash(np.ascontiguousarray(grey[:, ::-1]))


def small_copy(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture (h, w) at 16 x 16, flat: uint8 (256,)."""
    return cv2.resize(grey, (SMALL_SIDE, SMALL_SIDE), interpolation=cv2.INTER_AREA).ravel()


def mirrored_copies(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The small copies (n, 256) of mirrored pictures."""
    return small.reshape(-1, SMALL_SIDE, SMALL_SIDE)[:, :, ::-1].reshape(-1, SMALL_SIDE**2)


def likeness(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Correlation, -1..1, of small copies (n, 256) pair by pair; 1 where both are flat.

    Frames of a video at 1 a second correlate by .92 or more, unrelated portraits and face crops by .1 on the average.
    """
    a, b = _standardised(first), _standardised(second)
    both_flat = ~a.any(axis=1) & ~b.any(axis=1)
    return np.where(both_flat, np.float32(1), np.einsum("nk,nk->n", a, b))


def near_pairs(hashes: NDArray[np.uint64], bits_apart: int = HASH_BITS_APART) -> NDArray[np.intp]:
    """All pairs of different hashes (n,) that differ in at most so many bits: (m, 2) indices, the smaller one first.

    Cut into one band more than that, two such hashes agree in at least one band: only pairs that share a band are
    compared, and no list of all pairs is ever made. The hashes must be unique.
    """
    edges = np.linspace(0, 64, bits_apart + 2).astype(int)
    found: list[NDArray[np.intp]] = [np.empty((0, 2), np.intp)]
    for low, high in pairwise(edges.tolist()):
        band = (hashes >> np.uint64(low)) & np.uint64((1 << (high - low)) - 1)
        order = np.argsort(band, kind="stable")
        starts = np.flatnonzero(np.diff(band[order], prepend=~band[order[:1]])) if len(order) else order
        for bucket in np.split(order, starts[1:]):
            found += _close_in(bucket, hashes, bits_apart)
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


def _close_in(bucket: NDArray[np.intp], hashes: NDArray[np.uint64], bits_apart: int) -> list[NDArray[np.intp]]:
    """Pairs within a bucket, some rows of its square at a time."""
    rows = max(1, _CHUNK // max(1, len(bucket)))
    pairs = []
    for start in range(0, len(bucket) if len(bucket) > 1 else 0, rows):
        part = bucket[start : start + rows]
        apart = np.bitwise_count(hashes[part][:, None] ^ hashes[bucket[start + 1 :]][None])
        first, second = np.nonzero(apart <= bits_apart)
        later = second >= first  # column k of the rest is number start + 1 + k of the bucket
        pairs.append(np.column_stack([part[first[later]], bucket[start + 1 + second[later]]]))
    return pairs


def near_copies(
    hashes: Sequence[int], small: NDArray[np.uint8], mirrored: Sequence[int] | None = None
) -> NDArray[np.intp]:
    """Pairs (m, 2) of pictures that are the same one: scaled, re-encoded, slightly changed, or mirrored.

    Args:
        hashes: n results of `perceptual_hash`.
        small: (n, 256) results of `small_copy`.
        mirrored: n results of `mirrored_hash`; None to find no mirrored copies.

    Pictures with one hash are tied in a chain, not each with each, so that a thousand copies make no million pairs.
    """
    if mirrored is None:
        return _near(hashes, small)
    # Each picture is looked for twice, as it is and as a mirror shows it; a face may be near to its own mirror image.
    twice = _near([*hashes, *mirrored], np.concatenate([small, mirrored_copies(small)])) % max(1, len(hashes))
    return np.unique(np.sort(twice[twice[:, 0] != twice[:, 1]], axis=1), axis=0)


def _near(hashes: Sequence[int], small: NDArray[np.uint8]) -> NDArray[np.intp]:
    values = np.asarray(hashes, dtype=np.uint64)
    unique, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    chain = np.column_stack([order[:-1], order[1:]])[np.diff(inverse[order]) == 0]
    near = first[near_pairs(unique)]
    pairs = np.concatenate([chain, near])
    return pairs[likeness(small[pairs[:, 0]], small[pairs[:, 1]]) >= LIKENESS_MIN]


def joined(count: int, pairs: NDArray[np.intp]) -> NDArray[np.intp]:
    """Numbers (count,) of the groups that pairs (m, 2) join, directly or by way of others."""
    links = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return connected_components(links, directed=False)[1].astype(np.intp)


def _standardised(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    values = small.astype(np.float32) - small.mean(axis=1, keepdims=True, dtype=np.float32)
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6)
