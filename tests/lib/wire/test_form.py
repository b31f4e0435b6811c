"""A multipart form on its way: `model` and `stream` are found and `model` replaced, wherever the pieces are cut."""

from __future__ import annotations

import gc
import re
import warnings
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base.errors import BadRequest
from lib.wire import Form

BOUNDARY = "xYz"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
READ_AHEAD = 256 * 1024
MIB = 1024 * 1024


def part(name: str, value: bytes, more: str = "") -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


def body(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def reader(raw: bytes, cuts: list[int] | None = None) -> Callable[[int], bytes]:
    """Gives what a socket might: pieces cut at these places, never more than asked for."""
    cuts = sorted({cut for cut in cuts or [] if 0 < cut < len(raw)})
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]

    def read(size: int) -> bytes:
        while pieces:
            piece, pieces[0] = pieces[0][:size], pieces[0][size:]
            if not pieces[0]:
                pieces.pop(0)
            if piece:
                return piece
        return b""

    return read


def opened(raw: bytes, cuts: list[int] | None = None, content_type: str = TYPE) -> closing[Form]:
    """A form that is closed at the end of the `with`."""
    return closing(Form(content_type, reader(raw, cuts), len(raw)))


def refusal(raw: bytes, cuts: list[int] | None = None, content_type: str = TYPE) -> BadRequest | None:
    """The error that a form is refused with, None when it is taken."""
    try:
        with opened(raw, cuts, content_type):
            return None
    except BadRequest as error:
        return error.with_traceback(None)


# ---- forms as clients write them ----


@dataclass
class Written:
    """A form in two halves, around the value of `model`."""

    before: bytes
    model: str | None
    after: bytes
    stream: str | None

    def raw(self, model: str | None = None) -> bytes:
        """The form, with another model when it names one."""
        value = self.model if model is None or self.model is None else model
        return self.before + (value or "").encode() + self.after


near_misses = st.lists(st.sampled_from([b"\r", b"\n", b"-", b"--", b"xYz", b"xY", b"\r\n--", b"\r\n", b"a", b"\x00"]))
contents = (near_misses.map(b"".join) | st.binary(max_size=40)).filter(
    lambda value: not re.search(rb"[\r\n]--xYz", b"\n" + value)
)
words = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20)
others = st.tuples(st.sampled_from(["file", "prompt", "language", "include[]", "modelling"]), contents)


@st.composite
def written(draw: st.DrawFn) -> Written:
    """`model` and `stream` among other parts, in any order, or absent."""
    model, stream = draw(st.none() | words), draw(st.none() | words)
    mine = [("model", model.encode())] if model is not None else []
    mine += [("stream", stream.encode())] if stream is not None else []
    parts = draw(st.permutations(mine + draw(st.lists(others, min_size=1, max_size=3))))
    more = draw(st.sampled_from(["", '; filename="model.wav"\r\nContent-Type: audio/wav', "; filename=x"]))
    preamble = draw(st.sampled_from([b"", b"\r\n", b"for old readers\r\n"]))
    halves = [preamble, b""]
    half = 0
    for name, value in parts:
        whole = part(name, value, more if name == "file" else "")
        if name == "model":
            halves[0] += whole[: len(whole) - len(value) - 2]
            half, whole = 1, b"\r\n"
        halves[half] += whole
    halves[half] += b"--xYz--" + draw(st.sampled_from([b"", b"\r\n", b"\r\nand more"]))
    return Written(halves[0], model, halves[1], stream)


@given(written(), st.lists(st.integers(0, 400), max_size=12), words)
def test_any_cut_gives_the_same_form_with_the_other_model(form, cuts, model):
    with opened(form.raw(), cuts) as read:
        assert (read.get("model"), read.get("stream")) == (form.model, form.stream)
        assert read.length(model) == len(form.raw(model))
        assert b"".join(read.pieces(model)) == form.raw(model)


@given(written())
def test_byte_for_byte_is_a_cut_too(form):
    with opened(form.raw(), list(range(len(form.raw())))) as read:
        assert (read.get("model"), read.get("stream")) == (form.model, form.stream)
        assert b"".join(read.pieces("other")) == form.raw("other")


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=abc", b"abc"),
        ('multipart/form-data; boundary="abc"', b"abc"),
        ('multipart/form-data; boundary="a b:c"', b"a b:c"),
        ("Multipart/Form-Data; Boundary=abc", b"abc"),
        ("multipart/form-data; charset=utf-8; boundary=abc", b"abc"),
        ("multipart/form-data; boundary=abc; charset=utf-8", b"abc"),
        ("multipart/form-data;boundary=----WebKitFormBoundary7MA4", b"----WebKitFormBoundary7MA4"),
    ],
)
def test_the_boundary_is_read_in_its_spellings(content_type, boundary):
    raw = body(part("model", b"whisper-1")).replace(b"xYz", boundary)
    with opened(raw, content_type=content_type) as form:
        assert form.get("model") == "whisper-1"


@pytest.mark.parametrize(
    "header",
    [
        b'Content-Disposition: form-data; name="model"',
        b"content-disposition: form-data; name=model",
        b'CONTENT-DISPOSITION: form-data; NAME="model"',
        b'Content-Type: text/plain\r\nContent-Disposition: form-data; name="model"',
        b'Content-Disposition: form-data; filename="x"; name="model"',
    ],
)
def test_the_name_of_a_part_is_read_in_its_spellings(header):
    with opened(b"--xYz\r\n" + header + b"\r\n\r\nwhisper-1\r\n--xYz--") as form:
        assert form.get("model") == "whisper-1"


def test_a_file_of_that_name_is_not_the_field():
    with opened(body(part("file", b"x", '; filename="model"'), part("model", b"whisper-1"))) as form:
        assert form.get("model") == "whisper-1"


@pytest.mark.parametrize(("length", "expected"), [(None, None), (1000, 1002)])
def test_the_length_follows_from_what_the_caller_said(length, expected):
    with closing(Form(TYPE, reader(body(part("model", b"a"))), length)) as form:
        assert form.length("abc") == expected


def test_a_value_may_be_empty():
    with opened(body(part("model", b""), part("stream", b""))) as form:
        assert (form.get("model"), form.get("stream")) == ("", "")
        assert b"".join(form.pieces("a")) == body(part("model", b"a"), part("stream", b""))


# ---- large forms ----


def counted(read: Callable[[int], bytes]) -> tuple[Callable[[int], bytes], list[int]]:
    """The same reader, and the sizes of what it gave so far."""
    sizes: list[int] = []

    def count(size: int) -> bytes:
        piece = read(size)
        sizes.append(len(piece))
        return piece

    return count, sizes


def test_a_large_file_is_read_as_it_is_sent():
    raw = body(part("model", b"a"), part("file", bytes(4 * MIB)), part("stream", b"true"))
    read, sizes = counted(reader(raw))
    with closing(Form(TYPE, read, len(raw))) as form:
        assert form.get("model") == "a"
        assert sum(sizes) <= 2 * READ_AHEAD
        sent = 0
        for piece in form.pieces("bb"):
            sent += len(piece)
            assert sum(sizes) <= sent + 2 * READ_AHEAD
        assert sent == len(raw) + 1 == form.length("bb")


def test_a_model_behind_a_large_file_is_found():
    raw = body(part("file", b"\r\n--xYy" * 100_000), part("stream", b"true"), part("model", b"a"))
    with opened(raw) as form:
        assert (form.get("model"), form.get("stream")) == ("a", "true")
        assert b"".join(form.pieces("bb")) == raw.replace(b'"model"\r\n\r\na', b'"model"\r\n\r\nbb')


def test_a_form_says_when_it_was_sent():
    with opened(body(part("model", b"a"))) as form:
        assert not form.sent
        next(form.pieces("b"))
        assert form.sent


# ---- what is refused ----


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        "multipart/mixed; boundary=xYz",
        "x multipart/form-data; boundary=xYz",
    ],
)
def test_a_content_type_without_a_boundary_is_refused(content_type):
    assert "boundary" in str(refusal(body(part("model", b"a")), content_type=content_type))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"--xYz",
        b"--xYz--",
        b"--xYz\r\nContent-Disposition: form-data; name=model\r\n",
        b"--xY\r\n\r\na",
        b"xYz\r\n\r\na\r\nxYz--",
        b"-" * 1000,
        bytes(1000),
    ],
)
def test_what_is_no_form_is_refused(raw):
    assert "not the form" in str(refusal(raw))


@pytest.mark.parametrize("name", ["model", "stream"])
def test_a_field_that_is_named_twice_is_refused(name):
    refused = refusal(body(part(name, b"a"), part("file", b"x"), part(name, b"b")))
    assert refused is not None
    assert refused.param == name


def test_a_second_model_behind_a_large_file_is_refused_before_it_is_sent():
    raw = body(part("model", b"a"), part("file", bytes(MIB)), part("model", b"b"))
    sent = []
    with opened(raw) as form, pytest.raises(BadRequest) as caught:
        sent.extend(form.pieces("a"))
    assert caught.value.param == "model"
    assert b"".join(sent).count(b'"model"') == 1


@pytest.mark.parametrize("name", ["model", "stream"])
def test_an_endless_field_is_refused(name):
    refused = refusal(body(part(name, b"a" * MIB), part("file", b"x")))
    assert refused is not None
    assert refused.param == name


def test_endless_headers_are_refused():
    assert "headers" in str(refusal(body(part("file", b"", "; x=" + "y" * MIB))))


WHOLE = body(part("file", b"x", '; filename="x"'), part("model", b"whisper-1"), part("stream", b"true"))


@pytest.mark.parametrize("end", range(len(WHOLE)))
def test_a_form_that_was_cut_is_refused_or_goes_on_as_it_is(end):
    """A vendor will refuse it. What may be the half of a model's name is not taken for one."""
    if refusal(WHOLE[:end]):
        return
    with opened(WHOLE[:end]) as read:
        assert read.get("model") in (None, "whisper-1")
        assert b"".join(read.pieces("whisper-1")) == WHOLE[:end]


telling = st.sampled_from(
    [
        b"--xYz",
        b"\r\n--xYz",
        b"\r\n",
        b"\r\n\r\n",
        b"--",
        b"Content-Disposition:",
        b'Content-Disposition: form-data; name="model"\r\n\r\n',
        b"Content-Disposition: form-data; name=stream\r\n\r\n",
        b"name=",
        b"model",
        b'"',
    ]
)


@given(st.lists(telling | st.binary(max_size=4), max_size=40).map(b"".join), st.lists(st.integers(0, 300), max_size=8))
def test_hostile_input_is_a_bad_request_at_worst(raw, cuts):
    if refusal(raw, cuts):
        return
    with opened(raw, cuts) as read:
        sent = b"".join(read.pieces("whisper-1"))
        assert len(sent) == read.length("whisper-1")
        assert sent == raw or read.get("model") is not None


# ---- what it costs, and what two readers may read in two ways ----


def test_a_refused_form_leaves_nothing_open():
    with warnings.catch_warnings(record=True) as noticed:
        warnings.simplefilter("always")
        with suppress(BadRequest):
            opened(body(part("model", b"a"), part("model", b"b")))
        gc.collect()
    assert [str(each.message) for each in noticed] == []


def test_no_piece_is_large_when_the_file_comes_first():
    with opened(body(part("file", bytes(4 * MIB)), part("model", b"a"))) as form:
        assert max(len(piece) for piece in form.pieces("b")) <= READ_AHEAD


@pytest.mark.parametrize(
    "raw",
    [
        body(part("model", b"a" * 20_000)),
        body(part("file", b"a", "; x=" + "y" * 20_000), part("model", b"b")),
        body(part("file", b"a")) + body(part("model", b"b")),
    ],
    ids=["long field", "long headers", "parts behind the end"],
)
def test_a_cut_does_not_decide_what_is_refused(raw):
    def verdict(cuts):
        if refused := refusal(raw, cuts):
            return refused.message
        with opened(raw, cuts) as form:
            return form.get("model")

    assert verdict([]) == verdict(list(range(0, len(raw), 100)))


OTHER_SPELLINGS = [
    b'Content-Disposition: form-data;\r\n name="model"',
    b'Content-Disposition: form-data; name = "model"',
    b'Content-Disposition : form-data; name="model"',
    b"Content-Disposition: form-data; name*=UTF-8''model",
    b'Content-Disposition: form-data; name="mod\\el"',
    b'Content-Disposition: form-data; x="; name=a"; name="model"',
]


@pytest.mark.parametrize("header", OTHER_SPELLINGS)
def test_no_second_model_comes_past_in_another_spelling(header):
    """A vendor that reads it would answer with a model that nobody allowed."""
    smuggled = b"--xYz\r\n" + header + b"\r\n\r\nnot-allowed\r\n"
    assert refusal(smuggled + body(part("model", b"allowed"))) is not None


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data; boundary=xYz; boundary=abc", 'multipart/form-data; x="; boundary=xYz"; boundary=abc'],
)
def test_the_vendor_gets_the_one_boundary_that_was_read(content_type):
    raw = body(part("model", b"allowed"))
    raw += raw.replace(b"xYz", b"abc").replace(b"allowed", b"not-allowed")
    if refusal(raw, content_type=content_type):
        return
    with opened(raw, content_type=content_type) as form:
        assert form.content_type.count("boundary") == 1


def test_very_many_parts_are_refused():
    assert refusal(b"--xYz\r\n\r\n\r\n" * 100_000 + body(part("model", b"a"))) is not None


@pytest.mark.parametrize("line_ending", [b"\n", b"\r"])
@pytest.mark.parametrize("value", [b"not-allowed", b""])
def test_no_second_model_comes_past_behind_another_line_ending(line_ending, value):
    smuggled = part("model", value).replace(b"\r\n", line_ending)
    raw = body(part("file", b"sound" + line_ending + smuggled), part("model", b"allowed"))
    assert "boundary" in str(refusal(raw))


@pytest.mark.parametrize("after", [b"z", b"-", b" z", b"\n", b"\rz"])
def test_a_boundary_with_something_behind_it_is_refused(after):
    raw = body(part("file", b"sound\r\n--xYz" + after + b"and more of it"), part("model", b"a"))
    for cuts in ([], list(range(len(raw)))):
        assert "boundary" in str(refusal(raw, cuts))


def test_a_boundary_within_a_line_is_content():
    raw = body(part("file", b"sound --xYz--\r\nand --xYz\r\n"), part("model", b"a"))
    with opened(raw, list(range(len(raw)))) as form:
        assert b"".join(form.pieces("a")) == raw


@pytest.mark.parametrize(
    "filename",
    ['"a b.wav"', '"C:\\sound\\a.wav"', '"a;b.wav"', "a.wav", "\"\u00e4.wav\"; filename*=UTF-8''%C3%A4.wav"],
)
def test_files_have_names_of_many_kinds(filename):
    raw = body(part("file", b"x", f"; filename={filename}\r\nContent-Type: audio/wav"), part("model", b"a"))
    with opened(raw) as form:
        assert form.get("model") == "a"


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (TYPE, 'multipart/form-data; boundary="xYz"'),
        ("Multipart/form-data;charset=utf-8; BOUNDARY=xYz;", 'multipart/form-data; boundary="xYz"'),
    ],
)
def test_the_content_type_goes_up_plainly_written(content_type, expected):
    with opened(body(part("model", b"a")), content_type=content_type) as form:
        assert form.content_type == expected
