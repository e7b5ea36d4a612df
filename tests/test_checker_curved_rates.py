"""Certificates about rates along curved pieces, written by hand: accepted, and refused when a change makes them false.

What is true is seen another way: by errors of the iterates and of their derivatives, followed with many digits.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import mpmath
import pytest
from certificate_changes import accepted_changes, assert_changes_are_noticed, assert_refused, with_changes
from checker_certificates import certificate, one_map, piece

from piggycheck.checker import check

# -- subjects ------------------------------------------------------------------------------------------------------

LOGISTIC = one_map(  # slope 2 - r at 1 - 1/r, so that the derivatives have a factor k
    "x", "r", "r*x*(1 - x)",
    at={"r": "3/2"}, start={"x": "1/4"}, fixed_point={"x": "1/3"}, pieces=[piece([["1/2"]], [["2/9"]], "1 1")],
)  # fmt: skip
REACHED = one_map(  # 2/5 is sent to the fixed point 3/5 at once
    "x", "r", "r*x*(1 - x)",
    at={"r": "5/2"}, start={"x": "2/5"}, fixed_point={"x": "3/5"}, pieces=[piece([["-1/2"]], [["6/25"]], "1 1")],
)  # fmt: skip
QUARTIC = one_map(  # the slope is largest at the fixed point, and does not move with it to first order
    "x", "theta", "x - (x - theta + 2*x**3/5)/4",
    at={"theta": "0"}, start={"x": "theta + 1"}, fixed_point={"x": "0"}, pieces=[piece([["3/4"]], [["1/4"]], "1 1")],
)  # fmt: skip
NEWTON = one_map(
    "x", "c", "(x + c/x)/2",
    at={"c": "4"}, start={"x": "3"}, fixed_point={"x": "2"}, pieces=[piece([["0"]], [["1/4"]], "1 1")],
)  # fmt: skip
EXPONENTIAL = one_map(
    "x", "t", "(exp(t*x) - 1)/3",
    at={"t": "1"}, start={"x": "1/2"}, fixed_point={"x": "0"}, pieces=[piece([["1/3"]], [["0"]], "1 1")],
)  # fmt: skip
KINK = one_map(  # leaves the kink at 3/2 behind after one step
    "x", "t", "x/2 + x**2/8 - relu(x - 3/2)/8 + t",
    at={"t": "0"}, start={"x": "5/2"}, fixed_point={"x": "0"}, pieces=[piece([["1/2"]], [["1"]], "1 1")],
)  # fmt: skip
NILPOTENT = one_map(
    "x y", "t", "y + x**2/4", "t*x*y/4 + y**2/8 + t**2/2 - t/2",
    at={"t": "0"}, start={"x": "1/2", "y": "1/3"}, fixed_point={"x": "0", "y": "0"},
    pieces=[piece([["0", "1"], ["0", "0"]], [["0"], ["-1/2"]], "1 1 1")],
)  # fmt: skip

COUPLED = one_map(  # eigenvalues 3/4 and 1/2, which the second coordinate alone does not excite
    "x y", "", "3*x/4 + x*y/8", "y/2 - x**2/16",
    at={}, start={"x": "1/4", "y": "1/4"}, fixed_point={"x": "0", "y": "0"},
    pieces=[piece([["3/4", "0"], ["0", "1/2"]], [[], []], "1 1")],
)  # fmt: skip
TURNED = one_map(  # eigenvalues (3 +- sqrt(3) i)/8, of modulus sqrt(3)/4
    "x y", "", "3*x/4 - y*3/16 + x**3/8", "x",
    at={}, start={"x": "1/4", "y": "1/4"}, fixed_point={"x": "0", "y": "0"},
    pieces=[piece([["3/4", "-3/16"], ["1", "0"]], [[], []], "1 1")],
)  # fmt: skip

HALF = {"polynomial": ["-1", "2"], "lower": "1/2", "upper": "1/2"}
THIRD = {"polynomial": ["-1", "3"], "lower": "1/3", "upper": "1/3"}
SLOW = {"polynomial": ["-3", "4"], "lower": "3/4", "upper": "3/4"}
ZERO = {"polynomial": ["0", "1"], "lower": "0", "upper": "0"}


def rate(
    subject: dict[str, Any], stated: dict[str, Any], value: str | None = None, quantity: str = "iterates",
    verdict: str = "proved", method: str = "curved", **more: Any,
) -> dict[str, Any]:  # fmt: skip
    claimed = {"quantity": quantity} | ({} if value is None else {"value": value})
    return certificate(subject, "asymptotic_rate", verdict, {"method": method, "number": stated, **more}, **claimed)


def bound(
    subject: dict[str, Any], text: str, first: str, by: str, quantity: str = "iterates", norm: str = "max", **more: Any
) -> dict[str, Any]:
    claimed = {"quantity": quantity, "bound": text, "upto": "infinity", "norm": norm}
    subject = subject if quantity == "derivatives" else {k: v for k, v in subject.items() if k != "pieces"}
    witness = {"method": "curved", "from": first, "rate": by, "bits": "64", **more}
    return certificate(subject, "rate_bound", "proved", witness, **claimed)


def local(subject: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in subject.items() if key != "start"}


AT = {"iteration": "6", "bits": "128"}
TREE = {
    "rate": "3/4", "P": [["1", "0"], ["0", "4"]], "words": [["0"]],
    "trap": {"iteration": "8", "level": "1/1000", "growth": "1", "bits": "256"},
}  # fmt: skip
CONE = {
    "rate": "4/5", "P": [["1", "0"], ["0", "1"]], "words": [["0"]], "form": [["1", "0"], ["0", "-1"]],
    "threshold": "5/8", "trap": {"iteration": "4", "level": "1/50", "growth": "1", "bits": "128"},
}  # fmt: skip
TURN = {
    "rate": "7/8", "P": [["4", "-1"], ["-1", "1"]], "words": [["0"]], "form": [["16", "-6"], ["-6", "3"]],
    "threshold": "3/10", "trap": {"iteration": "5", "level": "1/1000", "growth": "1", "bits": "128"},
}  # fmt: skip
ROOT = {"polynomial": ["-3", "0", "16"], "lower": "433/1000", "upper": "434/1000"}  # sqrt(3)/4
RATES = {
    "a cone": (rate(COUPLED, SLOW, "3/4", method="dominant", **CONE), 0.75),
    "a cone, refuted": (rate(COUPLED, SLOW, "1/2", verdict="refuted", method="dominant", **CONE), 0.75),
    "iterates": (rate(LOGISTIC, HALF, "1/2", **AT), 0.5),
    "iterates, refuted": (rate(LOGISTIC, HALF, "2/3", verdict="refuted", **AT), 0.5),
    "derivatives": (rate(LOGISTIC, HALF, "1/2", "derivatives", matrix=[["4/9"]], **AT), 0.5),
    "an iterate is the fixed point": (rate(REACHED, ZERO, "0", iteration="1", bits="0"), 0.0),
    "and its derivative is not the limit": (
        rate(REACHED, HALF, "1/2", "derivatives", matrix=[["4/25"]], iteration="1", bits="0"),
        0.5,
    ),
    "a slope that rests": (rate(QUARTIC, SLOW, "3/4", "derivatives", matrix=[["1"]], iteration="12", bits="128"), 0.75),
    "superlinear": (rate(NEWTON, ZERO, "0", iteration="2", bits="64"), 0.0),
    "superlinear derivatives": (
        rate(NEWTON, ZERO, "0", "derivatives", matrix=[["1/4"]], iteration="2", bits="64"),
        0.0,
    ),
    "exponential": (rate(EXPONENTIAL, THIRD, "1/3", **AT), 1 / 3),
    "exponential, derivatives": (
        rate(EXPONENTIAL, THIRD, "1/3", "derivatives", matrix=[["0"]], **AT),
        1 / 3,
    ),
    "after a kink": (rate(KINK, HALF, "1/2", **AT), 0.5),
    "no start": (rate(local(EXPONENTIAL), THIRD, "1/3"), 1 / 3),
    "nilpotent": (rate(NILPOTENT, ZERO, "0", method="nilpotent", **TREE), 0.0),
    "nilpotent, derivatives": (rate(NILPOTENT, ZERO, "0", "derivatives", method="nilpotent", **TREE), 0.0),
    "nilpotent, no start": (rate(local(NILPOTENT), ZERO, "0", method="nilpotent"), 0.0),
}


FREE = "at|start|pieces/./direction|witness/(iteration|bits|rate|P|trap|form|threshold)"
BOUNDS = {
    "more than the limit of e_k 2^k": bound(LOGISTIC, "3*(1/2)**k/20", "8", "1/2"),
    "the slope is the largest at the fixed point": bound(QUARTIC, "2*(3/4)**k", "4", "3/4"),
    "and the first error is the constant": bound(QUARTIC, "(3/4)**k", "4", "3/4"),
    "a rate above the slope": bound(QUARTIC, "(4/5)**k", "4", "4/5"),
    "two terms": bound(QUARTIC, "2*(4/5)**k - (1/10)**k/10", "6", "4/5"),
    "derivatives": bound(LOGISTIC, "(3*k + 1)*(1/2)**k", "12", "1/2", "derivatives", "frobenius", matrix=[["4/9"]]),
    "derivatives along a slope that rests": bound(QUARTIC, "(3/4)**k", "16", "3/4", "derivatives", matrix=[["1"]]),
    "superlinear": bound(NEWTON, "100*(1/100)**k", "3", "1/100"),
    "superlinear derivatives": bound(NEWTON, "(1/2)**k", "4", "1/2", "derivatives", matrix=[["1/4"]]),
    "exponential": bound(EXPONENTIAL, "(2/5)**k", "5", "2/5"),
    "after a kink": bound(KINK, "8*(3/5)**k", "8", "3/5", norm="spectral"),
}


# -- what is true --------------------------------------------------------------------------------------------------


def errors(data: dict[str, Any], count: int) -> list[mpmath.mpf]:
    """The errors of a claim, in one state variable."""
    with mpmath.workdps(400):
        (x,), (t,) = data["map"]["state"], data["map"]["parameters"]
        theta, centre = (mpmath.mpf(Fraction(c).numerator) / Fraction(c).denominator
                         for c in (data["at"][t], data["fixed_point"][x]))  # fmt: skip
        functions = {"exp": mpmath.exp, "relu": lambda a: max(a, mpmath.mpf(0))}

        def value(text: str, names: dict[str, Any]) -> mpmath.mpf:
            exact = re.sub(r"\b(\d+)\b", r"mpf(\1)", text.replace("**", "^")).replace("^mpf(2)", "**2")
            return eval(exact.replace("^mpf(3)", "**3"), functions | {"mpf": mpmath.mpf}, names)

        def slope(text: str, names: dict[str, Any], name: str) -> mpmath.mpf:
            h = mpmath.mpf(10) ** -130
            return (value(text, names | {name: names[name] + h}) - value(text, names | {name: names[name] - h})) / (
                2 * h
            )

        following, start = data["map"]["next"][0], data["start"][x]
        names, at = {x: value(start, {t: theta}), t: theta}, {x: centre, t: theta}
        J, limit = slope(start, {t: theta}, t), slope(following, at, t) / (1 - slope(following, at, x))
        found = []
        for _ in range(count):
            found.append(abs(names[x] - centre if data["claim"]["quantity"] == "iterates" else J - limit))
            J = slope(following, names, x) * J + slope(following, names, t)
            names[x] = value(following, names)
        return found


def rate_is_true(data: dict[str, Any], rate: float) -> bool:
    lower, upper = (float(Fraction(data["witness"]["number"][end])) for end in ("lower", "upper"))
    if not lower - 1e-12 < rate < upper + 1e-12 or (lower < upper and data["witness"]["method"] != "dominant"):
        return False
    equal = "value" not in data["claim"] or abs(float(Fraction(data["claim"]["value"])) - rate) < 1e-12
    return equal == (data["claim"]["verdict"] == "proved")


def bound_is_true(data: dict[str, Any]) -> bool:
    with mpmath.workdps(100):
        text = re.sub(r"\b(\d+)\b", r"mpf(\1)", data["claim"]["bound"])
        return all(
            error <= eval(text, {"mpf": mpmath.mpf, "k": k}) * (1 + mpmath.mpf(10) ** -50) + mpmath.mpf(10) ** -90
            for k, error in enumerate(errors(data, 60))
        )


@pytest.mark.parametrize("name", RATES)
def test_a_valid_certificate_of_a_rate_is_accepted(name: str) -> None:
    data, rate = RATES[name]
    assert isinstance(check(data), str)
    assert rate_is_true(data, rate)


@pytest.mark.parametrize("name", BOUNDS)
def test_a_valid_certificate_of_a_bound_is_accepted(name: str) -> None:
    assert isinstance(check(BOUNDS[name]), str)
    assert bound_is_true(BOUNDS[name])


@pytest.mark.parametrize("name", ["iterates", "derivatives", "a slope that rests", "exponential", "after a kink"])
def test_the_errors_decay_at_the_rate_that_is_stated(name: str) -> None:
    data, rate = RATES[name]
    found = errors(data, 120)
    assert abs(found[119] / found[59] / mpmath.mpf(rate) ** 60 - (2 if name == "derivatives" else 1)) < 0.1


@pytest.mark.parametrize("name", RATES)
def test_a_changed_number_of_a_rate_is_refused_unless_the_claim_stays_true(name: str) -> None:
    data, rate = RATES[name]
    for where, change, changed in accepted_changes(data):
        wider = where.startswith("witness/number" if "cone" in name else "claim/value" if "refuted" in name else "-")
        assert re.match(f"({FREE})(/|$)", where) or wider or where == "claim/value", change
        assert rate_is_true(changed, rate), f"{change}, and is false"


@pytest.mark.parametrize("name", BOUNDS)
def test_a_changed_number_of_a_bound_is_refused_unless_the_claim_stays_true(name: str) -> None:
    assert_changes_are_noticed(
        BOUNDS[name], "at|start|pieces/./direction|claim/bound|witness/(from|bits|rate)", bound_is_true
    )


def test_a_conjugate_pair_has_one_modulus() -> None:
    data = rate(TURNED, ROOT, "sqrt(3)/4", method="dominant", **TURN)
    assert isinstance(check(data), str)
    assert_changes_are_noticed(data, f"{FREE}|witness/number|map/next")


def other(name: str, *changes: tuple[str, Any]) -> dict[str, Any]:
    """One of the certificates with some parts replaced."""
    return with_changes(RATES[name][0] if name in RATES else BOUNDS[name], *changes)


ROUND = [["1", "0"], ["0", "1"]]
FALSE = {
    "an iterate outside of the cone": (other("a cone", ("start/x", "0")), "the iterate is not proved to be in the"),
    "two eigenvalues of different modulus": (
        other("a cone", ("witness/form", ROUND), ("witness/threshold", "1/3")),
        "there are several eigenvalues beyond the threshold, and",
    ),
    "and a factor that has both": (
        other(
            "a cone",
            ("witness/form", ROUND),
            ("witness/threshold", "1/3"),
            ("witness/factor", ["3/8", "-5/4", "1"]),
        ),
        "the roots of the factor are not shown to have one",
    ),
    "the eigenvalue that does not lead": (
        other("a cone", ("witness/number", HALF), ("claim/value", "1/2")),
        "the bounds do not hold the largest modulus of a factor",
    ),
    "a cone that is not invariant": (other("a cone", ("witness/threshold", "3/4")), "A does not expand the form"),
    "a trap in which the cone is not invariant": (
        other("a cone", ("witness/trap/level", "4"), ("witness/trap/iteration", "0"), ("witness/rate", "99/100")),
        "a piece that is not affine is not proved to contract",
    ),
    "errors that vanish, stated as if they did not": (
        other("an iterate is the fixed point", ("witness/number", HALF)),
        "the rate is 0",
    ),
    "a nilpotent matrix that is not": (
        other("nilpotent", ("map/next/1", "x/9 + y**2/8 + t**2/2 - t/2"), ("pieces/0/A/1", ["1/9", "0"])),
        "A is not nilpotent",
    ),
    "too early": (other("iterates", ("witness/iteration", "0"), ("start/x", "-1")), "the iterates are not proved to"),
    "a constant that is too small": (
        other("more than the limit of e_k 2^k", ("claim/bound", "29*(1/2)**k/200")),
        "the bound is not proved from k = 8 on",
    ),
    "a rate below the slope": (
        other("the slope is the largest at the fixed point", ("witness/rate", "2/3")),
        "below the derivative at the fixed point",
    ),
}


@pytest.mark.parametrize("name", FALSE)
def test_what_is_false_is_refused(name: str) -> None:
    assert_refused(*FALSE[name])
