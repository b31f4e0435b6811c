"""The error tree: every class has a status that suits its branch, and shows nothing that only the log may hold."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.base import errors
from lib.base.errors import AIProxyError

SPECIAL = {  # classes that are not made without arguments
    errors.Untranslatable: lambda: errors.Untranslatable("logit_bias"),
    errors.VendorRefused: lambda: errors.VendorRefused("too long", status=413, provider="openai"),
}


def tree(kind: type[AIProxyError] = AIProxyError) -> Iterator[type[AIProxyError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from tree(below)


ALL = list(tree())


def make(kind: type[AIProxyError]) -> AIProxyError:
    return SPECIAL.get(kind, kind)()


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_is_drawn_in_the_module_with_its_status(kind):
    assert errors.__doc__ is not None
    line = next(line for line in errors.__doc__.splitlines() if line.strip(" │├└─").split(" ")[0] == kind.__name__)
    if kind not in (AIProxyError, errors.VendorRefused):  # the root has none, the other one the vendor's
        assert str(kind.status)[0] in line


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_has_a_message_and_a_code(kind):
    error = make(kind)
    assert error.message.endswith((".", "too long"))
    assert error.code == error.code.lower()
    assert str(error) == error.message


@pytest.mark.parametrize("kind", list(tree(errors.CallerError)), ids=lambda kind: kind.__name__)
def test_what_the_caller_can_mend_is_a_4xx(kind):
    assert 400 <= make(kind).status < 500


@pytest.mark.parametrize("kind", list(tree(errors.GatewayError)), ids=lambda kind: kind.__name__)
def test_what_the_caller_cannot_mend_is_a_5xx(kind):
    assert 500 <= make(kind).status < 600


def test_a_detail_is_not_shown():
    error = errors.VendorUnreachable(detail="connect to 10.0.0.7 refused")
    assert "10.0.0.7" not in str(error) + repr(error)
    assert error.detail == "connect to 10.0.0.7 refused"


def test_untranslatable_names_the_field_and_why():
    error = errors.Untranslatable("n", "it must be 1")
    assert (error.param, error.message) == ("n", "`n` is not supported by the chosen model: it must be 1.")


def test_what_the_vendor_refused_keeps_its_status_and_code():
    error = errors.VendorRefused("too long", status=413, code="string_above_max_length", provider="openai")
    assert (error.status, error.code, error.provider, error.body) == (413, "string_above_max_length", "openai", None)


def test_classes_do_not_share_what_an_instance_says():
    errors.VendorRefused("gone", status=410, code="gone", provider="openai")
    assert (errors.VendorRefused.status, errors.VendorRefused.code) == (400, "invalid_request")


def test_an_unknown_model_is_about_the_field_model():
    assert errors.UnknownModel(detail="no provider").param == "model"
