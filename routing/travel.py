"""Providers of travel times made of others.

Cached      asks the other only for what it has not been asked lately
Fallback    asks a second one where the first fails, and marks what it then gets
"""

from collections import OrderedDict
from threading import Lock

import numpy as np
from numpy.typing import ArrayLike

from routing.matrix import Matrix, TravelTimes, TravelTimesFailed

KEPT = 32
DECIMALS = 6  # of a degree: a tenth of a metre


class Cached:
    """The last answers, by profile and points. What fell back is not kept: next time the first may answer."""

    def __init__(self, inner: TravelTimes, kept: int = KEPT) -> None:
        self.inner, self.kept = inner, kept
        self.answers: OrderedDict[tuple[str, bytes], Matrix] = OrderedDict()
        self.lock = Lock()

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def datum(self) -> str:
        return self.inner.datum

    def matrix(self, points: ArrayLike, profile: str) -> Matrix:
        key = profile, np.round(np.asarray(points, dtype=np.float64), DECIMALS).tobytes()
        with self.lock:
            if key in self.answers:
                self.answers.move_to_end(key)
                return self.answers[key]
        matrix = self.inner.matrix(points, profile)
        if not matrix.fell_back:
            with self.lock:
                self.answers[key] = matrix
                while len(self.answers) > self.kept:
                    self.answers.popitem(last=False)
        return matrix


class Fallback:
    """``first``, or where it fails ``second``, whose times are then marked. Both must speak of one datum."""

    def __init__(self, first: TravelTimes, second: TravelTimes) -> None:
        if first.datum != second.datum:
            raise ValueError(f"expected providers of one datum, got {first.datum!r} and {second.datum!r}")
        self.first, self.second = first, second

    @property
    def name(self) -> str:
        return f"{self.first.name}, else {self.second.name}"

    @property
    def datum(self) -> str:
        return self.first.datum

    def matrix(self, points: ArrayLike, profile: str) -> Matrix:
        try:
            return self.first.matrix(points, profile)
        except TravelTimesFailed:
            matrix = self.second.matrix(points, profile)
            return Matrix(matrix.seconds, matrix.metres, fell_back=True)
