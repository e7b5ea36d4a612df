"""The output of an iteration at its limit, where that is not the state: another node of the program."""

from __future__ import annotations

from fractions import Fraction

from .evaluation import Evaluation
from .fixed import Ball, fixed, norm
from .limits import Derivatives, Limit, Structured
from .nodes import Node
from .reading import Data, Refused, Unreadable, number, say
from .scalars import Directions

POINT = ("output", "output_error")
ALONG = ("output_derivative", "output_error")


def output_near(subject: Structured, witness: Data, found: Limit) -> str:
    """What is said of the output at the fixed point, if anything is stated of it."""
    if not any(key in witness for key in POINT):
        return ""
    node, stated = output_node(subject, witness, POINT)
    e = Evaluation(subject.setting(found.bits), found.centre, found.distance)
    point = fixed(subject.layers.vector(witness["output"], "output", node.size), found.bits)
    image = e.value(node)
    apart = norm([a - b for a, b in zip(image.centre, point.centre, strict=True)]) + point.error + e.reach(node)
    return within("the output", Fraction(apart, 2**found.bits), stated)


def output_derivative_near(
    subject: Structured, witness: Data, found: Limit, directions: Directions, J: Derivatives
) -> str:
    """The same of the derivative of the output along the directions."""
    if not any(key in witness for key in ALONG):
        return ""
    node, stated = output_node(subject, witness, ALONG)
    columns = [fixed(column, found.bits) for column in J.stated]
    e = Evaluation(
        subject.setting(found.bits, directions), found.centre, found.distance, Ball([c.centre for c in columns], 0)
    )
    image = e.tangent(node) or Ball([[0] * node.size for _ in columns], 0)
    expected = subject.matrix(witness["output_derivative"], "output_derivative", len(columns), node.size)
    targets = [fixed(column, found.bits) for column in expected]
    apart = image.plus(Ball([[-a for a in target.centre] for target in targets], sum(t.error for t in targets)))
    moved = J.error + Fraction(sum(column.error for column in columns), 2**found.bits)
    error = Fraction(apart.size + apart.error, 2**found.bits) + e.lipschitz(node) * moved
    return within("the derivative of the output", error, stated)


def output_node(subject: Structured, witness: Data, needed: tuple[str, str]) -> tuple[Node, Fraction]:
    """The node, and the stated error."""
    if subject.layers.output is None or any(key not in witness for key in needed):
        raise Unreadable(f"`layers.output`, `{needed[0]}` and `{needed[1]}` stand together, or none of them")
    return subject.layers.output, number(witness["output_error"], "output_error")


def within(what: str, error: Fraction, stated: Fraction) -> str:
    """What is said, if the error is not larger than stated."""
    if error > stated:
        raise Refused(f"the error of {what} is proved to be at most {say(error)}, not {say(stated)}")
    return f"; {what} is within {say(stated)} of the stated one"
