"""The checker accepts true certificates of structured maps, and none that a change has made false."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import Any

import pytest
from certificate_changes import assert_changes_are_noticed, assert_refused, replaced, with_changes
from checker_certificates import certificate
from layers_certificates import CASES, affine, elementwise, holds, layers, limit, scalar, soft

from piggycheck.checker import Refused, check, effort
from piggycheck.checker.evaluation import Evaluation
from piggycheck.checker.limits import Structured


@pytest.mark.parametrize("name", CASES)
def test_a_true_certificate_is_accepted(name: str) -> None:
    assert isinstance(check(CASES[name]), str)
    assert holds(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_a_changed_number_is_refused_unless_the_claim_stays_true(name: str) -> None:
    assert_changes_are_noticed(CASES[name], is_true=holds)


def altered(name: str, *changes: tuple[str, Any]) -> dict[str, Any]:
    """A certificate with changes at places such as `witness/point/0`."""
    return with_changes(CASES[name], *changes)


SHRUNK, LASSO, VARIATION = "shrunk, derivative", "lasso, derivative", "variation, derivative"
FAR = str(10**6)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (altered("shrunk, fixed point", ("witness/point/0", "5/2")), "moves the point too far"),
        (altered("shrunk, fixed point", ("witness/point/0", "2000001/1000000")), "the error is proved"),
        (altered("shrunk, no fixed point", ("claim/value/0", "2")), "not decided"),
        (altered(SHRUNK, ("witness/contraction", "49/100")), "Lipschitz constant 1/2"),
        (altered(SHRUNK, ("witness/contraction", "1")), "not between 0 and 1"),
        (altered(SHRUNK, ("witness/radius", "0")), "not positive"),
        (altered(SHRUNK, ("witness/by", "jacobian")), "not proved to have a norm"),
        (altered(SHRUNK, ("witness/by", "hope")), '`by` is "layers"'),
        (altered(LASSO, ("witness/contraction", "9/10")), "not proved to have a norm"),
        (altered(LASSO, ("witness/radius", "1")), "not proved to have a norm"),  # a third coordinate may move there
        (altered("lasso, converges", ("witness/rate", "9/10")), "rate is not proved"),
        (altered("lasso, form", ("witness/rate", "9/10")), "rate is not proved"),
        (altered("lasso, form", ("witness/form/0/0", "1/4")), "not symmetric and positive definite"),
        (altered("lasso, form", ("witness/form/0/1", "0")), "not symmetric and positive definite"),
        (altered("lasso, form", ("witness/form", [["1"]])), "not a list of length 2"),
        (altered("lasso, converges", ("claim/rate", "9/10")), "larger than the claimed"),
        (altered("lasso, converges", ("witness/lipschitz", "1/2")), "Lipschitz constant"),
        (altered("shrunk, close after 3", ("claim/iterations", "2")), "stated, and claimed, is less"),
        (altered("shrunk, close after 3", ("witness/error_upper", "1/4")), "stated, and claimed, is less"),
        (altered("shrunk, far after 3", ("claim/iterations", "4")), "is more"),
        (altered("shrunk, far after 3", ("witness/error_lower", "1/4")), "is more"),
        (altered("shrunk, not the derivative", ("claim/value/0/0", "-1")), "not farther"),
        (altered(SHRUNK, ("layers/at/b/0", "1")), "moves the point too far"),
        (altered(SHRUNK, ("layers/at/b/0", "1"), ("witness/point/0", "0")), "a guard may vanish"),
        (altered("lasso, converges", ("layers/nodes/0/expression", "9/100")), "moves the point too far"),
        (altered(VARIATION, ("layers/matrices/K/sum/1/scale", "-rho")), "not positive definite"),
        (altered(VARIATION, ("layers/matrices/K/sum/1/factors", ["E'", "D"])), "is no matrix"),
        (altered(VARIATION, ("layers/nodes/3/terms/2/factors", ["D^-1"])), "and a symmetric matrix"),
        (altered(VARIATION, ("layers/nodes/3/terms/2/factors", ["D", "D"])), "sizes do not fit"),
        (altered("groups, derivative", ("layers/nodes/2/groups", [["0", "1"]])), "in one group"),
        (altered("groups, derivative", ("layers/nodes/2/groups", [["0", "1"], ["1", "2"]])), "in one group"),
        (altered("groups, derivative", ("layers/nodes/2/groups", [["0", "1"], ["2"], []])), "in one group"),
        (altered("groups, derivative", ("layers/nodes/0/expression", "-penalty/2")), "a threshold is negative"),
        (
            altered("groups, derivative", ("layers/at/b/2", "1")),
            "whether a group is 0 is not decided",
        ),
        (
            altered("cone, derivative", ("layers/at/c", ["0", "0", "0"]), ("witness/point", ["0"] * 3)),
            "side of the cone",
        ),
        (altered("covariance, derivative", ("layers/nodes/2/size", "3")), "not 3 times 3"),
        (altered("covariance, derivative", ("layers/nodes/0/terms/0/factors", [])), "Lipschitz constant 1"),
        (altered("stacked, derivative", ("layers/nodes/1/stop", "3")), "integer from 1 to 2"),
        (altered("stacked, derivative", ("layers/nodes/3/of", ["xn"])), "`next` has 2 coordinates"),
        (altered("stacked, derivative", ("layers/nodes/3/of", ["xn", "zn"])), "earlier node"),
        (altered("smooth, derivative", ("layers/nodes/0/function", "v + sign(v)")), "no `sign`"),
        (
            altered("smooth, derivative", ("layers/nodes/0/function", "Piecewise((v, v > t), (t, True))")),
            "no `Piecewise`",
        ),
        (altered("smooth, derivative", ("layers/nodes/0/function", "v + w")), "not a declared name"),
        (altered("smooth, derivative", ("layers/nodes/0/arguments", {"t": "x"})), "depends on the state"),
        (altered("smooth, converges", ("witness/rate", "3333/10000")), "rate is not proved"),
        (altered(SHRUNK, ("layers/nodes/2/name", "u")), "is taken"),
        (altered(SHRUNK, ("layers/nodes/2/op", "sum")), "no op"),
        (altered(SHRUNK, ("layers/state/0/1", FAR)), "integer from 1"),
        (altered(SHRUNK, ("witness/norms", {})), "unknown key"),
        (altered(SHRUNK, ("layers/note", "")), "unknown key"),
        (altered(SHRUNK, ("pieces", [])), "unknown key"),
        (altered(SHRUNK, ("witness/directions", {"b": [["1"], ["0"]]})), "differ between claim and witness"),
        (altered("lasso, converges", ("layers/next", "nothing")), "earlier node"),
    ],
)
def test_a_false_certificate_is_refused(data: dict[str, Any], reason: str) -> None:
    assert_refused(data, reason)


@pytest.mark.parametrize("name", [name for name in CASES if name.endswith(" derivative")])
def test_a_derivative_is_known_to_25_digits(name: str) -> None:
    """It is 10^-20 off in one entry, and the error is stated as 10^-25."""
    rows = CASES[name]["witness"]["derivative"]
    sharp = altered(name, ("witness/bits", "128"), ("witness/error", f"1/{10**25}"))
    check(sharp)
    for i, row in enumerate(rows):
        for j, entry in enumerate(row):
            off = replaced(sharp, ("witness", "derivative", i, j), str(Fraction(entry) + Fraction(1, 10**20)))
            with pytest.raises(Refused, match="the error is proved"):
                check(off)


def test_a_map_that_expands_somewhere_has_no_lipschitz_constant_of_one() -> None:
    """x -> x/2 + Max(x - 2, 0), whose slope is 3/2 beyond 2: from 3 the iterates come to 0, from 5 they do not."""
    node = elementwise("y", "v/2 + Max(v - 2, 0)", "x")
    where = {**limit("0", "1", "1/2", "layers"), "rate": "1/2", "lipschitz": "1"}
    for start, lipschitz, holds_ in (("1/2", "1", True), ("3", "1", False), ("5", "3/2", False)):
        witness = {**where, "lipschitz": lipschitz}
        data = certificate({"layers": layers("x:1", {}, node), "start": [start]}, "converges", "proved", witness)
        if holds_:
            check(data)
            continue
        with pytest.raises(Refused, match="Lipschitz constant"):
            check(data)


def test_a_lipschitz_constant_slightly_above_one_is_proved_for_a_matrix_of_norm_one() -> None:
    """x -> soft(x - A'A x/4 + A'b/4) with A = [1 1]: the norm of I - A'A/4 is 1, by the kernel of A."""
    parts = [
        affine("u", ("1", "", "x"), ("-1/4", "A' A", "x"), ("1/4", "A'", "b")),
        soft("y", "u", "penalty"),
    ]
    A = {"A": {"denominator": "1", "rows": [["1", "1"]]}}
    subject = layers("x:2", {"penalty": "1/8", "b": ["1"]}, *parts, matrices=A)
    e = Evaluation(Structured({"layers": subject}).setting(80), [0, 0], 1 << 80)
    constant = e.lipschitz(e.numbers.layers.next)
    assert 1 <= constant < 1 + Fraction(1, 2**40)


@pytest.mark.parametrize("guard", ["Max(t, 2)", "Abs(t - 2)", "Min(2, t)"])
def test_a_tie_of_a_parameter_matters_only_if_it_moves(guard: str) -> None:
    nodes = [scalar("s", guard), affine("y", ("1/2", "", "x"), ("s", "", "b"))]
    subject = layers("x:1", {"t": "2", "b": ["1"]}, *nodes)
    value = "0" if guard.startswith("Abs") else "4"
    where = limit(value, "1", "1/2", "layers")
    witness = {**where, "error": "1/1000", "derivative": [[value]]}
    for directions, refused in (({"b": [["1"]]}, False), ({"t": [["1"]]}, True)):
        data = certificate(
            {"layers": subject}, "derivative", "proved", {**witness, "directions": directions}, directions=directions
        )
        if not refused:
            check(data)
            continue
        with pytest.raises(Refused, match="guard of a scalar expression vanishes"):
            check(data)


def test_irrational_scales_are_enclosed() -> None:
    """x -> x/2 + sqrt(t) has the fixed point 2 sqrt(t), with the derivative 1/sqrt(t)."""
    subject = layers("x:1", {"t": "2", "one": "1"}, affine("y", ("1/2", "", "x"), ("sqrt(t)", "", "one")))
    rooted = isqrt(2 * 10**60)
    directions = {"t": [["1"]]}
    witness = {
        **limit(f"{2 * rooted}/{10**30}", "1", "1/2", "layers", bits="128"),
        "error": f"1/{10**28}",
        "derivative": [[f"{rooted}/{2 * 10**30}"]],
        "directions": directions,
    }
    check(certificate({"layers": subject}, "derivative", "proved", witness, directions=directions))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ([("layers/matrices/A/denominator", "0")], "not a positive integer"),
        ([("layers/nodes/1/terms", [])], "no terms"),
        ([("layers/nodes/0/expression", "penalty**999**2")], "exponent"),
        ([("layers/nodes/2/function", "v**999 - Max(v**998, 1)")], "moves the point too far"),
        ([("layers/nodes/2/function", "exp(exp(v + 20))")], "exponential of a number beyond"),
        ([("layers/nodes/2/function", "1/(v - v)")], "divides by what may be zero"),
        ([("layers/nodes/2/function", "sqrt(v - 100)")], "square root of what may be negative"),
        ([("layers/matrices/A", {"difference": "1", "size": "9999"})], "more than"),
        ([("layers/matrices/A", {"sum": [{"scale": "1", "factors": []}], "size": "9999"})], "written out"),
        ([("witness/bits", "10000000")], "integer from 8"),
    ],
)
def test_hostile_certificates_are_refused_at_once(changes: list[tuple[str, Any]], reason: str) -> None:
    assert_refused(with_changes(long_run("3"), *changes), reason)


def test_long_runs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effort, "MOST_WORK", 1_000_000.0)
    check(long_run("90"))
    with pytest.raises(Refused, match="take too long"):
        check(long_run("100000"))


def long_run(steps: str) -> dict[str, Any]:
    """That the iterates of a small map are within 4 of their limit."""
    run = {"iterations": steps, "tolerance": "4", "quantity": "iterates"}
    lasso = CASES["lasso, converges"]
    kept = {key: lasso["witness"][key] for key in ("method", "bits", "point", "radius", "contraction", "by")}
    subject = {key: lasso[key] for key in ("layers", "start")}
    return certificate(subject, "converged", "proved", {**kept, "error": "1", "error_upper": "4"}, **run)
