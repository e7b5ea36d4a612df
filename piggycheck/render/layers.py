"""What is said of a map made of layers: its nodes as formulas, its data by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from piggycheck import derivation as d
from piggycheck.render.formula import (
    Atom,
    Decimal,
    Display,
    Expression,
    Formula,
    Letter,
    Name,
    Norm,
    Number,
    Operator,
    Paragraph,
    Part,
    Section,
    formula,
    joined,
    listed,
    sentence,
    tupled,
)
from piggycheck.render.numbers import decimal

__all__ = ["entries_of", "sample", "structured_map"]

_MOST_SHOWN = 5
_COUNTED = 12


def structured_map(step: d.StructuredMapStep, steps: Sequence[d.Step]) -> Section:
    """Tell a map made of layers: one formula for each node, then what its matrices and parameters are.

    Parameters
    ----------
    step : StructuredMapStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    told = _Told(step.layers)
    blocks: list[Paragraph | Display] = [Paragraph(told.opening()), Display(tuple(told.lines()))]
    remarks = told.remarks()
    if remarks:
        blocks.append(Paragraph(tuple(remarks)))
    blocks += [*told.parameters(), _start(step.start)]
    return Section("The map" if step.name == "iteration" else f"The map: {step.name}", tuple(blocks))


def sample(values: Sequence[Any], most: int = _MOST_SHOWN) -> Formula:
    """Write the first entries of a vector, rounded unless they are short.

    Examples
    --------
    >>> from flint import fmpq
    >>> [atom for atom in sample([fmpq(1, 2)] * 9, 1)]
    [Operator(text='('), Number(value='1/2'), Operator(text=','), '…', Operator(text=')')]
    """
    rest: list[Formula] = [("…",)] if len(values) > most else []
    return tupled([*((short(value),) for value in values[:most]), *rest])


def entries_of(letter: Letter | Name, values: Sequence[Any], most: int = _MOST_SHOWN) -> Formula:
    """Write what the first entries of a vector are; of a long one that is mostly zero, the first that are not.

    Parameters
    ----------
    letter : Letter or Name
        What the vector is called.
    values : sequence of exact numbers
    most : int
        How many entries are shown.

    Examples
    --------
    >>> from flint import fmpq
    >>> entries_of(Letter("x"), [fmpq(0)] * 20 + [fmpq(1)])
    (Letter(name='x', below='21', above=''), Operator(text='='), Number(value='1'), '   and 0 elsewhere')
    """
    nonzero = [i for i, value in enumerate(values) if value != 0]
    if len(values) <= most or 2 * len(nonzero) > len(values) or not nonzero:
        exact = all(isinstance(short(value), Number) for value in values[:most])
        return (letter, Operator("=" if exact else "≈"), *sample(values, most))
    atoms: list[Atom] = []
    for i in nonzero[:most]:
        number = short(values[i])
        relation = Operator("=" if isinstance(number, Number) else "≈")
        indexed = Letter(letter.name, str(i + 1)) if isinstance(letter, Letter) else Name(f"{letter.name}_{i + 1}")
        atoms += [*([Operator(",")] if atoms else []), indexed, relation, number]
    return (*atoms, *([Operator(","), "…"] if len(nonzero) > most else ["   and 0 elsewhere"]))


def short(value: Any) -> Atom:
    """Write a number exactly when that is short, else with some decimals."""
    text = str(value)
    return Number(text) if len(text) <= _COUNTED else Decimal(decimal(text))


def _start(start: Sequence[str] | None) -> Paragraph:
    if start is None:
        return sentence("No start is given, so what follows is local to a fixed point.")
    if len(set(start)) == 1 and len(start) > 1:
        return sentence("It starts with ", (short(start[0]),), " in every coordinate.")
    return sentence("It starts at ", sample(start), ".")


class _Told:
    """The parts of the description, as they are told."""

    def __init__(self, layers: Mapping[str, Any]):
        self.layers = layers
        self.nodes: Sequence[Mapping[str, Any]] = layers["nodes"]
        self.sizes = {name: size for name, size, *_ in layers["state"]}
        self.single = {n["name"] for n in self.nodes if n["op"] == "scalar"}
        self.single |= {name for name, *shape in layers["parameters"] if shape == ["1"]}

    def opening(self) -> tuple[Part, ...]:
        """Name the state and the parameters, with their sizes."""
        state = joined([_sized(name, (size,)) for name, size in self.layers["state"]])
        said: list[Part] = ["One step, in the state ", *state]
        parameters = [_sized(name, tuple(shape)) for name, *shape in self.layers["parameters"]]
        if parameters:
            said += [" and the parameter " if len(parameters) == 1 else " and the parameters ", *joined(parameters)]
        return (*said, ":")

    def lines(self) -> list[Formula]:
        """Write one formula for each node, and for each matrix that is a sum; the next state last."""
        written = [self._sum(name, content) for name, content in self.layers["matrices"].items() if "sum" in content]
        for node in self.nodes:
            if node["op"] == "spectral":
                written.append((Name(node["of"]), Operator("="), *_diagonal(Name("lambda"))))
            written.append(_LINES[node["op"]](self, node))
        state = [name for name, _ in self.layers["state"]]
        whole = (Name(state[0]),) if len(state) == 1 else tupled([(Name(name),) for name in state])
        written.append((*whole, Operator("←"), Name(self.layers["next"])))
        output = self.layers.get("output")
        return [*written, *([("the output is ", Name(output))] if output else [])]

    def _sum(self, name: str, content: Mapping[str, Any]) -> Formula:
        identity = {"of": "I"}
        return (Name(name), Operator("="), *self._terms([{**term, **identity} for term in content["sum"]]))

    def _terms(self, terms: Sequence[Mapping[str, Any]]) -> Formula:
        atoms: list[Atom] = []
        for term in terms:
            atoms += self._term(term, first=not atoms)
        return tuple(atoms)

    def _term(self, term: Mapping[str, Any], *, first: bool) -> list[Atom]:
        scale = self.expression(term["scale"])
        negative = scale.could_extract_minus_sign()
        size = -scale if negative else scale
        sign = [Operator("−")] if negative else [] if first else [Operator("+")]
        factors = [_factor(label) for label in term["factors"]]
        of = [] if term["of"] == "I" and factors else [Letter("I") if term["of"] == "I" else Name(term["of"])]
        return [*sign, *_scale(size), *factors, *of]

    def scalar(self, node: Mapping[str, Any]) -> Formula:
        return formula(Name(node["name"]), "=", Expression(self.expression(node["expression"])))

    def affine(self, node: Mapping[str, Any]) -> Formula:
        return (Name(node["name"]), Operator("="), *self._terms(node["terms"]))

    def elementwise(self, node: Mapping[str, Any]) -> Formula:
        names = {"v": f"{node['of']}_i"}
        names |= {name: read if read in self.single else f"{read}_i" for name, read in node["arguments"].items()}
        return formula(Name(f"{node['name']}_i"), "=", Expression(self.expression(node["function"], names)))

    def group(self, node: Mapping[str, Any]) -> Formula:
        threshold = node["threshold"] if node["threshold"] in self.single else f"{node['threshold']}_g"
        u, y = Name(f"{node['of']}_g"), Name(f"{node['name']}_g")
        shrunk = formula(
            Operator("max"), "(", Number(0), ",", Number(1), "−", Name(threshold), Operator("/"), Norm((u,)), ")"
        )
        remark = f"   for each of {len(node['groups'])} groups g"
        return (y, Operator("="), *shrunk, u, remark)

    def spectral(self, node: Mapping[str, Any]) -> Formula:
        names = {"v": "lambda", **node["arguments"]}
        value = Expression(self.expression(node["function"], names))
        return (Name(node["name"]), Operator("="), *_diagonal(value))

    def second_order_cone(self, node: Mapping[str, Any]) -> Formula:
        remark = "   the projection on the second-order cone"
        return formula(Name(node["name"]), "=", Letter("Π"), "(", Name(node["of"]), ")", remark)

    def stack(self, node: Mapping[str, Any]) -> Formula:
        return (Name(node["name"]), Operator("="), *tupled([(Name(part),) for part in node["of"]]))

    def slice(self, node: Mapping[str, Any]) -> Formula:
        start, stop = int(node["start"]) + 1, int(node["stop"])
        return formula(Name(node["name"]), "=", Name(node["of"]), f"   its entries {start} to {stop}")

    def expression(self, text: str, names: Mapping[str, str] | None = None) -> Any:
        """Read an expression, with other names for what it reads."""
        import sympy as sp

        from piggycheck.expression import parse

        known = {name: sp.Symbol(name, real=True) for name in set(re.findall(r"[^\W\d]\w*", text)) - _FUNCTIONS}
        read = parse(text, list(known.values()))
        return read.xreplace(
            {known[name]: sp.Symbol(new, real=True) for name, new in (names or {}).items() if name in known}
        )

    def remarks(self) -> list[Part]:
        """Say what the matrices are that are not written out."""
        said: list[Part] = []
        for name, content in self.layers["matrices"].items():
            if "rows" in content:
                rows, columns = len(content["rows"]), len(content["rows"][0]) if content["rows"] else 0
                said += [(Name(name),), f" is a matrix of {rows} × {columns} numbers. "]
            elif "difference" in content:
                said += [(Name(name),), f" takes differences of order {content['difference']}. "]
            elif "symmetrise" in content:
                said += [(Name(name),), f" symmetrises matrices of {content['symmetrise']} rows. "]
        for name, entries in self.layers["vectors"].items():
            said += [(Name(name),), " is the vector ", sample(entries), ". "]
        if any("rows" in content for content in self.layers["matrices"].values()):
            said.append(
                "Their entries are in the certificate." if len(said) > 2 else "Its entries are in the certificate."
            )
        return said

    def parameters(self) -> list[Paragraph]:
        """Say at which parameters the map is examined."""
        values: list[Formula] = []
        for name, *shape in self.layers["parameters"]:
            value = self.layers["at"][name]
            if isinstance(value, str):
                values.append(formula(Name(name), "=", short(value)))
            elif len(shape) == 1:
                values.append((Name(name), Operator("="), *sample(value)))
        return [sentence("It is examined at ", *listed(values), ".")] if values else []


_FUNCTIONS = {"Abs", "Max", "Min", "relu", "sqrt", "exp", "log", "sign"}
_LINES: dict[str, Callable[[_Told, Mapping[str, Any]], Formula]] = {
    "scalar": _Told.scalar,
    "affine": _Told.affine,
    "elementwise": _Told.elementwise,
    "group": _Told.group,
    "spectral": _Told.spectral,
    "second_order_cone": _Told.second_order_cone,
    "stack": _Told.stack,
    "slice": _Told.slice,
}


def _sized(name: str, shape: tuple[str, ...]) -> tuple[Part, ...]:
    if shape == ("1",):
        return ((Name(name),),)
    return ((Name(name),), f" ({' × '.join(shape)} numbers)")


def _diagonal(value: Atom) -> Formula:
    """Write a symmetric matrix by its eigenvectors Q and a function of its eigenvalues."""
    return formula(Letter("Q"), Operator("diag"), "(", value, ")", Letter("Q", "", "T"))


def _factor(label: str) -> Name:
    if label.endswith("^-1"):
        return Name(label[:-3], "-1")
    return Name(label[:-1], "T") if label.endswith("'") else Name(label)


def _scale(size: Any) -> list[Atom]:
    if size == 1:
        return []
    written = [Operator("("), Expression(size), Operator(")")] if size.is_Add else [Expression(size)]
    return [*written, *([Operator("·")] if any(len(symbol.name) > 1 for symbol in size.free_symbols) else [])]
