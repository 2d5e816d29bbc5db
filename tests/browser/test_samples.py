"""The samples of the reference page are the documented ones, and run as they stand."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.browser.conftest import Keys, Opener
from tests.browser.reader import LANGUAGES

DOCUMENTED = Path(__file__).parent / "documented"
COMMANDS = {
    "curl": (["bash"], "revoke.sh"),
    "Python": ([sys.executable], "revoke.py"),
    "JavaScript": ([f"{sys.prefix}/bin/node"], "revoke.mjs"),
    "Go": (["go", "run"], "revoke.go"),
    "Ruby": (["ruby"], "revoke.rb"),
}
HOSTILE = """it's "50%" `id` $HOME ${x} #{1} \\n '''é"""


def run(language: str, sample: str, folder: Path) -> str:
    """Run a sample as it stands, and return what it prints."""
    command, name = COMMANDS[language]
    assert shutil.which(command[0]), f"{command[0]} is needed for the sample in {language}: install it"
    (folder / name).write_text(sample)
    finished = subprocess.run(
        [*command, name], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def in_essence(text: str) -> list[str]:
    """Return the lines of a program without what layout adds."""
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sample_of_the_revoke_is_the_documented_one(open_page: Opener, language: str) -> None:
    reader = open_page().visit().try_it()
    reader.base_url.fill("https://api.example.com")
    documented = (DOCUMENTED / f"{language}.txt").read_text()
    assert in_essence(reader.sample(language)) == in_essence(documented)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sample_of_the_revoke_runs_and_prints_the_answer(
    open_page: Opener, stack: Any, keys: Keys, language: str, tmp_path: Path
) -> None:
    issued = keys.issue()
    reader = open_page().visit().try_it().paste(stack["tokens"]["owner"])
    reader.fill_in(id=keys.application, keyId=issued["id"])
    reader.field("reason").select_option("other")
    assert keys.is_accepted(issued)
    printed = run(language, reader.sample(language), tmp_path)
    assert printed.strip() == ("Response Status: 200 OK" if language == "Go" else "{}")
    assert not keys.is_accepted(issued)
    assert keys.read(issued["id"])["revokedReason"] == "other"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_body_arrives_as_it_was_written(
    open_page: Opener, stack: Any, language: str, tmp_path: Path
) -> None:
    """Guarantee: nothing that is filled in is run by a shell or a language, and the answer is printed."""
    reader = open_page().visit().try_it("Create an application").paste(stack["tokens"]["owner"])
    reader.field("Request Body").fill(json.dumps({"name": HOSTILE}, indent=2, ensure_ascii=False))
    printed = run(language, reader.sample(language), tmp_path)
    answer = requests.get(
        f"{stack['base_url']}/api/v1/applications?limit=1",
        headers={"Authorization": f"Bearer {stack['tokens']['owner']}"},
        timeout=10,
    )
    newest = answer.json()["items"][0]
    assert newest["name"] == HOSTILE
    assert newest["id"] in printed


def test_a_language_is_chosen_once_for_the_whole_page(open_page: Opener) -> None:
    reader = open_page().visit()
    part = reader.operation()
    part.get_by_text("Ruby", exact=True).first.click()
    assert "Net::HTTP::Delete" in part.inner_text()
    assert "Net::HTTP::Post" in reader.operation("Issue an API key").inner_text()
    reader.try_it("Read an API key")
    assert "Net::HTTP::Get" in reader.console.inner_text()
