"""`sam build` makes what will be deployed."""

import hashlib
import platform
import shutil
import subprocess
import sys
from importlib.util import cache_from_source, find_spec
from pathlib import Path

import pytest

from local.run import AWS_ENVIRONMENT, SAM_PYTHON
from local.template import ROOT, Template

LAYER_LIMIT = 18_000_000
REFERENCE_LIMIT = 2 * 1024 * 1024
# Of each family: what is imported only once it is needed is needed here.
VERIFY_A_TOKEN = """
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from apikeys.issuer import ALGORITHMS
KEYS = {
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "EC P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EC P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "EC P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "OKP Ed25519": ed25519.Ed25519PrivateKey.generate,
}
for family, algorithms in ALGORITHMS.items():
    key = KEYS[family]()
    for algorithm in algorithms:
        jwt.decode(jwt.encode({"sub": "alice"}, key, algorithm), key.public_key(), [algorithm])
"""
# By environment of samconfig.toml: the number that an ELF file has for its processor (e_machine), and pip's name.
PROCESSORS = {"production": (183, "manylinux2014_aarch64"), "default": (62, "manylinux2014_x86_64")}


def sam_build(
    project: Path, build: Path, *resource: str, environment: str = "production"
) -> "subprocess.CompletedProcess[str]":
    """Build with the environment of somebody who has SAM CLI and Python 3.13, and nothing of this project."""
    sam, path = str(SAM_PYTHON.parent / "sam"), f"{SAM_PYTHON.parent}:/usr/bin:/bin"
    command = [sam, "build", *resource, "--config-env", environment, "--build-dir", str(build), "--no-cached"]
    variables = {"PATH": path, "HOME": str(build.parent), "SAM_CLI_TELEMETRY": "0"}
    return subprocess.run(command, cwd=project, env=variables, capture_output=True, text=True, check=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what is built, to spoil."""
    copy = tmp_path / "project"
    for folder in ("functions", "layers"):
        shutil.copytree(ROOT / folder, copy / folder)
    for name in ("template.yaml", "samconfig.toml"):
        shutil.copy(ROOT / name, copy)
    return copy


@pytest.fixture(scope="module", params=PROCESSORS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A build for each processor, and the environment it was made with."""
    build = tmp_path_factory.mktemp("sam") / "build"
    run = sam_build(ROOT, build, environment=request.param)
    assert run.returncode == 0, run.stderr
    return build, request.param


def test_the_build_is_small(built: tuple[Path, str]) -> None:
    """The layer that all functions share stays under 18 MB unzipped; a function is its one file."""
    build, _ = built
    layer = build / "CoreLayer" / "python"
    assert (layer / "apikeys" / "endpoint.py").exists()
    assert sum(path.stat().st_size for path in layer.rglob("*") if path.is_file()) < LAYER_LIMIT
    for function in ("RevokeApiKeyFunction", "RefuseUnknownRouteFunction"):
        assert [path.name for path in (build / function).iterdir()] == ["app.py"]
    reference = build / "ServeReferenceFunction"
    assert {path.name for path in reference.iterdir()} == {"app.py", "bundle"}
    assert sum(path.stat().st_size for path in reference.rglob("*") if path.is_file()) < REFERENCE_LIMIT


def test_a_layer_is_for_the_processor_it_was_built_for(built: tuple[Path, str]) -> None:
    build, environment = built
    binaries = [path.read_bytes()[:20] for path in build.rglob("*.so")]
    assert len(binaries) >= 3
    assert {int.from_bytes(head[18:20], "little") for head in binaries} == {PROCESSORS[environment][0]}


def test_all_that_a_function_imports_is_in_the_layers(built: tuple[Path, str], tmp_path: Path) -> None:
    """What is left out of a layer for its size is nothing that a function needs, nor what its libraries need."""
    build, environment = built
    this_machines = {"x86_64": "default", "aarch64": "production", "arm64": "production"}[platform.machine()]
    if environment != this_machines:
        assert not (build / "CoreLayer" / "python" / "cffi").exists()
        return
    layers = [str(build / layer / "python") for layer in ("CoreLayer", "BodiesLayer")]
    # What the runtime has of its own.
    for module in ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3"):
        found = find_spec(module)
        assert found
        origin = Path(str(found.origin))
        own = origin.parent if origin.stem == "__init__" else origin
        (tmp_path / own.name).symlink_to(own)
    issuer = {"Issuer": "https://issuer.example.com", "Audience": "api-keys"}
    template = Template(issuer)
    for name, function in template.functions().items():
        runtimes_own = [] if name in template.answering() else [str(tmp_path)]
        path = [str(build / name), *layers, *runtimes_own]
        code = f"import sys; sys.path += {path}; import app\n{VERIFY_A_TOKEN}"
        # -S: without site-packages, so that nothing comes from elsewhere. -B: the build stays as it was made.
        command = [sys.executable, "-I", "-S", "-B", "-c", code]
        variables = function.environment | AWS_ENVIRONMENT
        run = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr


def test_a_layer_brings_its_bytecode(built: tuple[Path, str]) -> None:
    """So that a cold start need not compile; by hash and unchecked, since the archive changes files' times."""
    build, _ = built
    for layer in ("CoreLayer", "BodiesLayer"):
        sources = list((build / layer).rglob("*.py"))
        assert sources
        for source in sources:
            assert Path(cache_from_source(str(source))).read_bytes()[4:8] == bytes([1, 0, 0, 0]), source


@pytest.mark.parametrize("environment", PROCESSORS)
def test_without_the_hash_of_what_it_would_ship_a_layer_is_not_built(
    project: Path, tmp_path: Path, environment: str
) -> None:
    """Guarantee: nothing gets into a layer that was not locked, whichever processor it is for.

    SAM CLI's own builder failed this for the processor that is not this machine's.
    """
    locked = project / "layers" / "core" / "requirements.txt"
    lines = locked.read_text().splitlines()
    [cffi] = [line.split()[0] for line in lines if line.startswith("cffi==")]
    command = [str(SAM_PYTHON), "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--platform", PROCESSORS[environment][1], "--dest", str(tmp_path), cffi]
    subprocess.run(command, check=True, capture_output=True)
    [wheel] = tmp_path.glob("cffi-*.whl")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    kept = [line for line in lines if digest not in line]
    assert len(kept) == len(lines) - 1
    assert sam_build(project, tmp_path / "build", "CoreLayer", environment=environment).returncode == 0
    locked.write_text("\n".join(kept) + "\n")
    run = sam_build(project, tmp_path / "build", "CoreLayer", environment=environment)
    assert run.returncode != 0
    assert "HASHES" in run.stderr


def test_without_the_reference_page_nothing_is_built(project: Path, tmp_path: Path) -> None:
    shutil.rmtree(project / "functions" / "serve_reference" / "bundle")
    run = sam_build(project, tmp_path / "build", "ServeReferenceFunction")
    assert run.returncode != 0
    assert "make .reference/ready" in run.stderr
