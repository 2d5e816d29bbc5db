"""What `make bench` makes of what it measures. `make bench-quick` runs the rest of it."""

import xml.etree.ElementTree as ET

import pytest

from benchmarks.plot import PALETTES, svg
from benchmarks.prices import bill
from benchmarks.responder import Responses, asked
from benchmarks.rounds import Measured, Spread

TAKEN = {"API Keys": 120.0, "better-auth": 420.0, "boto3's bare get_item": 870.0, "keyshield": 157_000.0}


def test_a_ratio_is_taken_within_a_round() -> None:
    """A round in which the machine was slow for both changes nothing."""
    measured = Measured({"ours": [1.0, 10.0, 2.0], "floor": [4.0, 40.0, 8.0]})
    assert measured.ratio("ours", "floor").values == [0.25, 0.25, 0.25]


def test_the_spread_is_the_middle_half() -> None:
    spread = Spread([5.0, 1.0, 2.0, 4.0, 3.0])
    assert (spread.median, spread.quarters) == (3.0, (2.0, 4.0))


def test_a_million_checks_cost_their_units_their_invocations_and_their_milliseconds() -> None:
    found = bill(seconds=0.0001, reads=1)
    assert found.milliseconds == 6  # 5 for DynamoDB, and one begun
    assert found.function == pytest.approx(0.20 + 0.006 * 13.3334)
    assert found.units == pytest.approx(0.125)
    assert bill(seconds=0.0001, writes=1).units == pytest.approx(0.625)


def test_an_answer_is_that_to_the_same_request_or_else_to_one_of_its_kind() -> None:
    pages = [({"TableName": "Keys", "Limit": 1}, '{"Items":[1]}'), ({"TableName": "Keys", "Limit": 2}, "{}")]
    responses = Responses({"Query Keys": pages})
    assert responses.to("Query", pages[1][0]).endswith(b"\r\n\r\n{}")
    assert responses.to("Query", {"TableName": "Keys", "Limit": 3}).endswith(b'{"Items":[1]}')
    assert asked("BatchGetItem", {"RequestItems": {"Keys": {}}}) == "BatchGetItem Keys"


@pytest.mark.parametrize("palette", PALETTES)
def test_the_plot_says_every_figure_and_cuts_only_what_is_far_off(palette: str) -> None:
    drawn = svg(
        TAKEN, ours="API Keys", bare="boto3's bare get_item", palette=palette, date="26 November 2026"
    )
    root = ET.fromstring(drawn)  # noqa: S314 -- our own
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    for name, value in TAKEN.items():
        assert name in texts
        assert f"{value:,.0f}{' →' if name == 'keyshield' else ''}" in texts
    bars = [float(bar.get("width", "")) for bar in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert bars == sorted(bars)
    assert bars[-1] / bars[2] == pytest.approx(1.6, abs=0.01)
