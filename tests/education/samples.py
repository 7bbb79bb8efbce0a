"""Two small pages as an editor writes them, and how to change them."""

import struct
import zlib

from education import content

KNEES = """---
title: Creaking knees
summary: Why knees creak, and when that matters.
audience: Adults with noisy knees
order: 2
related: [knees/overview]
sources:
  - {text: A study of knees, url: "https://example.org/knees"}
  - {text: A book of knees}
written: 2026-11-01
---
Knees creak [1]. Most of them mean no harm [1, 2].

## When to call

```care emergency
Call 911 if the knee is gone.
```

## What helps

Walking. See [the overview](/conditions/knees/), or call {phone}.

### In the evening

| exercise | minutes |
| --- | --- |
| bending | 5 |
"""

OVERVIEW = """---
title: Knees
summary: What knees do.
audience: Everybody with knees
order: 1
related: [knees/creaking]
sources:
  - {text: An atlas, url: "https://example.org/atlas"}
written: 2026-11-02
---
A knee bends [1].

## Two of them

Most people have two, and some call them jumpy.
"""


def png(width: int = 2, height: int = 1, more: bytes = b"") -> bytes:
    """Return a complete PNG of grey pixels. `more` is the name and content of an extra chunk."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    parts = [chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))]
    parts += [chunk(more[:4], more[4:])] if more else []
    return b"\x89PNG\r\n\x1a\n" + b"".join([*parts, chunk(b"IDAT", rows), chunk(b"IEND", b"")])


def creaking(**changed: str) -> content.Page:
    """Return the page about creaking knees. `changed` maps lines of the file to their new text."""
    return _page("knees/creaking", KNEES, changed)


def overview(**changed: str) -> content.Page:
    """Return the overview page about knees. `changed` maps lines of the file to their new text."""
    return _page("knees/overview", OVERVIEW, changed)


def _page(name: str, text: str, changed: dict[str, str]) -> content.Page:
    body = changed.pop("body", None)
    lines = [
        next((f"{key}: {new}" for key, new in changed.items() if line.startswith(f"{key}:")), line)
        for line in text.splitlines()
    ]
    text = "\n".join(lines)
    if body is not None:
        text = text.partition("\n---\n")[0] + f"\n---\n{body}"
    return content.parse(name, text)
