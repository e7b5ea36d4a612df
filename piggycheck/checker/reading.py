"""The fields, texts and rational numbers of a certificate, and the two ways to reject it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

MOST_DIGITS = 20_000
RATIONAL = re.compile(r"(-?\d+)(?:/(\d+))?", re.ASCII)

Data = dict[str, Any]


class Unreadable(Exception):
    """The text is not a certificate; says where and why."""


class Refused(Exception):
    """The certificate does not hold, or this checker cannot follow it; says why."""


def fields(data: Any, where: str, required: Sequence[str], optional: Sequence[str] = ()) -> Data:
    """An object with all the required keys, and no others than the optional ones."""
    if not isinstance(data, dict):
        raise Unreadable(f"`{where}` is not an object")
    for key in [*data, *required]:
        if key not in data or (key not in required and key not in optional):
            raise Unreadable(f"`{where}`: {'unknown' if key in data else 'missing'} key `{str(key)[:60]}`")
    return data


def text(data: Any, where: str) -> str:
    """A text."""
    if not isinstance(data, str):
        raise Unreadable(f'`{where}` is not text; numbers are text too, such as "-9/8"')
    return data


def array(data: Any, where: str, length: int | None = None) -> list[Any]:
    """A list, of the given length."""
    if not isinstance(data, list) or (length is not None and len(data) != length):
        raise Unreadable(f"`{where}` is not a list" + (f" of length {length}" if length is not None else ""))
    return data


def number(data: Any, where: str) -> Fraction:
    """A rational number; when it is long, through `Decimal`, which reads more digits than `int` does."""
    found = RATIONAL.fullmatch(text(data, where))
    if found is None or len(data) > MOST_DIGITS:
        raise Unreadable(f"`{where}`: `{data[:40]}` is not a rational number below {MOST_DIGITS} digits")
    n, d = (int(digits if len(data) < 1000 else Decimal(digits)) for digits in found.groups("1"))
    if d == 0:
        raise Unreadable(f"`{where}`: `{data[:40]}` has the denominator 0")
    return Fraction(n, d)


def integer(data: Any, where: str, least: int, most: int) -> int:
    """An integer between two bounds."""
    n = number(data, where)
    if n.denominator != 1 or not least <= n <= most:
        raise Unreadable(f"`{where}`: `{data[:40]}` is not an integer from {least} to {most}")
    return int(n)


def numbers(data: Any, where: str, names: Sequence[str]) -> dict[str, Fraction]:
    """A rational number for each name, in the order of the names."""
    data = fields(data, where, names)
    return {name: number(data[name], f"{where}.{name}") for name in names}


def say(x: Fraction) -> str:
    """A number as text, which is short."""
    if x.numerator.bit_length() + x.denominator.bit_length() < 130:
        return str(x)
    shift = x.denominator.bit_length() - x.numerator.bit_length()
    return f"about {float(x * Fraction(2) ** shift):.6f} * 2^{-shift}"


def say_point(point: Mapping[str, Fraction]) -> str:
    """The coordinates of a point as text."""
    return ", ".join(f"{name} = {say(value)}" for name, value in point.items())
