"""What decides grades besides a request, in a hash."""

from __future__ import annotations

from importlib import import_module

import pytest

module = import_module("lib.assessment.grading.fingerprint")  # the package exports its function by the same name


def test_terms_and_their_order_count() -> None:
    told = [module.fingerprint(terms) for terms in ([b"a", b"b"], [b"b", b"a"], [b"ab"], [], [b""])]
    assert len(set(told)) == len(told)
    assert module.fingerprint(iter([b"a", b"b"])) == told[0]


def test_another_parser_decides_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    module._code.cache_clear()
    now = module.fingerprint([])
    monkeypatch.setattr(module, "version", lambda package: f"another {package}")
    module._code.cache_clear()
    assert module.fingerprint([]) != now
    monkeypatch.undo()
    module._code.cache_clear()
    assert module.fingerprint([]) == now
