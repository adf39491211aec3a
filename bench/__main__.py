"""Both claims, on one stand."""

import sys

from bench.booking import BOOKING
from bench.command import main
from bench.verdict import VERDICT

if __name__ == "__main__":
    sys.exit(main(VERDICT, BOOKING))
