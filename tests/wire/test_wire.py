"""Time is shared: by the addresses of a host, and by whatever is waited for on a connection."""

import socket
import time
from types import SimpleNamespace
from typing import Any

import pytest

from apikeys import wire
from apikeys.wire import connect, left_until

NOW = 100.0


class Network:
    """Stands in for the system's sockets and clock.

    Attributes:
        addresses: of the host.
        takes: seconds until an address answers, by address; whoever is not here never does.
        now: by the clock.
        timeouts: that sockets were given, by address.
        closed: addresses whose socket was.
    """

    def __init__(self) -> None:
        self.addresses = ["first", "second", "third", "fourth"]
        self.takes: dict[str, float] = {}
        self.now = NOW
        self.timeouts: dict[str, list[float]] = {}
        self.closed: list[str] = []

    def monotonic(self) -> float:
        return self.now

    def getaddrinfo(self, *_: Any, **__: Any) -> list[Any]:
        return [(0, 0, 0, "", address) for address in self.addresses]

    def socket(self, *_: Any) -> "Socket":
        return Socket(self)


class Socket:
    """A socket of it."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._timeouts: list[float] = []
        self.address = ""

    def settimeout(self, seconds: float) -> None:
        self._timeouts.append(seconds)

    def connect(self, address: str) -> None:
        self.address = address
        self._network.timeouts[address] = self._timeouts
        takes = self._network.takes.get(address, 1000)
        self._network.now += min(takes, self._timeouts[-1])
        if takes > self._timeouts[-1]:
            raise TimeoutError(address)

    def setsockopt(self, *_: Any) -> None:
        pass

    def close(self) -> None:
        self._network.closed.append(self.address)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    network = Network()
    others = {name: getattr(socket, name) for name in ("SOCK_STREAM", "IPPROTO_TCP", "TCP_NODELAY")}
    system = SimpleNamespace(socket=network.socket, getaddrinfo=network.getaddrinfo, **others)
    monkeypatch.setattr(wire, "socket", system)
    monkeypatch.setattr(wire, "time", network)
    return network


def test_addresses_that_do_not_answer_share_the_time_and_none_is_left_open(network: Network) -> None:
    """Guarantee: one deaf address does not take the time of those that would answer."""
    with pytest.raises(TimeoutError, match="fourth"):
        connect("host", 1, is_secure=False, until=NOW + 8)
    assert network.timeouts == {address: [2] for address in network.addresses}
    assert network.closed == network.addresses
    assert network.now == NOW + 8


def test_the_first_address_that_answers_has_the_rest_of_the_time(network: Network) -> None:
    network.takes = {"first": 2.5, "second": 0.5, "third": 0}
    connection: Any = connect("host", 1, is_secure=False, until=NOW + 8)
    assert connection.address == "second"
    assert network.timeouts == {"first": [2], "second": [2, 5.5]}
    assert network.closed == ["first"]


def test_without_an_address_there_is_no_connection(network: Network) -> None:
    network.addresses = []
    with pytest.raises(OSError, match="no address"):
        connect("host", 1, is_secure=False, until=NOW + 6)


def test_small_requests_are_sent_at_once() -> None:
    """They do not wait for the acknowledgement of what was sent before."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        with connect(host, port, is_secure=False, until=time.monotonic() + 5) as connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_what_is_left_is_the_time_until_then_and_then_it_is_over(network: Network) -> None:
    assert left_until(NOW + 150.5) == 150.5
    for passed in (0.0, 0.5, 1.5, 1000.0):
        with pytest.raises(TimeoutError):
            left_until(NOW - passed)
