"""Files and bytes -> RGB uint8 (H, W, 3), with time stamps; and back."""

from core.media.container import VIDEO_SUFFIXES
from core.media.files import media_kind, shown_name
from core.media.images import IMAGE_SUFFIXES, MAX_PIXELS, Picture, encode_image, load_image
from core.media.preview import make_preview
from core.media.sampling import Sampling
from core.media.video import VideoFrame, VideoReader, read_frame_at, read_frames_at
from core.media.video_file import probe_video
from core.media.video_info import VideoInfo
from core.media.writer import H264Writer

__all__ = [
    "IMAGE_SUFFIXES",
    "MAX_PIXELS",
    "VIDEO_SUFFIXES",
    "H264Writer",
    "Picture",
    "Sampling",
    "VideoFrame",
    "VideoInfo",
    "VideoReader",
    "encode_image",
    "load_image",
    "make_preview",
    "media_kind",
    "probe_video",
    "read_frame_at",
    "read_frames_at",
    "shown_name",
]
