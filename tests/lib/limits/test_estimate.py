"""The worst case of a request: what it counts, what bounds it, and that it is never far too little."""

from __future__ import annotations

import base64
import json
from contextlib import closing
from decimal import Decimal
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base.errors import BadRequest
from lib.limits import Flat, Price, RateCard, Tier, estimate, estimated_usage
from lib.limits.estimate import FORM_BYTES, MOST_CHOICES, MOST_OUTPUT, UNSEEN_TOKENS
from lib.limits.weight import BLOCK, MEDIA_TOKENS, weight
from lib.wire import Form, JsonBody, Shape, Usage, path_of

D = Decimal
PRICE = Price("models.toml", RateCard(D(1), D(10), D("0.1"), D("1.25"), D(2)))
MESSAGES = [{"role": "user", "content": "Hello there"}]
PICTURE = base64.b64encode(bytes(range(256)) * 1000).decode()


def body(**fields) -> JsonBody:
    return JsonBody(json.dumps({"model": "m", "messages": MESSAGES, **fields}).encode())


def of(shape: Shape, price: Price = PRICE, default: int = 4096, **fields):
    return estimate(path_of(shape), body(**fields), price, default)


# ---- output ----


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ({}, 4096),
        ({"max_tokens": 7}, 7),
        ({"max_completion_tokens": 8}, 8),
        ({"max_output_tokens": 9}, 9),
        ({"max_tokens": 7, "max_completion_tokens": 8}, 8),
        ({"max_tokens": 100.0}, 100),
        ({"max_tokens": 7, "n": 3}, 21),
        ({"n": 2}, 8192),
        ({"max_tokens": 7, "n": 10**9}, 7 * MOST_CHOICES),
        ({"max_tokens": 10**30}, MOST_OUTPUT),
        ({"max_tokens": 1e300}, MOST_OUTPUT),
        *(({"max_tokens": junk}, 4096) for junk in (0, -5, None, True, "x", "-7", [7], {"a": 1}, 1.5, -1e300)),
        *(({"max_tokens": 7, "n": junk}, 7) for junk in (0, -5, None, True, "", "_", "1e3", [3], 1.5)),
        *(({"max_tokens": text, "n": 2}, 18_000) for text in ("9000", "9_000", " 9000 ", "+9000", "9000.0")),
        ({"max_tokens": "9" * 20}, MOST_OUTPUT),
        ({"max_tokens": 7, "n": "1000"}, 7000),
    ],
)
def test_an_answer_is_as_long_as_the_request_allows(fields, tokens):
    assert of(Shape.CHAT, **fields).output_tokens == tokens


def test_what_is_assumed_of_an_answer_comes_from_the_price_first():
    price = Price("models.toml", PRICE.rates, reserve_output=25_000)
    assert of(Shape.CHAT, price).output_tokens == 25_000
    assert of(Shape.CHAT, price, max_tokens=5).output_tokens == 5
    assert of(Shape.CHAT, default=10).output_tokens == 10


@pytest.mark.parametrize("shape", [Shape.EMBEDDING, Shape.MODERATION])
def test_some_answers_have_no_tokens(shape):
    found = of(shape, input="Hello", max_tokens=100)
    assert (found.output_tokens, found.cost_nano) == (0, found.input_tokens * 1250)


def test_counting_tokens_is_free():
    assert of(Shape.TOKEN_COUNT).cost_nano == of(Shape.TOKEN_COUNT).input_tokens == 0


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ({"prompt": "a"}, 5),
        ({"prompt": ["a", "b", "c"]}, 15),
        ({"prompt": [1, 2, 3]}, 5),
        ({"prompt": [[1, 2], [3]]}, 10),
        ({"prompt": []}, 5),
        ({"prompt": ["a", "b"], "n": 2}, 20),
        ({"prompt": "a", "best_of": 4, "n": 2}, 20),
        ({"prompt": ["a"] * 2048, "n": 2}, 20_480),
    ],
)
def test_completions_answer_every_prompt(fields, tokens):
    assert of(Shape.COMPLETION, max_tokens=5, **fields).output_tokens == tokens


def test_a_number_that_nothing_can_hold_is_a_bad_request():
    with pytest.raises(BadRequest):
        estimate(path_of(Shape.CHAT), JsonBody(b'{"max_tokens": 1e999}'), PRICE, 1)


# ---- input ----


@given(st.text(max_size=2000))
def test_text_counts_by_its_bytes(text):
    raw = json.dumps({"a": text}, ensure_ascii=False).encode()
    links = raw.count(b'"http')
    assert weight(raw).tokens == -(-len(raw) // 3) + links * MEDIA_TOKENS


@pytest.mark.parametrize(
    ("shape", "part"),
    [
        (Shape.CHAT, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}}),
        (Shape.CHAT, {"type": "input_audio", "input_audio": {"data": PICTURE, "format": "wav"}}),
        (Shape.MESSAGE, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}}),
        (Shape.RESPONSE, {"type": "input_image", "image_url": f"data:image/png;base64,{PICTURE}"}),
    ],
)
@pytest.mark.parametrize("count", [1, 3])
def test_pictures_and_sounds_count_for_less_than_their_bytes(shape, part, count):
    found = of(shape, messages=[{"role": "user", "content": [part] * count}]).input_tokens
    each = len(PICTURE) // 50 + MEDIA_TOKENS
    assert count * each <= found <= count * (each + 2 * BLOCK // 3 + 100) + 100


def test_escaped_base64_is_seen():
    raw = b'{"url":"data:image\\/png;base64,%b"}' % base64.b64encode(b"\xff\xfe" * 9000).replace(b"/", b"\\/")
    assert weight(raw).tokens < len(raw) // 10


@pytest.mark.parametrize(
    "text",
    ["a" * 100_000, PICTURE, "0123456789" * 10_000, f"data:image/png;base64,{PICTURE}", f'{{"data":"{PICTURE}"}}'],
)
def test_text_without_blanks_is_still_text(text):
    raw = body(messages=[{"role": "user", "content": text}]).raw
    assert weight(raw) == (-(-len(raw) // 3), False)


def test_a_picture_by_address_counts():
    url = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    assert (
        MEDIA_TOKENS < of(Shape.CHAT, messages=[{"role": "user", "content": [url]}]).input_tokens < MEDIA_TOKENS + 100
    )


@pytest.mark.parametrize("field", ["previous_response_id", "conversation"])
def test_what_the_vendor_keeps_counts(field):
    assert of(Shape.RESPONSE, **{field: "x"}).input_tokens > UNSEEN_TOKENS
    assert of(Shape.RESPONSE, **{field: None}).input_tokens < UNSEEN_TOKENS


def test_a_prompt_is_never_above_the_models_window():
    price = Price("models.toml", PRICE.rates, context_window=100)
    assert of(Shape.CHAT, price, messages=["x" * 1000]).input_tokens == 100


def test_a_window_with_prices_beyond_it_is_no_bound():
    price = Price("models.toml", PRICE.rates, (Tier(100, RateCard(D(2), D(20))),), context_window=100)
    found = of(Shape.CHAT, price, messages=["x" * 1000], max_tokens=1)
    assert found.input_tokens > 300
    assert found.cost_nano == found.input_tokens * 2000 + 20_000


# ---- money ----


@pytest.mark.parametrize(
    ("shape", "system", "rate"),
    [
        (Shape.MESSAGE, {}, 1000),
        (Shape.MESSAGE, {"cache_control": {"type": "ephemeral"}}, 1250),
        (Shape.MESSAGE, {"cache_control": {"type": "ephemeral", "ttl": "1h"}}, 2000),
        (Shape.CHAT, {}, 1250),
    ],
)
def test_a_prompt_that_may_be_cached_costs_what_that_costs(shape, system, rate):
    found = of(shape, system=[system], max_tokens=1)
    assert found.cost_nano == found.input_tokens * rate + 10_000


def test_what_is_no_text_costs_the_most_it_can():
    special = Price("models.toml", RateCard(D(1), D(10), special={"input_audio": D(40), "output_audio": D(80)}))
    sound = {"type": "input_audio", "input_audio": {"data": PICTURE, "format": "wav"}}
    found = of(Shape.CHAT, special, max_tokens=1, messages=[{"role": "user", "content": [sound]}])
    assert found.cost_nano == found.input_tokens * 40_000 + 80_000
    text = of(Shape.CHAT, special, max_tokens=1)
    assert text.cost_nano == text.input_tokens * 1000 + 80_000


@pytest.mark.parametrize(
    ("flat", "cost"),
    [(Flat(call=D("0.04")), 40_000_000), (Flat(second=D("0.0001")), 3_000_000), (Flat(characters=D(15)), 75_000)],
)
def test_what_does_not_go_by_tokens(flat, cost):
    assert of(Shape.SPEECH, Price("models.toml", flat=flat), input="Hello").cost_nano == cost


@pytest.mark.parametrize("text", [None, 5, ["a"], {"a": 1}])
def test_what_is_not_to_be_spoken_is_the_vendors_to_refuse(text):
    assert of(Shape.SPEECH, Price("models.toml", flat=Flat(characters=D(15))), input=text).cost_nano == 0


# ---- forms ----


def form(length: int | None, model: str = "whisper-1") -> Form:
    pieces = iter([f'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\n{model}\r\n--x--\r\n'.encode()])
    return Form("multipart/form-data; boundary=x", lambda _: next(pieces, b""), length)


@pytest.mark.parametrize(("length", "size"), [(4_000_000, 4_000_000), (None, FORM_BYTES), (0, 0)])
def test_a_sound_is_as_long_as_its_bytes_can_be(length, size):
    price = Price("models.toml", RateCard(D(6), D(10)), flat=Flat(audio_second=D("0.0001")))
    with closing(form(length)) as sound:
        found = estimate(path_of(Shape.TRANSCRIPTION), sound, price, 4096)
    seconds = size // 4000
    assert found.input_tokens == seconds * 20 + MEDIA_TOKENS
    assert found.output_tokens == max(4096, seconds * 20)
    assert found.cost_nano == found.input_tokens * 6000 + found.output_tokens * 10_000 + seconds * 100_000


# ---- afterwards ----


@pytest.mark.parametrize(
    ("arguments", "usage"),
    [
        ((10, 5, 0), Usage(10, 5)),
        ((10, 5, 21), Usage(10, 6)),
        ((10, 0, 0), Usage(10, 0)),
        ((-1, -1, -1), Usage(0, 0)),
    ],
)
def test_usage_that_the_vendor_did_not_send(arguments, usage):
    assert estimated_usage(*arguments) == usage


# ---- time ----


@pytest.mark.parametrize(
    "piece", [b"hello there ", b'\\"', b"A" * 1023 + b" ", b"a,", b'"base64,A",', b"\\u0000"], ids=repr
)
def test_time_is_linear_whatever_the_bytes_are(piece):
    def fastest(size: int) -> float:
        raw = piece * (size // len(piece))
        return min(_timed(raw) for _ in range(3))

    assert fastest(4_000_000) < 40 * max(fastest(400_000), 1e-4)


def _timed(raw: bytes) -> float:
    begun = process_time()  # others use the machine as well
    weight(raw)
    return process_time() - begun
