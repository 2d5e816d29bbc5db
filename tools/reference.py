"""Make the files that functions/serve_reference serves: the page, what it loads, and the contract as JSON.

Compressed here, once, so that the function only hands them out, and so that the biggest fits through Lambda.
"""

import gzip
import hashlib
import json
import re
import shutil
from pathlib import Path

import yaml

from local.template import ROOT
from tools.npm import npm_package

# The reference with its console, in one file. To change the version, change both.
SCALAR = "@scalar/api-reference@1.72.1"
SHA512 = "XpEJ0rfc/cXbCrR+iC4kK0o/WwX2dTtGQbT049OlPKAHD6IMIFdTeGz2r+M27P2EDWKyUITRm/NzlP8z2pw/Ow=="
FETCHED = ROOT / ".reference"
SOURCES = ROOT / "reference"
BUNDLE = ROOT / "functions" / "serve_reference" / "bundle"


def contract() -> str:
    """Return openapi.yaml as JSON."""
    return json.dumps(yaml.safe_load((ROOT / "openapi.yaml").read_text()), separators=(",", ":"))


def fetch_scalar() -> Path:
    """Return where Scalar's file is, after fetching it if this version of it is not there yet."""
    path = FETCHED / f"scalar-{hashlib.sha256(SHA512.encode()).hexdigest()[:16]}.js"
    if not path.exists():
        print(f"Fetching {SCALAR} into {FETCHED.name} (once)")
        FETCHED.mkdir(exist_ok=True)
        with npm_package(SCALAR, SHA512) as package:
            shutil.copy(package / "dist" / "browser" / "standalone.js", path)
    return path


def main() -> None:
    """Make the bundle anew."""
    assets = {
        "scalar.js": fetch_scalar().read_bytes(),
        "page.js": (SOURCES / "page.js").read_bytes(),
        "page.css": (SOURCES / "page.css").read_bytes(),
    }
    # By content, so that a browser may keep them for ever.
    names = {name: _hashed(name, content) for name, content in assets.items()}
    page = re.sub(r"\{([\w.]+)\}", lambda match: names[match[1]], (SOURCES / "page.html").read_text())
    files = {names[name]: content for name, content in assets.items()}
    files |= {"index.html": page.encode(), "openapi.json": contract().encode()}
    shutil.rmtree(BUNDLE, ignore_errors=True)
    BUNDLE.mkdir()
    for name, content in files.items():
        (BUNDLE / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
    (FETCHED / "ready").touch()


def _hashed(name: str, content: bytes) -> str:
    stem, suffix = name.split(".")
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:16]}.{suffix}"


if __name__ == "__main__":
    main()
