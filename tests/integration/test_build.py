"""`sam build` makes what will be deployed."""

import subprocess
from pathlib import Path

from local.run import SAM_PYTHON
from local.template import ROOT

LAYER_LIMIT = 20 * 1024 * 1024
REFERENCE_LIMIT = 2 * 1024 * 1024


def test_the_build_is_small(tmp_path: Path) -> None:
    """The layer that all functions share stays under 20 MB unzipped; a function is its one file."""
    sam, path = str(SAM_PYTHON.parent / "sam"), f"{SAM_PYTHON.parent}:/usr/bin:/bin"
    build = tmp_path / "build"
    command = [sam, "build", "--config-env", "production", "--build-dir", str(build), "--no-cached"]
    environment = {"PATH": path, "HOME": str(tmp_path), "SAM_CLI_TELEMETRY": "0"}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr

    layer = build / "CoreLayer" / "python"
    assert (layer / "apikeys" / "endpoint.py").exists()
    assert sum(path.stat().st_size for path in layer.rglob("*") if path.is_file()) < LAYER_LIMIT
    for function in ("RevokeApiKeyFunction", "RefuseUnknownRouteFunction"):
        assert [path.name for path in (build / function).iterdir()] == ["app.py"]
    reference = build / "ServeReferenceFunction"
    assert {path.name for path in reference.iterdir()} == {"app.py", "bundle"}
    assert sum(path.stat().st_size for path in reference.rglob("*") if path.is_file()) < REFERENCE_LIMIT
