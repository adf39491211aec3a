"""A film for chromium's false camera: one code after another, each shown for a while, as raw frames (y4m).

Written without ffmpeg, so that nothing has to be installed for it: luminance only, the colours are grey.
"""

from collections.abc import Sequence
from pathlib import Path

import qrcode

WIDTH, HEIGHT = 640, 480
PAPER, INK = 235, 16
FRAMES_EACH = 8


def film(path: Path, texts: Sequence[str]) -> Path:
    """The browser plays it again and again."""
    grey = bytes([128]) * (WIDTH * HEIGHT // 2)
    with path.open("wb") as out:
        out.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F15:1 Ip A1:1 C420jpeg\n".encode())
        for text in texts:
            out.write((b"FRAME\n" + _picture(text) + grey) * FRAMES_EACH)
    return path


def _picture(text: str) -> bytes:
    """The code in the middle of a white frame, as large as it fits."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_Q, border=4)
    code.add_data(text)
    rows = code.get_matrix()
    side = HEIGHT // len(rows)
    left = (WIDTH - side * len(rows)) // 2
    blank = bytes([PAPER]) * WIDTH
    lines = []
    for row in rows:
        dots = b"".join(bytes([INK if dark else PAPER]) * side for dark in row)
        lines += [(blank[:left] + dots + blank)[:WIDTH]] * side
    return b"".join(lines + [blank] * (HEIGHT - len(lines)))
