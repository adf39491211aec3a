"""A label as it is printed: the QR symbol as a path for SVG, and a whole label as PNG.

Level Q survives scratches at no larger a version than M; four modules of white around it are the standard's
quiet zone. At 30 mm a module is 0.8 mm wide, which a phone reads from a hand's breadth (docs/adr/0015).
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import qrcode
from PIL import Image, ImageDraw, ImageFont
from qrcode.constants import ERROR_CORRECT_Q
from qrcode.util import MODE_ALPHA_NUM, QRData

from cylinders.code import ALPHABET

QUIET_ZONE = 4
WIDTH_MM, HEIGHT_MM = 64, 35
SYMBOL_MM = 30
CODE_BAND_MM = 5
_PNG_DOTS_A_MM = 24
_CAPITALS = frozenset(ALPHABET + "ILOU $%*+-./:")


@dataclass(frozen=True, slots=True)
class Symbol:
    """``modules``: its width in modules, quiet zone and all. ``path``: the dark ones, for an SVG path."""

    version: int
    modules: int
    rows: tuple[tuple[bool, ...], ...]

    @property
    def path(self) -> str:
        return "".join(
            f"M{start} {y}h{length}v1h-{length}z"
            for y, row in enumerate(self.rows)
            for start, length in _runs(row)
        )


@lru_cache(maxsize=1024)
def symbol(address: str, level: int = ERROR_CORRECT_Q) -> Symbol:
    drawn = qrcode.QRCode(error_correction=level, border=QUIET_ZONE)
    mode = MODE_ALPHA_NUM if set(address) <= _CAPITALS else None
    drawn.add_data(QRData(address, mode=mode), optimize=0)
    drawn.make(fit=True)
    rows = tuple(tuple(map(bool, row)) for row in drawn.get_matrix())
    return Symbol(drawn.version, len(rows), rows)


def _runs(row: Sequence[bool]) -> list[tuple[int, int]]:
    """Where dark runs begin, and how long they are."""
    runs: list[tuple[int, int]] = []
    for x, dark in enumerate(row):
        if dark and runs and sum(runs[-1]) == x:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        elif dark:
            runs.append((x, 1))
    return runs


def in_fours(code: str) -> str:
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))


def symbol_image(drawn: Symbol, dots: int) -> Image.Image:
    """The symbol alone, each module ``dots`` wide."""
    image = Image.new("L", (drawn.modules, drawn.modules), 255)
    image.putdata([0 if dark else 255 for row in drawn.rows for dark in row])
    return image.resize((drawn.modules * dots, drawn.modules * dots), Image.Resampling.NEAREST)


def png(address: str, code: str, number: int) -> bytes:
    """A whole label at 610 dots an inch: the symbol, the code beneath it in groups of four, its number."""
    dots = _PNG_DOTS_A_MM
    drawn = symbol(address)
    image = Image.new("L", (WIDTH_MM * dots, HEIGHT_MM * dots), 255)
    image.paste(symbol_image(drawn, SYMBOL_MM * dots // drawn.modules), (0, 0))
    pen = ImageDraw.Draw(image)
    middle = (WIDTH_MM * dots // 2, HEIGHT_MM * dots - CODE_BAND_MM * dots // 2)
    pen.text(middle, in_fours(code), fill=0, anchor="mm", font=ImageFont.load_default(4 * dots))
    aside = ((SYMBOL_MM + 2) * dots, SYMBOL_MM * dots // 2)
    pen.text(aside, f"No. {number}", fill=0, anchor="lm", font=ImageFont.load_default(5 * dots))
    kept = io.BytesIO()
    image.convert("1").save(kept, "PNG", dpi=(dots * 25.4, dots * 25.4))
    return kept.getvalue()
