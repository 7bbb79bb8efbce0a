"""Read the format and size of a picture from its bytes, without decoding the picture.

A picture is sent to browsers with this format, and browsers are forbidden to guess another format.
SVG is refused because it can contain scripts.
"""

import struct
from typing import Final, NamedTuple

MAX_BYTES: Final = 300_000
MAX_SIDE: Final = 4000
"""The longest allowed side, in pixels: a larger picture would fill the memory of a phone."""
KINDS: Final = ("png", "jpeg", "webp")
# the bytes with which hidden data (Exif, XMP, IPTC) begin in JPEG, PNG and WebP files
_HIDDEN = (
    *(b"Exif\0\0", b"eXIf", b"EXIF", b"Raw profile type"),
    *(b"http://ns.adobe.com/", b"XML:com.adobe.xmp", b"XMP "),
    b"Photoshop 3.0",
)
# the codes of "start of frame" in a JPEG, without three codes in this range that mean other things
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class UnknownFormat(ValueError):
    """The file is not a picture that a page can show."""


class HiddenData(UnknownFormat):
    """The picture contains hidden data, such as the place where it was taken."""


class Found(NamedTuple):
    """The format of a picture (one of KINDS) and its size in pixels."""

    kind: str
    width: int
    height: int


def read(data: bytes) -> Found:
    """Return the format and size of a picture. Raises UnknownFormat."""
    if len(data) > MAX_BYTES:
        raise UnknownFormat
    try:
        found = _png(data) or _jpeg(data) or _webp(data)
    except (struct.error, IndexError):
        raise UnknownFormat from None
    if found is None or not (0 < found.width <= MAX_SIDE and 0 < found.height <= MAX_SIDE):
        raise UnknownFormat
    if any(mark in data for mark in _HIDDEN):
        raise HiddenData
    return found


def _png(data: bytes) -> Found | None:
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        return None
    return Found("png", *struct.unpack(">II", data[16:24]))


def _jpeg(data: bytes) -> Found | None:
    if data[:3] != b"\xff\xd8\xff":
        return None
    at = 2
    while data[at] == 0xFF:
        code = data[at + 1]
        if code in _FRAMES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return Found("jpeg", width, height)
        if code == 0xFF:
            at += 1
            continue
        # a length below 2 would make this loop endless
        at += 2 + max(2, struct.unpack(">H", data[at + 2 : at + 4])[0])
    return None


def _webp(data: bytes) -> Found | None:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    match data[12:16]:
        case b"VP8 " if data[23:26] == b"\x9d\x01\x2a":
            width, height = struct.unpack("<HH", data[26:30])
            return Found("webp", width & 0x3FFF, height & 0x3FFF)
        case b"VP8L" if data[20] == 0x2F:
            (bits,) = struct.unpack("<I", data[21:25])
            return Found("webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        case b"VP8X":
            width, height = data[24:27], data[27:30]
            if len(height) == 3:
                sides = (int.from_bytes(side, "little") + 1 for side in (width, height))
                return Found("webp", *sides)
    return None
