"""Tokens that prove a form is ours."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatnation.core.web.csrf import make_token, token_matches


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_token_fits_its_cookie_and_looks_different_each_time(secret: str, binding: str) -> None:
    first, second = make_token(secret, binding), make_token(secret, binding)
    assert first != second
    assert token_matches(secret, binding, first)
    assert token_matches(secret, binding, second)


@given(st.text(min_size=1), st.text(), st.text())
def test_a_token_fits_no_other_cookie_and_no_other_secret(secret: str, binding: str, other: str) -> None:
    token = make_token(secret, binding)
    assert token_matches(secret, other, token) == (other == binding)
    assert token_matches(other, binding, token) == (other == secret)


@given(st.text())
def test_text_that_is_no_token_fits_nothing(text: str) -> None:
    assert not token_matches("secret", "binding", text)
