"""Formulas against Python's own arithmetic."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatnation.core.query.evaluate.formulas import program
from chatnation.core.query.model import Formula
from chatnation.core.query.store import QueryRefused

NAMES = {"a": 3.0, "b b": 0.0, "c": 7.5, "gone": math.nan}


def value(expression: str) -> float | None:
    arrays = {name: np.array([number, number]) for name, number in NAMES.items()}
    first, second = program(Formula("f", expression), NAMES).run(arrays, 2).tolist()
    assert first == second or (math.isnan(first) and math.isnan(second))
    return None if math.isnan(first) else first


def random_expression(random: Random, depth: int) -> str:
    if depth == 0 or random.random() < 0.2:
        return random.choice(("{a}", "{b b}", "{c}", "{gone}", "2", "0.5", "10", ".25", "3."))
    left, right = random_expression(random, depth - 1), random_expression(random, depth - 1)
    space = random.choice(("", " "))
    shape = random.choice(("{0}{s}{o}{s}{1}", "({0}{s}{o}{s}{1})", "-{0}", "-({0})", "({0}){o}{1}", "--{0}"))
    return shape.format(left, right, o=random.choice("+-*/"), s=space)


def in_python(expression: str) -> float | None:
    for name, number in NAMES.items():
        expression = expression.replace(f"{{{name}}}", "float('nan')" if math.isnan(number) else repr(number))
    try:
        found = float(eval(expression))
    except ZeroDivisionError:
        return None
    return found if math.isfinite(found) else None


@pytest.mark.parametrize("seed", range(300))
def test_a_formula_means_what_it_means_in_python(seed: int) -> None:
    expression = random_expression(Random(seed), Random(seed).randrange(6))
    assert value(expression) == pytest.approx(in_python(expression)), expression


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("100 * {a} / {c}", 40),
        ("{a} - 1 - 1", 1),
        ("12 / 3 / 2", 2),
        ("2 + 3 * 4", 14),
        ("-{a} * -2", 6),
        ("{a} / {b b}", None),
        ("0 / {b b}", None),
        ("{b b} / {a}", 0),
        ("{gone} * 0", None),
        ("9" * 400, None),
        ("(" * 240 + "{a}" + ")" * 240, 3),
        ("-" * 490 + "{a}", 3),
    ],
)
def test_formulas_have_their_value(expression: str, result: float | None) -> None:
    assert value(expression) == result


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("{a} + {d}", "character 7: no series is named 'd'"),
        ("{a} +", "character 6: a number or a name is missing at the end"),
        (" ", "character 2: a number or a name is missing at the end"),
        ("{a} {c}", "character 5: a sign is missing before '{c}'"),
        ("2(3)", "character 2: a sign is missing before '('"),
        ("({a}", "character 1: this parenthesis is never closed"),
        ("{a})", "character 4: this parenthesis was never opened"),
        ("()", "character 2: a number or a name is missing before ')'"),
        ("* {a}", "character 1: a number or a name is missing before '*'"),
        ("+1", "character 1: a number or a name is missing before '+'"),
        ("{a", "character 1: '{' is not understood"),
        ("{a} % 2", "character 5: '%' is not understood"),
        ("a", "character 1: 'a' is not understood"),
        ("1e5", "character 2: 'e' is not understood"),
        ("__import__('os')", "character 1: '_' is not understood"),
    ],
)
def test_a_fault_is_refused_with_its_place(expression: str, words: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        value(expression)
    assert refused.value.detail == f"Formula 'f', {words}."


@given(st.text("{}abc 0123456789.+-*/()", max_size=60))
def test_any_text_has_a_value_or_is_refused(expression: str) -> None:
    try:
        found = value(expression)
    except QueryRefused:
        return
    assert found is None or math.isfinite(found)
