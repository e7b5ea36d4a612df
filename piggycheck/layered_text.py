"""Structured maps as certificates state them: nodes by name, matrices, vectors, parameters, every number exact.

The description holds everything that the checker needs to evaluate the map on its own; see docs/certificates.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp
from flint import fmpq_mat

from piggycheck.arithmetic import rational
from piggycheck.errors import MapError, UnknownError
from piggycheck.expression import FUNCTIONS, to_text
from piggycheck.maps.affine import Affine
from piggycheck.maps.elementwise import Elementwise
from piggycheck.maps.group import Group
from piggycheck.maps.nodes import ArrayParameter, ConstantVector, Node, Scalar
from piggycheck.maps.second_order_cone import SecondOrderCone
from piggycheck.maps.sources import Constant, Difference, Factor, MatrixSum, Parameter, Source, Symmetriser, Term
from piggycheck.maps.spectral import Spectral
from piggycheck.maps.stacking import Slice, Stack
from piggycheck.maps.structured import StructuredMap

__all__ = ["describe", "numbers_text", "parameters_text"]

_VARIABLE = "v"


def describe(map_: StructuredMap, at: Mapping[Any, Any], output: StructuredMap | None = None) -> dict[str, Any]:
    """Describe a structured map with its parameters, as the part "layers" of a certificate.

    Parameters
    ----------
    map_ : StructuredMap
    at : mapping
        A value for each parameter, as `StructuredMap.parameter_values` returns them.
    output : StructuredMap, optional
        Another map of the same state and parameters, whose last node is described as well.

    Returns
    -------
    dict
        Of text alone, to be written as JSON.

    Raises
    ------
    UnknownError
        When a parameter is irrational, or the map has a node that certificates do not know.

    Examples
    --------
    >>> from piggycheck.maps import StateBlock
    >>> x, theta = StateBlock("x", 1), sp.Symbol("theta", real=True)
    >>> half = Affine("y", [Term(theta / 2, (), x)])
    >>> layers = describe(StructuredMap([x], half, [theta]), {theta: sp.Rational(1, 3)})
    >>> layers["at"], layers["nodes"]
    ({'theta': '1/3'}, [{'name': 'y', 'op': 'affine', 'terms': [{'scale': 'theta/2', 'factors': [], 'of': 'x'}]}])

    Notes
    -----
    Every node has a name of its own: where two have the same, or one is no identifier, it is changed.
    """
    return _Writer(map_).description(at, output)


def parameters_text(map_: StructuredMap, at: Mapping[Any, Any]) -> dict[str, Any]:
    """Write the values of parameters: a number, the list of a vector, the rows of a matrix.

    Raises
    ------
    UnknownError
        When one is irrational.
    """
    return {p.name: _value_text(at[p], p) for p in map_.declared}


def numbers_text(column: fmpq_mat) -> list[str]:
    """Write the entries of a matrix, row by row."""
    return [str(entry) for entry in column.entries()]


def _value_text(value: Any, parameter: sp.Symbol | ArrayParameter) -> Any:
    if isinstance(parameter, sp.Symbol):
        return str(rational(value, f"the parameter {parameter}"))
    if parameter.size == 1:
        return str(value[0, 0])
    if parameter.columns == 1:
        return numbers_text(value)
    return [list(map(str, row)) for row in value.tolist()]


class _Writer:
    """Writes the nodes of one map, each once."""

    def __init__(self, map_: StructuredMap):
        self.map = map_
        self.taken = {_VARIABLE, *FUNCTIONS, *keyword.kwlist}
        self.matrices: dict[str, Any] = {}
        self.vectors: dict[str, Any] = {}
        self.nodes: list[dict[str, Any]] = []
        self._names: dict[Any, str] = {}

    def description(self, at: Mapping[Any, Any], output: StructuredMap | None) -> dict[str, Any]:
        map_ = self.map
        for declared in (*map_.blocks, *map_.declared):
            self._names[declared] = self._claimed(declared.name)
        for node in (*map_.nodes, *(output.nodes if output is not None else ())):
            self.name(node)
        for block in map_.blocks:
            if self._names[block] != block.name:
                raise UnknownError(f"the block `{block.name}` of the state has a name that certificates cannot hold")
        return {
            "state": [[block.name, str(block.size)] for block in map_.blocks],
            "parameters": [_declaration(p) for p in map_.declared],
            "at": parameters_text(map_, at),
            "matrices": self.matrices,
            "vectors": self.vectors,
            "nodes": self.nodes,
            "next": self.name(map_.next),
            **({} if output is None else {"output": self.name(output.next)}),
        }

    def _claimed(self, wanted: str) -> str:
        """Take a name that nothing else has, as close as can be to the one wanted."""
        base = re.sub(r"\W", "_", wanted, flags=re.ASCII)
        base = base if re.match(r"[A-Za-z]", base) else f"n{base}"
        name, count = base, 1
        while name in self.taken:
            count += 1
            name = f"{base}_{count}"
        self.taken.add(name)
        return name

    def name(self, node: Node, wanted: str = "") -> str:
        """Return the name of a node, which is written first when it is new."""
        if isinstance(node, Scalar) and node.expression in self.map.scalar_parameters:
            return self._names[node.expression]
        if node not in self._names:
            if isinstance(node, Scalar) and not wanted:
                return ""  # named by the first node that reads it
            content = self._content(node)
            name = self._names[node] = self._claimed(wanted or node.name)
            if isinstance(node, ConstantVector):
                self.vectors[name] = content
            else:
                self.nodes.append({"name": name, **content})
        return self._names[node]

    def _content(self, node: Node) -> Any:
        writer = _NODES.get(type(node))
        if writer is None:
            raise UnknownError(f"`{node.name}` is a {type(node).__name__}, which certificates do not know")
        return writer(self, node)

    # -- nodes ----------------------------------------------------------------------------------------------------

    def vector(self, node: ConstantVector) -> list[str]:
        return numbers_text(node.value)

    def scalar(self, node: Scalar) -> dict[str, Any]:
        return {"op": "scalar", "expression": to_text(node.expression)}

    def affine(self, node: Affine) -> dict[str, Any]:
        return {"op": "affine", "terms": [{**self._term(t), "of": self.name(t.of, "s")} for t in node.terms]}

    def elementwise(self, node: Elementwise | Spectral) -> dict[str, Any]:
        text, arguments = self._function(node)
        fields = {"op": "elementwise", "function": text, "of": self.name(node.inputs[0]), "arguments": arguments}
        return {**fields, **({"proximal": "true"} if node.proximal else {})}

    def spectral(self, node: Spectral) -> dict[str, Any]:
        return {**self.elementwise(node), "op": "spectral", "size": str(node.rows)}

    def group(self, node: Group) -> dict[str, Any]:
        of, threshold = node.inputs
        groups = [list(map(str, group)) for group in node.groups]
        return {"op": "group", "of": self.name(of), "threshold": self.name(threshold, "t"), "groups": groups}

    def second_order_cone(self, node: SecondOrderCone) -> dict[str, Any]:
        return {"op": "second_order_cone", "of": self.name(node.inputs[0])}

    def stack(self, node: Stack) -> dict[str, Any]:
        return {"op": "stack", "of": [self.name(part, "s") for part in node.parts]}

    def slice(self, node: Slice) -> dict[str, Any]:
        return {"op": "slice", "of": self.name(node.of, "s"), "start": str(node.start), "stop": str(node.stop)}

    def _function(self, node: Elementwise | Spectral) -> tuple[str, dict[str, str]]:
        """Write a scalar function with `v` for its variable, and what its arguments are."""
        function, own = node.function, {_VARIABLE}
        renamed, arguments = {function.variable: sp.Symbol(_VARIABLE, real=True)}, {}
        for symbol, read in zip(function.arguments, node.inputs[1:], strict=True):
            name = symbol.name if symbol.name not in own else f"{symbol.name}_argument"
            own.add(name)
            renamed[symbol] = sp.Symbol(name, real=True)
            arguments[name] = self.name(read, name)
        return to_text(function.expression.xreplace(renamed)), arguments

    # -- matrices -------------------------------------------------------------------------------------------------

    def _term(self, term: Term) -> dict[str, Any]:
        return {"scale": to_text(term.scale), "factors": [self._factor(factor) for factor in term.factors]}

    def _factor(self, factor: Factor) -> str:
        return self._source(factor.source) + ("^-1" if factor.inverted else "'" if factor.transposed else "")

    def _source(self, source: Source) -> str:
        if isinstance(source, Parameter):
            return self._names[source.parameter]
        key = _key(source)
        if key not in self._names:
            content = _content(source) if not isinstance(source, MatrixSum) else self._sum(source)
            self._names[key] = self._claimed(source.name)
            self.matrices[self._names[key]] = content
        return self._names[key]

    def _sum(self, source: MatrixSum) -> dict[str, Any]:
        return {"sum": [self._term(term) for term in source.terms], "size": str(source.rows)}


_NODES: dict[type, Callable[[_Writer, Any], Any]] = {
    Affine: _Writer.affine,
    ConstantVector: _Writer.vector,
    Elementwise: _Writer.elementwise,
    Group: _Writer.group,
    Scalar: _Writer.scalar,
    SecondOrderCone: _Writer.second_order_cone,
    Slice: _Writer.slice,
    Spectral: _Writer.spectral,
    Stack: _Writer.stack,
}
"""How each kind of node is written."""


def _declaration(parameter: sp.Symbol | ArrayParameter) -> list[str]:
    if isinstance(parameter, sp.Symbol):
        return [parameter.name, "1"]
    if parameter.columns == 1:
        return [parameter.name, str(parameter.rows)]
    return [parameter.name, str(parameter.rows), str(parameter.columns)]


def _key(source: Source) -> Any:
    """What tells matrices apart: structured ones by what they are, others one by one."""
    match source:
        case Difference():
            return "difference", source.order, source.columns
        case Symmetriser():
            return "symmetrise", source.n
    return "matrix", id(source)


def _content(source: Source) -> dict[str, Any]:
    match source:
        case Difference():
            return {"difference": str(source.order), "size": str(source.columns)}
        case Symmetriser():
            return {"symmetrise": str(source.n)}
        case Constant():
            integers, denominator = source.matrix.numer_denom()
            return {"denominator": str(denominator), "rows": [list(map(str, row)) for row in integers.tolist()]}
    raise MapError(f"`{source.name}` is a {type(source).__name__}, which certificates do not know")
