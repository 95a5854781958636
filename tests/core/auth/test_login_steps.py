"""The table that decides what somebody is asked next."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from chatnation.core.auth.login_steps import Facts, Proof, Step, next_step

RIGHT = Facts(proven=True)


@pytest.mark.parametrize(
    ("facts", "step"),
    [
        (Facts(), Step.REFUSED),
        (Facts(locked=True), Step.LOCKED),
        (replace(RIGHT, locked=True), Step.LOCKED),
        (RIGHT, Step.LOGGED_IN),
        (replace(RIGHT, has_second_factor=True), Step.SECOND_FACTOR),
        (replace(RIGHT, has_second_factor=True, second_factor_shown=True), Step.LOGGED_IN),
        (replace(RIGHT, second_factor_required=True), Step.SET_UP_SECOND_FACTOR),
        (replace(RIGHT, second_factor_required=True, second_factor_shown=True), Step.LOGGED_IN),
        (
            replace(RIGHT, second_factor_required=True, has_second_factor=True, second_factor_shown=True),
            Step.LOGGED_IN,
        ),
        (replace(RIGHT, single_login=True), Step.LOGGED_IN),
        (replace(RIGHT, logged_in_elsewhere=True), Step.LOGGED_IN),
        (replace(RIGHT, single_login=True, logged_in_elsewhere=True), Step.TAKE_OVER),
        (replace(RIGHT, single_login=True, logged_in_elsewhere=True, take_over_confirmed=True), Step.LOGGED_IN),
        (replace(RIGHT, password_expired=True), Step.CHANGE_PASSWORD),
        (replace(RIGHT, password_expired=True, proof=Proof.SINGLE_SIGN_ON), Step.LOGGED_IN),
        (replace(RIGHT, password_expired=True, proof=Proof.RESET_LINK), Step.LOGGED_IN),
        (replace(RIGHT, password_expired=True, second_factor_required=True), Step.CHANGE_PASSWORD),
        # Expiry is checked after every factor, not instead of it.
        (replace(RIGHT, password_expired=True, has_second_factor=True), Step.SECOND_FACTOR),
        (replace(RIGHT, password_expired=True, has_second_factor=True, second_factor_shown=True), Step.CHANGE_PASSWORD),
        (
            replace(RIGHT, single_login=True, logged_in_elsewhere=True, has_second_factor=True),
            Step.SECOND_FACTOR,
        ),
        (
            replace(
                RIGHT, single_login=True, logged_in_elsewhere=True, has_second_factor=True, second_factor_shown=True
            ),
            Step.TAKE_OVER,
        ),
    ],
)
def test_the_next_step_is_the_first_thing_that_is_missing(facts: Facts, step: Step) -> None:
    assert next_step(facts) is step


@pytest.mark.parametrize("proof", Proof)
def test_no_way_in_goes_round_a_second_factor_or_a_lock(proof: Proof) -> None:
    for values in product((False, True), repeat=9):
        facts = Facts(proof, *values)
        step = next_step(facts)
        if step.opens:
            assert facts.proven
            assert not facts.locked
            assert facts.second_factor_shown or not facts.has_second_factor
            assert step is Step.SET_UP_SECOND_FACTOR or facts.second_factor_shown or not facts.second_factor_required
        assert not (step.opens and step.pending)
