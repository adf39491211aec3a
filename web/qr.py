"""A QR code as one SVG path, for a template to draw: no image is fetched, no style is set."""

from dataclasses import dataclass

import qrcode

QUIET_MODULES = 4


@dataclass(frozen=True, slots=True)
class Drawn:
    """``path``: a square of one by one for each dark module; ``size``: with the quiet zone around."""

    path: str
    size: int


def drawn(text: str) -> Drawn:
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=QUIET_MODULES)
    code.add_data(text)
    rows = code.get_matrix()
    squares = (f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return Drawn("".join(squares), len(rows))
