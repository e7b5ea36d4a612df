"""The sum of the Euclidean norms of groups of coordinates: the penalty of the group lasso."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from flint import fmpq_mat

from piggycheck.errors import InputError
from piggycheck.functions import arguments
from piggycheck.functions.base import Naming, ProximalFunction
from piggycheck.functions.requirements import required
from piggycheck.maps import Group, Node, Scalar, StateBlock

__all__ = ["group_l2"]


@dataclass(frozen=True)
class group_l2(ProximalFunction):
    """``weight_1 |x_{g_1}| + ... + weight_k |x_{g_k}|`` with the Euclidean norms of groups of coordinates.

    Parameters
    ----------
    weight : exact number, sympy expression in the parameters, str, vector of k entries, or ArrayParameter
        Nonnegative; one for all groups, or one for each.
    groups : vector of n integers, or list of k lists of coordinates
        The label of the group of each coordinate, from 0 on; or the coordinates of each group, from 0 on.

    Raises
    ------
    InputError
        When a weight is negative, a group is empty, or a coordinate is in none or in several.

    Examples
    --------
    >>> group_l2("lam", [0, 0, 1]).groups, group_l2("lam", [[0, 1], [2]]).groups
    (((0, 1), (2,)), ((0, 1), (2,)))
    >>> group_l2(1, [0, 0, 2])
    Traceback (most recent call last):
    ...
    piggycheck.errors.MapError: `groups of group_l2`: group 2 is empty; leave it out or give it coordinates

    Notes
    -----
    The proximal map shortens the vector of each group by a threshold.

    Source: Yuan, Lin, Model selection and estimation in regression with grouped variables, 2006; Parikh, Boyd,
    Proximal Algorithms, 2014, section 6.5.4.
    """

    weight: Any
    groups: Any

    def __post_init__(self) -> None:
        groups = _read(self.groups)
        size, where = sum(map(len, groups)), "weight of group_l2"
        Group("groups of group_l2", StateBlock("x", size), Scalar(0), groups)
        weight = arguments.numbers(self.weight, where)
        if not isinstance(weight, sp.Expr):
            arguments.vector(weight, where, len(groups))
        requirements = required("nonnegative", weight, where=where)
        self._keep(weight=weight, groups=groups, dimension=size, requirements=requirements)

    def value(self, point: Sequence[sp.Expr]) -> sp.Expr:
        weights = arguments.each(self.weight, self.groups, "weight of group_l2")
        return sp.Add(*(w * _length(point, g) for w, g in zip(weights, self.groups, strict=True)))

    def proximal(self, point: Sequence[sp.Expr], step: sp.Expr) -> list[sp.Expr]:
        weights, found = arguments.each(self.weight, self.groups, "weight of group_l2"), {}
        for w, group in zip(weights, self.groups, strict=True):
            length = _length(point, group)
            for i in group:
                found[i] = sp.Piecewise((point[i] * (1 - step * w / length), length > step * w), (sp.S.Zero, True))
        return [found[i] for i in range(len(point))]

    def proximal_node(self, of: Node, step: sp.Expr, naming: Naming) -> Node:
        return Group(naming("proximal"), of, arguments.scaled(self.weight, step, "weights", naming), self.groups)


def _length(point: Sequence[sp.Expr], group: Sequence[int]) -> sp.Expr:
    return sp.sqrt(sp.Add(*(point[i] ** 2 for i in group)))


def _read(groups: Any) -> tuple[tuple[int, ...], ...]:
    """Read labels, or lists of coordinates."""
    if isinstance(groups, fmpq_mat) and groups.ncols() != 1:
        groups = groups.tolist()
    if not isinstance(groups, fmpq_mat) and _is_nested(groups):
        return tuple(tuple(_index(i) for i in group) for group in groups)
    read = arguments.array(groups, "groups of group_l2")
    if not isinstance(read, fmpq_mat):
        raise InputError(f"groups of group_l2: `{read.name}` is a parameter; write integers")
    labels = [_index(label) for label in read.entries()]
    return tuple(tuple(i for i, label in enumerate(labels) if label == g) for g in range(max(labels) + 1))


def _is_nested(groups: Any) -> bool:
    return isinstance(groups, Sequence) and any(isinstance(g, Sequence) and not isinstance(g, str) for g in groups)


def _index(value: Any) -> int:
    return arguments.integer(value, 0, "groups of group_l2")
