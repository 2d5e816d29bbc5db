"""One exchange on a connection: what is an answer, what is none, and what ends the connection."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

import pytest

from apikeys.connection import Answer, Connection, NoAnswer
from tests.wire.scripted import chunked, ok

MOST = 32 * 1024 * 1024  # bytes of an answer
GOOD = ok(b"{}")


@contextmanager
def somebody_says(text: bytes) -> Iterator[Connection]:
    """Have a connection at whose other end somebody says this, whatever is asked, and then nothing any more."""
    ours, theirs = socket.socketpair()

    def say() -> None:
        with theirs, suppress(OSError):  # of those who are not listened to
            theirs.sendall(text)
            theirs.shutdown(socket.SHUT_WR)
            theirs.recv(1024)

    speaker = Thread(target=say)
    speaker.start()
    connection = Connection(ours)
    yield connection
    connection.close()
    speaker.join(timeout=10)


def ask(connection: Connection) -> Answer:
    return connection.exchange(b"?", until=time.monotonic() + 10)


@pytest.mark.parametrize(
    ("answer", "goes_on"), [(GOOD, True), (chunked(GOOD), False)], ids=["of a length", "in chunks"]
)
def test_an_answer_is_read_whole_and_one_of_a_length_is_not_the_last(answer: bytes, goes_on: bool) -> None:
    with somebody_says(answer) as connection:
        assert (ask(connection).status, connection.is_open) == (200, goes_on)
    with somebody_says(answer) as connection:
        assert ask(connection).body == b"{}"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (GOOD[:-1], "half an answer"),
        (GOOD + b"\0", "more than one answer"),
        (chunked(GOOD).replace(b": chunked", b": br, chunked"), "odd headers"),
        (chunked(GOOD).replace(b": chunked", b": gzip, chunked"), "odd headers"),
        (GOOD.replace(b"content-length", b"content-encoding: gzip\r\ncontent-length"), "odd headers"),
        (GOOD.replace(b"content-length: 2", b"content-length: two"), "not one content-length"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "BadStatusLine"),
        (b"", "RemoteDisconnected"),
    ],
)
def test_anything_odd_is_no_answer_and_ends_the_connection(answer: bytes, why: str) -> None:
    """Guarantee: what comes late of one answer is never read as another's.

    Seen to fail with a connection that is kept whatever happens, and with half an answer that is one.
    """
    with somebody_says(answer) as connection:
        with pytest.raises(NoAnswer, match=why):
            ask(connection)
        assert not connection.is_open


@pytest.mark.parametrize("form", [lambda answer: answer, chunked], ids=["of a length", "in chunks"])
def test_an_answer_may_have_32_mib_and_no_byte_more(form: Callable[[bytes], bytes]) -> None:
    with somebody_says(form(ok(b" " * MOST))) as connection:
        assert len(ask(connection).body) == MOST
    with somebody_says(form(ok(b" " * (MOST + 1)))) as connection:
        with pytest.raises(NoAnswer, match="too long"):
            ask(connection)
        assert not connection.is_open
