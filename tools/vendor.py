"""Fetch the browser files we ship, and keep what was fetched in a lock: python tools/vendor.py

    web/static/vendor/<name>-<version>/…    the files, as their authors made them, each with its licence
    web/static/vendor/vendor.lock.json      name, version, licence, integrity of the package, SHA-256 of files

The product needs none of this to run; a test hashes the files again (tests/web/test_vendored.py). Needs npm.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "web" / "static" / "vendor"
LOCK = VENDOR / "vendor.lock.json"


@dataclass(frozen=True, slots=True)
class Package:
    """``files``: where a file stands in the package, and what it is called with us."""

    name: str
    package: str
    version: str
    licence: str
    files: dict[str, str]


PACKAGES = (
    Package(
        "leaflet",
        "leaflet",
        "1.9.4",
        "BSD-2-Clause",
        {
            "dist/leaflet.js": "leaflet.js",
            "dist/leaflet.css": "leaflet.css",
            "dist/images/layers.png": "images/layers.png",
            "dist/images/layers-2x.png": "images/layers-2x.png",
            "dist/images/marker-icon.png": "images/marker-icon.png",
            "dist/images/marker-icon-2x.png": "images/marker-icon-2x.png",
            "dist/images/marker-shadow.png": "images/marker-shadow.png",
            "LICENSE": "LICENSE",
        },
    ),
    Package("htmx", "htmx.org", "2.0.11", "0BSD", {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "LICENSE"}),
    Package(
        "zxing-wasm",
        "zxing-wasm",
        "3.1.4",
        "MIT",
        {
            "dist/iife/reader/index.js": "reader.js",
            "dist/reader/zxing_reader.wasm": "zxing_reader.wasm",
            "LICENSE": "LICENSE",
        },
    ),
)


def main() -> int:
    VENDOR.mkdir(parents=True, exist_ok=True)
    lock = [fetch(package) for package in PACKAGES]
    LOCK.write_text(json.dumps(lock, indent=2) + "\n", encoding="utf-8")
    kept = {f"{one.name}-{one.version}" for one in PACKAGES} | {LOCK.name}
    for stale in VENDOR.iterdir():
        if stale.name not in kept:
            shutil.rmtree(stale)
    return 0


def fetch(package: Package) -> dict[str, object]:
    """Unpack the named files of one package; returns its row of the lock."""
    folder = VENDOR / f"{package.name}-{package.version}"
    with tempfile.TemporaryDirectory() as scratch:
        named = f"{package.package}@{package.version}"
        subprocess.run(["npm", "pack", "--silent", named], cwd=scratch, check=True, stdout=subprocess.DEVNULL)
        [packed] = Path(scratch).glob("*.tgz")
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
        with tarfile.open(packed) as archive:
            for there, here in package.files.items():
                found = archive.extractfile(f"package/{there}")
                if found is None:
                    raise LookupError(f"{named} has no {there}")
                target = folder / here
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(found.read())
    return {
        "name": package.name,
        "package": package.package,
        "version": package.version,
        "licence": package.licence,
        "integrity": integrity,
        "files": {here: hash_of(folder / here) for here in sorted(package.files.values())},
    }


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
