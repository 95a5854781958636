"""What stands between somebody who wants in and an open login: one function from facts to the next step."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Proof(StrEnum):
    """How somebody showed who they are, before any second factor."""

    PASSWORD = "password"
    RESET_LINK = "reset_link"
    INVITATION = "invitation"
    SIGNUP = "signup"
    SINGLE_SIGN_ON = "single_sign_on"


class Step(StrEnum):
    """Where a login stands."""

    LOCKED = "locked"
    REFUSED = "refused"
    SECOND_FACTOR = "second_factor"
    TAKE_OVER = "take_over"
    CHANGE_PASSWORD = "change_password"
    SET_UP_SECOND_FACTOR = "set_up_second_factor"
    LOGGED_IN = "logged_in"

    @property
    def pending(self) -> bool:
        """Whether a challenge waits to be answered before anything opens."""
        return self in (Step.SECOND_FACTOR, Step.TAKE_OVER, Step.CHANGE_PASSWORD)

    @property
    def opens(self) -> bool:
        """Whether a login is opened; with `SET_UP_SECOND_FACTOR` one that opens the set-up and nothing else."""
        return self in (Step.SET_UP_SECOND_FACTOR, Step.LOGGED_IN)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that decides the next step.

    `locked`: too many attempts, from this address or at this account. `proven`: password right, link valid, or provider
    sure. `second_factor_shown` is also true on a remembered device, and where a provider vouches for one.
    `password_expired` concerns only those who came by password: whoever just set one has a fresh one, and a provider
    has rules of its own.
    """

    proof: Proof = Proof.PASSWORD
    locked: bool = False
    proven: bool = False
    has_second_factor: bool = False
    second_factor_shown: bool = False
    second_factor_required: bool = False
    single_login: bool = False
    logged_in_elsewhere: bool = False
    take_over_confirmed: bool = False
    password_expired: bool = False


def next_step(facts: Facts) -> Step:
    """The first thing that is still missing, in the order in which it is asked for.

    Whoever is locked out learns nothing about the password. Nothing about an account is told, and no message sent,
    before every factor was shown; expiry is checked after them, so that nobody goes round it by having a factor.
    """
    if facts.locked:
        return Step.LOCKED
    if not facts.proven:
        return Step.REFUSED
    if facts.has_second_factor and not facts.second_factor_shown:
        return Step.SECOND_FACTOR
    if facts.single_login and facts.logged_in_elsewhere and not facts.take_over_confirmed:
        return Step.TAKE_OVER
    if facts.proof is Proof.PASSWORD and facts.password_expired:
        return Step.CHANGE_PASSWORD
    if facts.second_factor_required and not (facts.has_second_factor or facts.second_factor_shown):
        return Step.SET_UP_SECOND_FACTOR
    return Step.LOGGED_IN
