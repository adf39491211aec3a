"""A QR code as an image that stands in the page itself: no request is made for it and nothing is kept."""

import base64

import qrcode
import qrcode.image.svg


def as_image(text: str) -> str:
    """A ``data:`` address of an SVG, level Q, quiet zone 4."""
    code = qrcode.QRCode(
        error_correction=qrcode.constants.ERROR_CORRECT_Q,
        border=4,
        image_factory=qrcode.image.svg.SvgPathImage,
    )
    code.add_data(text)
    drawn = code.make_image().to_string(encoding="unicode")
    return "data:image/svg+xml;base64," + base64.b64encode(drawn.encode()).decode()
