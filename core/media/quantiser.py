"""How coarsely a frame was compressed, as its decoder tells."""

import struct
from typing import Any

import numpy as np
from av.video.frame import VideoFrame as RawFrame

EXPORT = {"export_side_data": "venc_params"}
"""Options of a decoder that is to tell."""
_H264 = 1
_HEAD = struct.Struct("=I4xQQii")  # AVVideoEncParams: blocks, where they begin, bytes of each, codec, quantiser
_DELTA_AT = 4  # AVVideoBlockParams: x, y, width, height, and by how much a block differs; int32 each


def quantiser_of(raw: RawFrame) -> float | None:
    """The mean quantisation parameter of a frame's macroblocks, above 0 to 51 at any depth; None but for H.264.

    What x264 calls QP. By 6 more, twice as much is rounded away. A decoder with several threads may hand out the first
    frame and the last of a film while one of them still writes this down: blocks that are 0 do not count, and a frame
    that has no others does not tell (neither does a lossless one).
    """
    told: Any = raw.side_data.get("VIDEO_ENC_PARAMS")
    if told is None:
        return None
    data = np.frombuffer(bytes(told), np.uint8)
    count, first, size, codec, quantiser = _HEAD.unpack_from(data.data)
    if codec != _H264:
        return None
    if not count:
        return float(quantiser)
    blocks = data[first : first + count * size].reshape(count, size)[:, : 4 * (_DELTA_AT + 1)]
    of_blocks = quantiser + np.ascontiguousarray(blocks).view(np.int32)[:, _DELTA_AT]
    written = of_blocks[of_blocks > 0]
    return float(written.mean()) if len(written) else None
