"""The limits of a receive, and what lay there while this process stood still."""

import socket
from collections.abc import Callable, Iterator

import pytest

from tests.fakes.clock import FakeClock
from yunliao.adapters.http.line import Limits, Line

LIMITS = Limits(connect=5, first_byte=60, silence=5, total=300)


class Stalling:
    """A socket on which every wait ends late: `meanwhile` comes, the clock moves, and then the time is over."""

    def __init__(self, clock: FakeClock, seconds: float, meanwhile: bytes) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._clock, self._seconds, self._meanwhile = clock, seconds, meanwhile
        self._timeout: float | None = None
        self.receives = 0

    def settimeout(self, timeout: float) -> None:
        self._timeout = timeout
        self._ours.settimeout(timeout)

    def recv(self, size: int) -> bytes:
        self.receives += 1
        if self._timeout:
            self._theirs.sendall(self._meanwhile)
            self._clock.advance(self._seconds)
            raise TimeoutError
        return self._ours.recv(size)

    def close(self) -> None:
        self._ours.close()
        self._theirs.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def line(clock: FakeClock) -> Line:
    made = Line(LIMITS, clock)
    made.begin()
    made.answering = True
    return made


@pytest.fixture
def stalling(clock: FakeClock, request: pytest.FixtureRequest) -> Iterator[Stalling]:
    seconds, meanwhile = request.param
    made = Stalling(clock, seconds, meanwhile)
    yield made
    made.close()


@pytest.mark.parametrize("stalling", [(8.0, "到了".encode())], indirect=True)
def test_what_came_while_we_stood_still_is_no_silence(line: Line, stalling: Stalling) -> None:
    assert line.receive(stalling) == "到了".encode()  # type: ignore[arg-type]


@pytest.mark.parametrize("stalling", [(8.0, b"")], indirect=True)
def test_silence_is_silence(line: Line, stalling: Stalling) -> None:
    with pytest.raises(TimeoutError):
        line.receive(stalling)  # type: ignore[arg-type]
    assert stalling.receives == 2


@pytest.mark.parametrize("stalling", [(400.0, b"late")], indirect=True)
def test_the_total_holds_whatever_came(line: Line, stalling: Stalling) -> None:
    with pytest.raises(TimeoutError):
        line.receive(stalling)  # type: ignore[arg-type]
    assert stalling.receives == 1


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


class Looks:
    """A beat that looks as often as it is told to, and says what each look found."""

    def __init__(self, *between: Callable[[], object]) -> None:
        self.between = between
        self.found: list[bool] = []

    def rest(self, seconds: float, place: object, over: Callable[[], bool]) -> None:
        for step in self.between:
            step()
            self.found.append(over())


def test_a_pause_sees_that_a_stream_moves_stands_still_and_ends(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    line = Line(LIMITS, FakeClock())
    line.hold(ours)
    beat = Looks(
        lambda: None,  # nothing has come: that is not standing still
        lambda: theirs.sendall(b"a"),
        lambda: theirs.sendall(b"b"),
        lambda: None,
    )
    line.rest(1.0, beat)  # type: ignore[arg-type]
    assert beat.found == [False, False, False, True]
    assert ours.recv(10) == b"ab"  # a look takes nothing away
    again = Looks(lambda: theirs.sendall(b"cd"), lambda: None)
    line.rest(1.0, again)  # type: ignore[arg-type]
    assert again.found == [False, True]  # what an earlier pause saw counts for nothing
    ours.recv(10)
    theirs.close()
    gone = Looks(lambda: None)
    line.rest(1.0, gone)  # type: ignore[arg-type]
    assert gone.found == [True]
    line.let_go()
