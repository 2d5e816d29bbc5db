"""Make the files that functions/serve_reference serves: the page, what it loads, and the contract as JSON.

Compressed here, once, so that the function only hands them out.
"""

import gzip
import hashlib
import json
import shutil

import yaml

from local.template import ROOT
from tools.reference_page import page

SOURCES = ROOT / "reference"
# What the page loads, each of one file or several.
LOADED = {
    "icon.svg": ["icon.svg"],
    "page.css": ["page.css", "console.css"],
    "page.js": ["samples.js", "request.js", "console.js"],
}
BUNDLE = ROOT / "functions" / "serve_reference" / "bundle"
READY = ROOT / ".reference" / "ready"


def contract() -> str:
    """Return openapi.yaml as JSON."""
    return json.dumps(yaml.safe_load((ROOT / "openapi.yaml").read_text()), separators=(",", ":"))


def bundle() -> dict[str, bytes]:
    """Return the content of each file, by name."""
    contents = {
        name: b"\n".join((SOURCES / source).read_bytes() for source in sources)
        for name, sources in LOADED.items()
    }
    # Named by content, so that a browser may keep them for ever.
    names = {name: _hashed(name, content) for name, content in contents.items()}
    files = {names[name]: content for name, content in contents.items()}
    document = contract()
    html = page(json.loads(document), lambda name: f"assets/{names[name]}")
    return files | {"index.html": html.encode(), "openapi.json": document.encode()}


def main() -> None:
    """Make the bundle anew."""
    files = bundle()
    shutil.rmtree(BUNDLE, ignore_errors=True)
    BUNDLE.mkdir()
    for name, content in files.items():
        (BUNDLE / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
    READY.parent.mkdir(exist_ok=True)
    READY.touch()


def _hashed(name: str, content: bytes) -> str:
    stem, suffix = name.split(".")
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:16]}.{suffix}"


if __name__ == "__main__":
    main()
