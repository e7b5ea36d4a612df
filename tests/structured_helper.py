"""Evaluating structured maps and single nodes in tests, over any arithmetic."""

from __future__ import annotations

from piggycheck.arrays import EXACT, Enclosed
from piggycheck.functions import Naming
from piggycheck.functions.arguments import array
from piggycheck.maps import StateBlock, StructuredMap


def column(numbers):
    return array(list(numbers), "numbers")


def entries(arrays, A):
    return list(arrays.entries(A))


def proximal(function, v, step, parameters=(), at=None, arrays=EXACT):
    """The entries of a function's proximal map at a point."""
    x = StateBlock("x", len(v))
    map_ = StructuredMap([x], function.proximal_node(x, step, Naming(["x"])), parameters)
    return entries(arrays, map_.bind(at or {}, arrays)(Enclosed(arrays.matrix(column(v)))).value.centre)


def step_of(map_, state, at=None, arrays=EXACT):
    """The entries of a map at a state."""
    return entries(arrays, map_.bind(at or {}, arrays)(Enclosed(arrays.matrix(column(state)))).value.centre)


def run(iteration, at, directions, count, arrays):
    """Iterate value and derivative from the start; return the output and its derivative, as entries."""
    bound = iteration.map.bind(at, arrays)
    moving = bound.directions(directions)
    x, T = iteration.enclosed_start(at, arrays), iteration.start_tangents(at, moving)[0]
    for _ in range(count):
        moment = bound(x)
        x, T = moment.value, moment.forward(T, moving, moment.signature)
    if iteration.output is None:
        return entries(arrays, x.centre), entries(arrays, T.centre)
    output = iteration.output.bind(at, arrays)
    moment = output(x)
    shown = moment.forward(T, output.directions(directions), moment.signature)
    return entries(arrays, moment.value.centre), entries(arrays, shown.centre)
