"""`make decode`: a key string is read without being sent or shown."""

import os
import subprocess
import sys

import pytest

from apikeys.keys import ApiKey
from local.template import ROOT

KEY = ApiKey.generate(prefix="live")
STRING = KEY.reveal()


def decode(typed: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    command, environment = [sys.executable, "-m", "tools.key_string"], os.environ | variables
    return subprocess.run(
        command, cwd=ROOT, input=typed, env=environment, capture_output=True, text=True, check=False
    )


def test_a_whole_string_tells_its_key_id_whichever_way_it_is_given() -> None:
    for told in (decode(STRING), decode(f"  {STRING}\n"), decode(KEY=STRING)):
        assert told.returncode == 0
        assert told.stdout == f"prefix    live\nkey id    {KEY.key_id}\nchecksum  good\n"
        assert KEY.secret not in told.stdout


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "no key string"),
        (STRING[:-1], "no key string"),
        (STRING[:-1] + "!", "no key string"),
        (STRING[:30] + ("b" if STRING[30] != "b" else "c") + STRING[31:], "checksum is wrong"),
    ],
    ids=["nothing", "cut", "another character", "another letter"],
)
def test_what_is_no_whole_string_is_said_to_be_none(typed: str, said: str) -> None:
    told = decode(typed)
    assert (told.returncode, told.stdout) == (1, "")
    assert said in told.stderr
    assert not typed or typed not in told.stderr
