"""How the echo's answers arrive: slices, pauses, cuts, abort and close, without monkey patching."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from time import monotonic

import gevent
import pytest

from lib.base.errors import ClientGone, VendorProtocolError
from lib.providers.echo.answer import BLOCK, EchoAnswer, Script, Step
from tests.lib.providers.echo.calls import BODIES, PATIENCE, ask, blocks, form, prepare, upload


def playing(*steps: Step, delay: float = 0) -> EchoAnswer:
    return EchoAnswer(lambda: Script(200, (), delay, iter(steps)))


def test_nothing_is_composed_before_start() -> None:
    composed = []

    def compose() -> Script:
        composed.append(1)
        return Script(201, (("a", "b"),), 0, iter([Step(0, b"x")]))

    answer = EchoAnswer(compose)
    assert (composed, answer.status, list(answer.headers)) == ([], 0, [])
    assert answer.start(0)
    assert answer.start(0)
    assert (composed, answer.status, list(answer.headers)) == ([1], 201, [("a", "b")])


def test_start_waits_in_slices() -> None:
    answer = playing(Step(0, b"x"), delay=600)
    for patience in (0, 0.01, 0.01):
        assert not answer.start(patience)
        assert answer.status == 0


def test_start_ends_when_the_head_is_due() -> None:
    answer = playing(Step(0, b"x"), delay=0.1)
    begun = monotonic()
    while not answer.start(0.03):
        pass
    assert monotonic() - begun >= 0.09
    assert (answer.status, answer.read(0)) == (200, b"x")


def test_read_waits_in_slices() -> None:
    answer = playing(Step(0, b"a"), Step(600, b"b"))
    assert answer.start(0)
    assert answer.read(0) == b"a"
    for patience in (0, 0.01, 0.01):
        assert answer.read(patience) is None


def test_read_ends_when_something_is_due_and_stays_at_the_end() -> None:
    answer = playing(Step(0.1, b"a"))
    assert answer.start(0)
    begun = monotonic()
    assert answer.read(PATIENCE) == b"a"
    assert monotonic() - begun >= 0.09
    assert answer.read(0) == b""
    assert answer.read(0) == b""


def test_steps_that_are_due_come_at_once_for_a_slow_reader() -> None:
    answer = playing(*[Step(0.02, b"x")] * 5, Step(60, b"late"))
    assert answer.start(0)
    gevent.sleep(0.2)
    assert answer.read(0) == b"xxxxx"
    assert answer.read(0) is None


def test_steps_without_bytes_are_not_the_end() -> None:
    answer = playing(Step(0, b""), Step(0.05, b""), Step(0, b"x"))
    assert answer.start(0)
    assert answer.read(PATIENCE) == b"x"
    assert answer.read(0) == b""


def test_a_lost_connection_follows_what_was_sent_and_stays_lost() -> None:
    answer = playing(Step(0, b"a"), Step(0, None), Step(0, b"never"))
    assert answer.start(0)
    assert answer.read(0) == b"a"
    for _ in range(2):
        with pytest.raises(VendorProtocolError, match="ended early"):
            answer.read(0)


@pytest.mark.parametrize("waits_for", ["start", "read"])
def test_abort_wakes_whoever_waits(waits_for: str) -> None:
    answer = playing(Step(600, b"x"), delay=600 if waits_for == "start" else 0)
    if waits_for == "read":
        assert answer.start(0)
    gevent.spawn_later(0.05, answer.abort)
    with gevent.Timeout(PATIENCE), pytest.raises(ClientGone):
        getattr(answer, waits_for)(600)
    with pytest.raises(ClientGone):
        answer.read(0)


def test_abort_before_start() -> None:
    answer = prepare("chat_completions")
    answer.abort()
    with pytest.raises(ClientGone):
        answer.start(0)


def test_close_may_be_called_at_any_time_and_twice() -> None:
    for started in (False, True):
        answer = prepare("chat_completions", stream=True)
        if started:
            assert answer.start(0)
            assert answer.read(0)
        answer.close()
        answer.close()
        with pytest.raises(VendorProtocolError):
            answer.read(0)


def test_a_reader_that_never_waits_lets_others_run() -> None:
    turns = []
    other = gevent.spawn(lambda: turns.append(1))
    answer = prepare("chat_completions", model="echo/chunks=1000", stream=True)
    assert answer.start(0)
    assert len(answer.read(0) or b"") >= BLOCK
    assert turns == [1]
    other.join()
    answer.close()


def test_blocks_are_small() -> None:
    answer = prepare("messages", model="echo/chunks=2000", stream=True)
    assert answer.start(0)
    sizes = [len(block) for block in blocks(answer)]
    assert len(sizes) > 5
    assert max(sizes) < BLOCK + 1024


def test_a_long_stream_is_not_built_up_front() -> None:
    ask("chat_completions", stream=True)  # what is loaded once is not measured
    tracemalloc.start()
    answer = prepare("chat_completions", model="echo/chunks=100000", stream=True)
    assert answer.start(0)
    assert answer.read(0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    answer.close()
    assert peak < 500_000  # the whole stream has some twenty million bytes


def test_ten_thousand_chunks() -> None:
    got = ask("chat_completions", model="echo/chunks=10000", stream=True)
    assert sum(1 for event in got.data if event["choices"][0]["delta"].get("content")) == 10_000


# ---- the knobs that concern time and loss ----


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("stream", [False, True])
def test_delay(name: str, stream: bool) -> None:
    answer = prepare(name, model="echo/delay=600", stream=stream)
    assert not answer.start(0.001)
    assert answer.status == 0
    answer.close()


@pytest.mark.parametrize("knobs", ["delay=0.1", "delay=0.1,error=500", "silence=0.1", "silence=0.1,error=500"])
def test_a_whole_answer_comes_after_its_delay_and_silence(knobs: str) -> None:
    begun = monotonic()
    assert ask("chat_completions", model=f"echo/{knobs}").status == (500 if "error" in knobs else 200)
    assert monotonic() - begun >= 0.09


@pytest.mark.parametrize("knob", ["gap=60", "silence=600"])
@pytest.mark.parametrize("name", ["chat_completions", "completions", "responses", "messages"])
def test_gap_and_silence_follow_the_first_chunk(name: str, knob: str) -> None:
    answer = prepare(name, model=f"echo/{knob}", stream=True)
    assert answer.start(0)
    first = answer.read(0)
    assert first is not None
    assert b"Hello" in first
    assert b"big" not in first
    assert answer.read(0.01) is None
    answer.close()


@pytest.mark.parametrize(("knob", "least"), [("gap=0.05", 0.15), ("silence=0.1", 0.1), ("gap=0.05,silence=0.1", 0.25)])
def test_a_stream_takes_its_time(knob: str, least: float) -> None:
    begun = monotonic()
    assert ask("chat_completions", model=f"echo/{knob}", stream=True).body.endswith(b"[DONE]\n\n")
    assert monotonic() - begun >= least - 0.01


def test_silence_of_a_whole_answer_follows_the_head() -> None:
    answer = prepare("chat_completions", model="echo/silence=600")
    assert answer.start(0)
    assert answer.status == 200
    assert answer.read(0.01) is None
    answer.close()


def lost(blocks: Iterator[bytes]) -> bytes:
    """What came before the connection was lost."""
    seen: list[bytes] = []
    with pytest.raises(VendorProtocolError):
        seen.extend(blocks)
    return b"".join(seen)


@pytest.mark.parametrize("name", ["chat_completions", "completions", "responses", "messages"])
def test_cut(name: str) -> None:
    answer = prepare(name, model="echo/cut=2", stream=True)
    assert answer.start(0)
    seen = lost(blocks(answer))
    assert b"big" in seen
    assert b"world" not in seen


def test_cut_before_any_content() -> None:
    for name, opening in (("chat_completions", b'"assistant"'), ("messages", b"message_start"), ("completions", b"")):
        answer = prepare(name, model="echo/cut=0", stream=True)
        assert answer.start(0)
        seen = lost(blocks(answer))
        assert opening in seen
        assert b"Hello" not in seen


def test_cut_after_the_last_chunk_and_never() -> None:
    answer = prepare("chat_completions", model="echo/cut=3", stream=True)
    assert answer.start(0)
    seen = lost(blocks(answer))
    assert b"world" in seen
    assert b"stop" not in seen
    assert ask("chat_completions", model="echo/cut=4", stream=True).body.endswith(b"[DONE]\n\n")


def test_cut_of_a_whole_answer_loses_half_of_it() -> None:
    answer = prepare("chat_completions", model="echo/cut=0")
    assert answer.start(0)
    length = int(dict(answer.headers)["content-length"])
    assert len(lost(blocks(answer))) == length // 2


def test_cut_of_a_form() -> None:
    with pytest.raises(VendorProtocolError):
        upload(form({}), "echo/cut=1", stream=True)
