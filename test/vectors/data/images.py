"""PNG files written by hand from the specification (RFC 2083), every filter in turn, and their pixels. Run: python images.py > images.json"""
import base64
import json
import struct
import sys
import zlib

import numpy as np

rng = np.random.default_rng(5)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def paeth(a, b, c):
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    return a if pa <= pb and pa <= pc else b if pb <= pc else c


def png(pixels, colour, depth=8, palette=None):
    """pixels [height, width, channels], integers"""
    height, width, channels = pixels.shape
    size = channels * depth // 8
    lines = [row.astype(">u2" if depth == 16 else "u1").tobytes() for row in pixels]
    raw, above = b"", bytes(len(lines[0]))
    for y, line in enumerate(lines):
        kind = y % 5
        out = bytearray()
        for i, value in enumerate(line):
            left = line[i - size] if i >= size else 0
            corner = above[i - size] if i >= size else 0
            guess = [0, left, above[i], (left + above[i]) // 2, paeth(left, above[i], corner)][kind]
            out.append((value - guess) % 256)
        raw += bytes([kind]) + bytes(out)
        above = line
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    extra = b"" if palette is None else chunk(b"PLTE", palette.astype("u1").tobytes())
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def case(data, shown, largest=255):
    """shown [height, width, channels]"""
    first = np.moveaxis(shown, 2, 0).reshape(-1) / largest
    return {"png": base64.b64encode(data).decode(), "shape": [shown.shape[2], *shown.shape[:2]], "values": first.tolist()}


grey = rng.integers(0, 256, (7, 5, 1))
deep = rng.integers(0, 65536, (6, 4, 1))
colour = rng.integers(0, 256, (6, 3, 3))
clear = rng.integers(0, 256, (5, 3, 4))
dim = rng.integers(0, 256, (5, 3, 2))
palette = rng.integers(0, 256, (9, 3))
index = rng.integers(0, 9, (5, 4, 1))
json.dump(
    {
        "source": f"numpy {np.__version__}, test/vectors/data/images.py",
        "cases": {
            "grey": case(png(grey, 0), grey),
            "grey of 16 bits": case(png(deep, 0, 16), deep, 65535),
            "colour": case(png(colour, 2), colour),
            "colour with transparency": case(png(clear, 6), clear[:, :, :3]),
            "grey with transparency": case(png(dim, 4), dim[:, :, :1]),
            "palette": case(png(index, 3, palette=palette), palette[index[:, :, 0]]),
        },
    },
    sys.stdout,
)
