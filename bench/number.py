"""How many: a whole number on the command line, within what can be measured."""

import argparse
from collections.abc import Callable


def number_up_to(most: int) -> Callable[[str], int]:
    def number(given: str) -> int:
        if not given.isascii() or not given.isdecimal() or not 1 <= int(given) <= most:
            raise argparse.ArgumentTypeError(f"expected a number between 1 and {most}, got {given!r}")
        return int(given)

    return number
