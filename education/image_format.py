"""What a picture is by its own bytes: kind and size. Pure; nothing is decoded.

A browser decodes it, told the kind that is found here and to believe nothing else. Drawings in SVG
are refused: they can hold scripts.
"""

import struct
from typing import Final, NamedTuple

MOST_BYTES: Final = 300_000
MOST_PIXELS: Final = 4000
"""Of a side: more is no picture for a page, and takes a phone's memory."""
KINDS: Final = ("png", "jpeg", "webp")
# Exif as JPEG, PNG and WebP hold it, packed in a text of a PNG; the same of XMP; IPTC
_HIDDEN = (
    *(b"Exif\0\0", b"eXIf", b"EXIF", b"Raw profile type"),
    *(b"http://ns.adobe.com/", b"XML:com.adobe.xmp", b"XMP "),
    b"Photoshop 3.0",
)
# starts of frame of a JPEG; the other codes between them mean something else
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class NoPicture(ValueError):
    """It is none that a page can show."""


class HiddenData(NoPicture):
    """It tells what nobody sees: where and with what it was taken."""


class Found(NamedTuple):
    """Kind of KINDS, and the sides in pixels."""

    kind: str
    width: int
    height: int


def read(data: bytes) -> Found:
    """What these bytes are. Raises NoPicture."""
    if len(data) > MOST_BYTES:
        raise NoPicture
    try:
        found = _png(data) or _jpeg(data) or _webp(data)
    except (struct.error, IndexError):
        raise NoPicture from None
    if found is None or not (0 < found.width <= MOST_PIXELS and 0 < found.height <= MOST_PIXELS):
        raise NoPicture
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
        # a segment says how long it is, and is longer than nothing
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
