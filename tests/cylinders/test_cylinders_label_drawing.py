"""What is printed can be read: as drawn, and curved, dirty, blurred, at the sizes a phone sees.

The table is a regression, not a promise of phones: synthetic pictures with fixed seeds, and how many of each
kind zxing-cpp must read. Its floors are what was measured when it was written, less two where some were not.
"""

import io
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import zxingcpp
from numpy.random import Generator
from PIL import Image, ImageFilter
from qrcode.constants import ERROR_CORRECT_H as LEVEL_H
from qrcode.constants import ERROR_CORRECT_L as LEVEL_L
from qrcode.constants import ERROR_CORRECT_M as LEVEL_M
from qrcode.constants import ERROR_CORRECT_Q as LEVEL_Q

from core.sealed import Keyring
from cylinders.code import new_code
from cylinders.label_address import address, tag
from cylinders.label_drawing import QUIET_ZONE, png, symbol, symbol_image

HOST = "https://lpg.sh.cn"
SHOTS = 20
Picture = np.ndarray[tuple[int, int], np.dtype[np.float64]]


def addresses(count: int) -> Iterator[tuple[str, str]]:
    keyring = Keyring.fresh()
    for _ in range(count):
        code = new_code()
        yield code, address(HOST, code, tag(keyring, 1, code, 1) or "")


def read(picture: Image.Image) -> list[str]:
    return [one.text for one in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)]


def test_a_label_is_a_small_symbol_of_level_q_in_capitals_with_a_quiet_zone() -> None:
    for code, said in addresses(20):
        drawn = symbol(said)
        assert (drawn.version, drawn.modules) == (3, 29 + 2 * QUIET_ZONE)
        edge = [*drawn.rows[:QUIET_ZONE], *drawn.rows[-QUIET_ZONE:]]
        assert not any(any(row) for row in edge)
        assert not any(any(row[:QUIET_ZONE]) or any(row[-QUIET_ZONE:]) for row in drawn.rows)
        [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(png(said, code, 1))))
        assert (found.text, found.ec_level) == (said, "Q")
        assert found.content_type is zxingcpp.ContentType.Text


def test_the_path_of_the_svg_is_the_symbol() -> None:
    """Painted run by run from the path alone, it is the same picture."""
    for _, said in addresses(3):
        drawn = symbol(said)
        painted = np.zeros((drawn.modules, drawn.modules), bool)
        for run in drawn.path.split("M")[1:]:
            where, _, rest = run.partition("h")
            x, y = map(int, where.split())
            painted[y, x : x + int(rest.split("v")[0])] = True
        assert painted.tolist() == [list(row) for row in drawn.rows]


def test_level_q_is_the_highest_at_this_size_and_reads_most_under_dirt() -> None:
    """The finders kept clean: no level protects those."""
    said = fixed_addresses()
    assert [symbol(said[0], level).version for level in (LEVEL_L, LEVEL_M, LEVEL_Q, LEVEL_H)] == [2, 3, 3, 4]
    by_level = {}
    for level in (LEVEL_L, LEVEL_M, LEVEL_Q):
        rng = np.random.default_rng(5)
        pictures = (dirty(seen(one, 200, level), rng, 0.05, clean_finders=True) for one in said)
        by_level[level] = sum(read(Image.fromarray(one.astype(np.uint8))) != [] for one in pictures)
    assert by_level[LEVEL_Q] >= 12
    assert by_level[LEVEL_L] < by_level[LEVEL_M] < by_level[LEVEL_Q]


def test_a_longer_host_is_a_larger_symbol_and_still_read() -> None:
    said = "HTTPS://LABELS.LPG.SHANGHAI.EXAMPLE.CN:8443/C/31XBW3A0A88K/0A1B2C3D4E5F6"
    drawn = symbol(said)
    assert drawn.version == 5
    assert read(symbol_image(drawn, 4)) == [said]


# --- in poor light ----------------------------------------------------------------------------------------


def seen(said: str, across_px: int, level: int = LEVEL_Q) -> Picture:
    """The label as a camera has it: so many pixels across, a grey background around it."""
    sharp = symbol_image(symbol(said, level), 16).resize((across_px, across_px), Image.Resampling.BOX)
    edge = across_px // 5
    framed = Image.new("L", (across_px + 2 * edge,) * 2, 150)
    framed.paste(sharp, (edge, edge))
    return np.asarray(framed, dtype=float)


def curved(picture: Picture, rng: Generator, radius: float = 1.2) -> Picture:
    """Round a cylinder standing upright; ``radius`` in widths of the picture."""
    width = picture.shape[1]
    across = (np.arange(width) - width / 2) / width
    angle = np.clip(across / radius, -1, 1)
    source = (np.arcsin(angle) * radius * width + width / 2).round().astype(int)
    shade = np.sqrt(1 - angle**2)
    return picture[:, np.clip(source, 0, width - 1)] * shade[None, :]


def tightly_curved(picture: Picture, rng: Generator) -> Picture:
    return curved(picture, rng, 0.65)


def dirty(picture: Picture, rng: Generator, share: float = 0.03, *, clean_finders: bool = False) -> Picture:
    """Blots of grease and paint over that share of it."""
    marred, height = picture.copy(), picture.shape[0]
    rows, columns = np.ogrid[:height, :height]
    covered = np.zeros_like(picture, bool)
    while covered.mean() < share:
        y, x = rng.integers(0, height, 2)
        size = rng.uniform(0.01, 0.035) * height
        near = sorted((min(y, height - y) / height, min(x, height - x) / height))
        if clean_finders and near[1] < 0.42 and (y < height / 2 or x < height / 2):
            continue
        covered |= (rows - y) ** 2 + (columns - x) ** 2 < size**2
    marred[covered] = rng.choice([40.0, 200.0])
    return marred


def blurred(picture: Picture, rng: Generator) -> Picture:
    soft = Image.fromarray(picture.clip(0, 255).astype(np.uint8)).filter(
        ImageFilter.GaussianBlur(picture.shape[0] / 200)
    )
    return np.asarray(soft, dtype=float)


def faded(picture: Picture, rng: Generator) -> Picture:
    """Little contrast, and the noise of a small lens."""
    return 110 + 0.35 * (picture - 128) + rng.normal(0, 8, picture.shape)


def turned(picture: Picture, rng: Generator) -> Picture:
    angle = float(rng.uniform(-25, 25))
    held = Image.fromarray(picture.clip(0, 255).astype(np.uint8)).rotate(
        angle, resample=Image.Resampling.BILINEAR, fillcolor=150
    )
    return np.asarray(held, dtype=float)


Spoilt = tuple[Callable[[Picture, Generator], Picture], ...]
TABLE: list[tuple[str, int, Spoilt, int]] = [
    ("clean", 111, (), 20),
    ("two pixels a module", 74, (), 20),
    ("one and a half", 56, (), 20),
    ("turned", 150, (turned,), 20),
    ("round a bottle", 150, (curved, turned), 20),
    ("round a narrow neck", 200, (tightly_curved,), 20),
    ("blurred", 150, (blurred,), 20),
    ("faded", 150, (faded,), 20),
    ("dirty", 200, (dirty,), 8),
    ("curved, blurred, faded and turned", 200, (curved, turned, blurred, faded), 16),
    ("all of it", 200, (curved, dirty, turned, blurred, faded), 8),
]


@pytest.mark.parametrize(("kind", "across_px", "spoil", "floor"), TABLE, ids=[row[0] for row in TABLE])
def test_of_twenty_labels_at_least_so_many_are_read_and_none_wrongly(
    kind: str, across_px: int, spoil: Spoilt, floor: int
) -> None:
    rng = np.random.default_rng(20240612)
    right = 0
    for said in fixed_addresses():
        picture = seen(said, across_px)
        for step in spoil:
            picture = step(picture, rng)
        found = read(Image.fromarray(picture.clip(0, 255).astype(np.uint8)))
        assert found in ([], [said])
        right += bool(found)
    assert right >= floor, f"{kind}: {right} of {SHOTS}"


def fixed_addresses() -> list[str]:
    """Always the same, so that the table is."""
    rng = np.random.default_rng(7)
    symbols = list("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    codes = ["".join(rng.choice(symbols, 12 + 13)) for _ in range(SHOTS)]
    return [f"HTTPS://LPG.SH.CN/C/{code[:12]}/{code[12:]}" for code in codes]
