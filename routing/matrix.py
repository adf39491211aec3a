"""Travel between places.

    Matrix        seconds and metres between every two places, by one profile
    TravelTimes   what a provider of matrices promises
    GreatCircle   the provider that needs no street data

A pair without a way is -1 in both arrays. It is forbidden: never zero, never a large number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from routing.plain import fields

NO_WAY = -1
EARTH_RADIUS_M = 6_371_008.8  # IUGG mean radius


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """``seconds`` and ``metres``: int32 [m, m], read-only copies; row = from, column = to, -1 = no way.

    ``fell_back``: they come from the second choice, since the first could not be had.
    """

    seconds: NDArray[np.int32]
    metres: NDArray[np.int32]
    fell_back: bool = False

    def __post_init__(self) -> None:
        for name in ("seconds", "metres"):
            object.__setattr__(self, name, _frozen(getattr(self, name), name))
        if self.seconds.shape != self.metres.shape:
            raise ValueError(
                f"expected seconds and metres of one shape, got {self.seconds.shape} and {self.metres.shape}"
            )
        if not np.array_equal(self.seconds == NO_WAY, self.metres == NO_WAY):
            raise ValueError("expected -1 (no way) at the same pairs in seconds and in metres")

    @property
    def places(self) -> int:
        return int(self.seconds.shape[0])

    @property
    def reachable(self) -> NDArray[np.bool_]:
        """bool [m, m]: is there a way from row to column?"""
        return np.not_equal(self.seconds, NO_WAY)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Matrix):
            return NotImplemented
        return np.array_equal(self.seconds, other.seconds) and np.array_equal(self.metres, other.metres)

    __hash__ = None  # type: ignore[assignment]  # equal by its arrays, which have no hash

    def to_plain(self) -> dict[str, list[list[int]]]:
        return {"seconds": self.seconds.tolist(), "metres": self.metres.tolist()}

    @classmethod
    def from_plain(cls, plain: Any) -> "Matrix":
        return cls(
            **fields(plain, "a matrix", ("seconds", "metres"))
        )  # the problem says whether it fell back


def _frozen(values: ArrayLike, name: str) -> NDArray[np.int32]:
    expected = f"expected {name} to be whole numbers [m, m], -1 or more, zero from a place to itself"
    try:
        wide = np.array(values)
    except ValueError as ragged:
        raise ValueError(f"{expected}: {ragged}") from ragged
    if wide.ndim != 2 or wide.shape[0] != wide.shape[1] or wide.dtype.kind not in "iu":
        raise ValueError(f"{expected}, got shape {wide.shape} of {wide.dtype}")
    if wide.size and (wide.min() < NO_WAY or wide.max() > np.iinfo(np.int32).max or np.diagonal(wide).any()):
        raise ValueError(
            f"{expected}, got {wide.min()} to {wide.max()}, diagonal {np.unique(np.diagonal(wide))}"
        )
    frozen = wide.astype(np.int32)
    frozen.setflags(write=False)
    return frozen


class TravelTimesFailed(Exception):
    """The provider cannot say now; another may."""


class TravelTimes(Protocol):
    """A provider of matrices. ``datum`` names the datum its points must be in: ``wgs84``."""

    @property
    def name(self) -> str: ...

    @property
    def datum(self) -> str: ...

    def matrix(self, points: ArrayLike, profile: str) -> Matrix:
        """``points``: float [m, 2], [lon, lat] in degrees. ValueError: unknown profile or bad point.

        ``TravelTimesFailed`` where the times cannot be had.
        """
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How a vehicle gets along: speed on the street, and seconds lost at each stop to park and walk in."""

    speed_km_h: float
    stop_overhead_s: int


PACES: Mapping[str, Pace] = MappingProxyType({"etrike": Pace(14, 25), "small_truck": Pace(19, 45)})


@dataclass(frozen=True, slots=True)
class GreatCircle:
    """Great circle × circuity ÷ speed + the overhead of a stop; every pair has a way.

    1.35 is the middle of what street extracts gave (median 1.31 to 1.37, street distance ÷ great circle).
    Two stops at the very same point are 0 s apart: the courier has already parked.
    """

    circuity: float = 1.35
    name: str = "great-circle"
    datum: str = "wgs84"

    def matrix(self, points: ArrayLike, profile: str) -> Matrix:
        if profile not in PACES:
            raise ValueError(f"expected a profile of {sorted(PACES)}, got {profile!r}")
        pace = PACES[profile]
        metres = great_circle_m(points) * self.circuity
        seconds = metres / (pace.speed_km_h / 3.6) + pace.stop_overhead_s * (metres > 0)
        return Matrix(np.rint(seconds).astype(np.int32), np.rint(metres).astype(np.int32))


def great_circle_m(points: ArrayLike) -> NDArray[np.float64]:
    """Metres float [m, m] between ``points`` float [m, 2], [lon, lat] in degrees (haversine)."""
    degrees = lon_lat(points)
    lon, lat = np.radians(degrees).T
    half_lon, half_lat = (lon[:, None] - lon) / 2, (lat[:, None] - lat) / 2
    chord = np.sin(half_lat) ** 2 + np.cos(lat[:, None]) * np.cos(lat) * np.sin(half_lon) ** 2
    metres: NDArray[np.float64] = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(chord, 0.0, 1.0)))
    return metres


def lon_lat(points: ArrayLike) -> NDArray[np.float64]:
    """``points`` as float [m, 2]; ValueError where they are no degrees of longitude and latitude."""
    degrees = np.asarray(points, dtype=np.float64)
    if degrees.size == 0:
        return np.zeros((0, 2))
    if degrees.ndim != 2 or degrees.shape[1] != 2:
        raise ValueError(f"expected points [m, 2] as [lon, lat], got shape {degrees.shape}")
    if not (np.abs(degrees) <= (180.0, 90.0)).all():
        raise ValueError("expected every point as [lon, lat] in degrees within ±180 and ±90")
    return degrees
