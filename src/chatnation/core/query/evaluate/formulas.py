"""Arithmetic over series: `100 * {read} / {sent}`, read into a program for a stack, and run on whole arrays at once."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from chatnation.core.query.frame import Floats
from chatnation.core.query.model import Formula
from chatnation.core.query.store import QueryRefused

_TOKEN = re.compile(r"\{(?P<name>[^{}]*)\}|(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)|(?P<sign>[-+*/()])")
_NEGATE = "negate"
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, _NEGATE: 3}


@dataclass(frozen=True, slots=True)
class Name:
    """The place of a series in a program."""

    name: str


Instruction = float | Name | str
"""A number or a series to put on the stack, or a sign that takes its operands from there."""


@dataclass(frozen=True, slots=True)
class Program:
    """A formula in the order of computation: operands before their sign."""

    instructions: tuple[Instruction, ...]

    def run(self, series: Mapping[str, Floats], size: int) -> Floats:
        """Its `size` values. NaN: an operand is missing, a division by zero, or a result beyond all numbers."""
        stack: list[Floats] = []
        with np.errstate(all="ignore"):
            for instruction in self.instructions:
                if isinstance(instruction, Name):
                    stack.append(series[instruction.name])
                elif isinstance(instruction, float):
                    stack.append(np.full(size, instruction))
                elif instruction == _NEGATE:
                    stack.append(-stack.pop())
                else:
                    right, left = stack.pop(), stack.pop()
                    stack.append(_ARITHMETIC[instruction](left, right))
        (result,) = stack
        return np.where(np.isfinite(result), result, np.nan)


def program(formula: Formula, names: Collection[str]) -> Program:
    """Reads a formula over series of these names. Raises QueryRefused, which tells the place of a fault."""
    return Program(tuple(_postfix(formula, names)))


def _divide(left: Floats, right: Floats) -> Floats:
    return np.where(right == 0, np.nan, left / right)


_ARITHMETIC: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
}


def _tokens(formula: Formula) -> Iterator[tuple[int, re.Match[str]]]:
    """Each token, and the place where it begins; the first is 1."""
    place, text = 0, formula.expression
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        token = _TOKEN.match(text, place)
        if token is None:
            raise _fault(formula, place + 1, f"{text[place]!r} is not understood")
        yield place + 1, token
        place = token.end()


def _postfix(formula: Formula, names: Collection[str]) -> Iterator[Instruction]:
    """Dijkstra's shunting yard: no recursion, so that no nesting is too deep."""
    waiting: list[tuple[str, int]] = []
    operand_next = True
    for place, token in _tokens(formula):
        sign = token["sign"]
        if operand_next:
            if sign in ("-", "("):
                waiting.append((_NEGATE if sign == "-" else "(", place))
                continue
            if sign is not None:
                raise _fault(formula, place, f"a number or a name is missing before {sign!r}")
            yield _operand(formula, names, place, token)
            operand_next = False
        elif sign == ")":
            while waiting and waiting[-1][0] != "(":
                yield waiting.pop()[0]
            if not waiting:
                raise _fault(formula, place, "this parenthesis was never opened")
            waiting.pop()
        elif sign is None or sign == "(":
            raise _fault(formula, place, f"a sign is missing before {token[0]!r}")
        else:
            while waiting and _PRECEDENCE.get(waiting[-1][0], 0) >= _PRECEDENCE[sign]:
                yield waiting.pop()[0]
            waiting.append((sign, place))
            operand_next = True
    if operand_next:
        raise _fault(formula, len(formula.expression) + 1, "a number or a name is missing at the end")
    for sign, place in reversed(waiting):
        if sign == "(":
            raise _fault(formula, place, "this parenthesis is never closed")
        yield sign


def _operand(formula: Formula, names: Collection[str], place: int, token: re.Match[str]) -> Instruction:
    if token["number"] is not None:
        return float(token["number"])
    if token["name"] not in names:
        raise _fault(formula, place, f"no series is named {token['name']!r}")
    return Name(token["name"])


def _fault(formula: Formula, place: int, what: str) -> QueryRefused:
    return QueryRefused(f"Formula {formula.name!r}, character {place}: {what}.")
