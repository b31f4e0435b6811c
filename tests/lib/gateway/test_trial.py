"""One attempt up to its first content: how an answer is told, how long its parts may take, how large it may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic

import gevent
import msgspec
import pytest

from lib.base.errors import AIProxyError, DeadlineExceeded, SlowRequest, VendorProtocolError, VendorRefused
from lib.gateway import Call
from lib.wire import Form, Shape, path_of
from tests.lib.gateway.door import Door
from tests.upstream import Answer, Behaviour, Cut, Hang, Send, Steps, Upstream, Wait, deliver
from tests.upstream import Call as Seen

SPEECH, TRANSCRIPTION, IMAGE, MODERATION = (
    path_of(shape) for shape in (Shape.SPEECH, Shape.TRANSCRIPTION, Shape.IMAGE, Shape.MODERATION)
)
ONCE = "[defaults]\nattempts = 1\n"
LONG = 4.0  # seconds; far more than any of these tests should take


def head(status: int, *lines: bytes, content_type: bytes = b"application/json") -> bytes:
    return b"\r\n".join([b"HTTP/1.1 %d X" % status, b"Content-Type: " + content_type, *lines, b"", b""])


def steps(*given: Send | Wait | Hang | Cut) -> Behaviour:
    return Behaviour("steps", lambda call: iter(given))


# ---- what kind of answer ----


@pytest.mark.parametrize(
    ("content_type", "streamed"),
    [
        ("audio/mpeg", True), ("image/png", True), ("application/octet-stream", True), ("video/mp4", True),
        ("Audio/MPEG; x=y", True), ("application/json", False), ("text/plain", False), ("application/pdf", False),
    ],
)  # fmt: skip
def test_sound_and_pictures_go_through_as_they_come(
    door: Door, upstream: Upstream, content_type: str, streamed: bool
) -> None:
    answer = Answer((b"\x00ab", b"\xffcd"), content_type, streamed=True)
    upstream.plan(Behaviour("sound", lambda call: deliver(answer)))
    call = door.call("openai/tts", SPEECH)
    if streamed:
        assert b"".join(door.blocks(call)) == b"\x00ab\xffcd"
    else:
        assert door.ask(call).body == b"\x00ab\xffcd"


def test_an_answer_without_a_type_is_a_whole_one(door: Door, upstream: Upstream) -> None:
    upstream.plan(steps(Send(b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"choices":[]}')))
    assert door.whole("openai/m") == (200, {"choices": []})


@pytest.mark.parametrize("status", [201, 202, 206, 299])
def test_every_2xx_is_an_answer(door: Door, upstream: Upstream, status: int) -> None:
    upstream.plan(steps(Send(head(status, b"Content-Length: 2") + b"{}")))
    assert door.whole("openai/m") == (status, {})


def test_what_has_no_json_to_check_is_not_checked(door: Door, upstream: Upstream, upload: Callable[..., Call]) -> None:
    answer = Answer((b"plain words",), "text/plain")
    upstream.plan(Behaviour("text", lambda call: deliver(answer)))
    assert door.ask(upload()).body == b"plain words"


# ---- content ----


def test_what_says_nothing_is_held_back_and_then_handed_on(door: Door, upstream: Upstream) -> None:
    upstream.plan("comments")
    blocks = door.blocks(door.call("openai/m", stream=True))
    assert b"".join(blocks).count(b": STILL WORKING") == len(upstream.calls[0].events)
    assert b'"content":"Zw' in blocks[0]


def test_what_comes_with_the_content_is_handed_on_with_it(door: Door, upstream: Upstream) -> None:
    upstream.plan("one-write")
    assert len(door.blocks(door.call("openai/m", stream=True))) == 1


@pytest.mark.parametrize("behaviour", ["split", "split-utf8", "bytewise", "one-chunk", "crlf", "multiline", "gzip"])
@pytest.mark.parametrize("model", ["openai/m", "anthropic/m"])
def test_any_way_of_arriving_gives_the_same_answer(door: Door, upstream: Upstream, behaviour: str, model: str) -> None:
    upstream.plan(behaviour)
    text = b""
    for line in door.stream(model).replace(b"\r\n", b"\n").replace(b",\ndata: ", b",").split(b"\n"):
        if line.startswith(b"data: {"):
            choices = msgspec.json.decode(line[6:])["choices"]
            text += (choices[0]["delta"].get("content") or "").encode() if choices else b""
    assert text.decode() == "Zwölf gulls über 港 🐦 "


# ---- time ----


def test_a_whole_answer_that_keeps_coming_is_waited_for(door: Door, upstream: Upstream) -> None:
    """Its first byte was in time; from then on only silence counts."""
    door.open(ONCE + "timeouts = { first_byte = 0.15, idle = 2 }\n")
    pieces = [piece for _ in range(8) for piece in (Wait(0.05), Send(b" "))]
    upstream.plan(steps(Send(head(200, b"Content-Length: 10")), *pieces, Send(b"{}")))
    assert door.whole("openai/m")[0] == 200


def test_a_whole_answer_that_falls_silent_is_given_up(door: Door, upstream: Upstream) -> None:
    door.open(ONCE + "timeouts = { idle = 0.1 }\n")
    upstream.plan("silent-stream")
    error = door.failure(door.call("openai/m"))
    assert (error.status, error.detail) == (504, "no content in time")
    upstream.wait(lambda upstream: upstream.cancelled)


@pytest.mark.parametrize("behaviour", ["silent", "silent-head", "silent-stream-0"])
def test_a_stream_without_content_is_given_up(door: Door, upstream: Upstream, behaviour: str) -> None:
    door.open(ONCE + "timeouts = { first_byte = 0.1 }\n")
    upstream.plan(behaviour)
    assert door.failure(door.call("openai/m", stream=True)).status == 504
    upstream.wait(lambda upstream: upstream.cancelled)


def test_comments_are_no_content(door: Door, upstream: Upstream) -> None:
    door.open(ONCE + "timeouts = { first_byte = 0.2 }\n")
    comment = Send(b"f\r\n: PROCESSING\n\n\n\r\n")
    stream = head(200, b"Transfer-Encoding: chunked", content_type=b"text/event-stream")
    upstream.plan(steps(Send(stream), *[part for _ in range(40) for part in (comment, Wait(0.02))]))
    assert door.failure(door.call("openai/m", stream=True)).status == 504
    upstream.wait(lambda upstream: upstream.cancelled)


# ---- refusals whose body does not come, or not to its end ----

LIMITED = b'{"error":{"message":"Slow down.","type":"requests"}}'
UNFINISHED = head(400, b"Content-Length: 100") + LIMITED


@pytest.mark.parametrize("end", [Cut(), Hang()], ids=["cut", "silent"])
def test_a_refusal_is_one_by_its_status(
    door: Door, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, end: Cut | Hang
) -> None:
    monkeypatch.setattr("lib.gateway.trial.REFUSAL_SECONDS", 0.1)
    door.open(ONCE)
    upstream.plan(steps(Send(UNFINISHED), Wait(0.02), end), steps(Send(UNFINISHED[:-20]), Wait(0.02), end))
    reply = door.ask(door.call("openai/m"))
    assert (reply.status, reply.body) == (400, LIMITED)
    error = door.failure(door.call("anthropic/m"))
    assert (error.status, type(error)) == (400, VendorRefused)


def test_a_refusal_without_end_is_read_up_to_a_limit(door: Door, upstream: Upstream) -> None:
    door.open(ONCE)

    def endless(call: Seen) -> Steps:
        yield Send(head(503))
        for _ in range(1000):
            yield Send(b"a" * 65536)

    upstream.plan(Behaviour("endless", endless))
    assert door.failure(door.call("openai/m")).status == 503
    upstream.wait(lambda upstream: upstream.cancelled)


# ---- size ----


@pytest.mark.parametrize(
    ("behaviour", "stream", "detail"),
    [("endless-body", False, "too large"), ("endless-line", True, "endless event")],
)
def test_what_has_no_end_is_given_up(
    door: Door, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, behaviour: str, stream: bool, detail: str
) -> None:
    monkeypatch.setattr("lib.gateway.trial.MAX_WHOLE", 4 << 20)
    door.open(ONCE)
    upstream.plan(behaviour)
    error = door.failure(door.call("openai/m", stream=stream))
    assert isinstance(error, VendorProtocolError)
    assert detail in str(error.detail)
    upstream.wait(lambda upstream: upstream.cancelled)
    assert len(upstream.calls[0].payload) < 32 << 20


def test_so_is_a_stream_of_nothing_but_comments(
    door: Door, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.gateway.trial.MAX_EVENT", 1 << 20)
    door.open(ONCE)

    def comments(call: Seen) -> Steps:
        yield Send(head(200, content_type=b"text/event-stream"))
        for _ in range(1000):
            yield Send(b": " + b"a" * 65536 + b"\n\n")

    upstream.plan(Behaviour("comments", comments))
    assert "without content" in str(door.failure(door.call("openai/m", stream=True)).detail)


# ---- uploads ----

FORM = (
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nopenai/whisper\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
)
END = b"\r\n--b--\r\n"


def form(gap: float = 0.0, end: AIProxyError | None = None, sound: int = 512 * 1024) -> Form:
    """An upload: the beginning at once, then ten pieces with gaps, and an end or an error."""

    def pieces() -> Iterator[bytes]:
        yield FORM + bytes(sound)
        for _ in range(10):
            gevent.sleep(gap)
            yield b"sound"
        if end is not None:
            raise end
        yield END

    held = b""
    coming = pieces()

    def read(size: int) -> bytes:
        nonlocal held
        held = held or next(coming, b"")
        piece, held = held[:size], held[size:]
        return piece

    return Form("multipart/form-data; boundary=b", read, len(FORM) + sound + 50 + len(END))


@pytest.fixture
def upload(door: Door) -> Iterator[Callable[..., Call]]:
    """`upload(...)`: a call with such a form, which is closed at the end."""
    forms: list[Form] = []

    def make(gap: float = 0.0, end: AIProxyError | None = None) -> Call:
        forms.append(form(gap, end))
        call = door.call(path=TRANSCRIPTION)
        call.body = forms[-1]
        return call

    yield make
    for each in forms:
        each.close()


def test_the_wait_for_an_answer_begins_when_all_is_sent(
    door: Door, upstream: Upstream, upload: Callable[..., Call]
) -> None:
    door.open(ONCE + "timeouts = { first_byte = 0.3 }\n")
    assert door.ask(upload(gap=0.05)).status == 200
    assert upstream.calls[0].model == "whisper"
    upstream.plan("silent")
    assert door.failure(upload()).status == 504


def test_an_upload_may_take_as_long_as_the_call(door: Door, upstream: Upstream, upload: Callable[..., Call]) -> None:
    door.open(total=0.2)
    for gap in (0.05, 2 * LONG):
        begin = monotonic()
        assert isinstance(door.failure(upload(gap=gap)), DeadlineExceeded)
        assert monotonic() - begin < LONG
    upstream.wait(lambda upstream: len(upstream.cancelled) == 2)
    assert door.tally.failures == []


def test_an_upload_is_not_sent_twice(door: Door, upstream: Upstream, upload: Callable[..., Call]) -> None:
    upstream.plan("error-500")
    assert door.failure(upload()).status == 502
    assert len(upstream.calls) == 1


def test_but_it_goes_to_the_next_place_when_nothing_was_sent(
    door: Door, upstream: Upstream, upload: Callable[..., Call]
) -> None:
    door.open(
        '[models."openai/whisper"]\ntargets = ["deaf/m"]\nfallbacks = ["openai/m"]\n'
        f'[providers.deaf]\nbase_url = "{upstream.refuse}"\nkey = ""\nshapes = ["*"]\n'
    )
    assert door.ask(upload()).status == 200
    assert door.tally.failures == [("deaf", "upstream_unreachable")]


def test_an_upload_that_stops_is_the_callers_fault(door: Door, upstream: Upstream, upload: Callable[..., Call]) -> None:
    """It neither makes the vendor rest nor ends a rest."""
    door.open(ONCE + "[rest]\nfailures = 1\nseconds = 0.05\n")
    upstream.plan("error-500")
    door.failure(upload())
    gevent.sleep(0.06)
    assert isinstance(door.failure(upload(end=SlowRequest())), SlowRequest)
    assert door.circuit.rests("openai/whisper")
    assert door.ask(upload()).status == 200
    assert door.tally.failures == [("openai", "upstream_error")]
