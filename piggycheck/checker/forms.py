"""Programs as affine forms: of names, and of nodes that are not affine, in rational numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from .arithmetics import Form, form
from .intervals import square_root
from .program import Program
from .reading import Refused

Terms = tuple[dict[int, Fraction], Fraction]  # rational factors of nodes, and a constant

MOST_TERMS = 2_000_000


class Forms:
    """The nodes of a program as affine forms of names and of nodes that are not affine; some names are constants."""

    def __init__(self, program: Program, constants: Mapping[str, Fraction]) -> None:
        self.program, self.constants = program, constants
        self.found: dict[int, Terms] = {}
        self.forms: dict[int, tuple[Form, Form]] = {}
        self.moving: dict[int, bool] = {}
        self.count = 0

    def of(self, i: int) -> tuple[Form, Form]:
        """The form of a node, and the same without its constant."""
        if i not in self.forms:
            terms, constant = self.terms(i)
            self.forms[i] = form(terms, constant), form(terms, Fraction(0))
        return self.forms[i]

    def constant(self, i: int) -> Fraction | None:
        """The value of a node that is a rational number whatever the names are."""
        terms, constant = self.terms(i)
        return None if terms else constant

    def terms(self, i: int) -> Terms:
        """The form of a node, not yet over one denominator."""
        if i not in self.found:
            self.found[i] = found = self.compute(i)
            self.count += len(found[0])
            if self.count > MOST_TERMS:
                raise Refused("the expressions have too many terms")
        return self.found[i]

    def compute(self, i: int) -> Terms:
        """The form, from those of the parts."""
        kind, parts, data = self.program.nodes[i]
        match kind:
            case "number":
                return {}, data
            case "name" if data in self.constants:
                return {}, self.constants[data]
            case "negative":
                return self.scaled(self.terms(parts[0]), Fraction(-1))
            case "sum":
                total: dict[int, Fraction] = {}
                for part in parts:
                    for atom, factor in self.terms(part)[0].items():
                        total[atom] = total.get(atom, Fraction(0)) + factor
                constant = sum((self.terms(part)[1] for part in parts), Fraction(0))
                return {atom: factor for atom, factor in total.items() if factor or self.partial(atom)}, constant
            case "product":
                factor, moving = Fraction(1), []
                for part in parts:
                    c = self.constant(part)
                    factor = factor * c if c is not None else factor
                    moving += [part] if c is None else []
                if len(moving) < 2:
                    return self.scaled(self.terms(moving[0]), factor) if moving else ({}, factor)
            case "power":
                if data == 1:
                    return self.terms(parts[0])
                c = self.constant(parts[0])
                if c is not None and data * max(c.numerator.bit_length(), c.denominator.bit_length()) < 10_000:
                    return {}, c**data
            case "reciprocal":
                c = self.constant(parts[0])
                if c:
                    return {}, 1 / c
            case "sqrt":
                c = self.constant(parts[0])
                if c is not None and c >= 0 and (found := square_root(c)).exact:
                    return {}, found.lo
        return {i: Fraction(1)}, Fraction(0)

    def partial(self, i: int) -> bool:
        """Whether a node may have no value somewhere: then it is evaluated even when it cancels."""
        return self.program.nodes[i].kind != "name"

    def scaled(self, terms: Terms, c: Fraction) -> Terms:
        """The multiple."""
        kept = {atom: c * factor for atom, factor in terms[0].items() if c or self.partial(atom)}
        return kept, c * terms[1]

    def moves(self, i: int) -> bool:
        """Whether there is a name in a node that is not a constant."""
        if i not in self.moving:
            kind, parts, data = self.program.nodes[i]
            own = kind == "name" and data not in self.constants
            self.moving[i] = own or any(self.moves(part) for part in parts)
        return self.moving[i]

    def needed(self, nodes: Sequence[int]) -> set[int]:
        """The nodes of which the values can matter for those of others."""
        seen, new = set(nodes), list(nodes)
        while new:
            i = new.pop()
            reached = [*self.of(i)[0].atoms, *(self.program.nodes[i].parts if i in self.terms(i)[0] else ())]
            new += set(reached) - seen
            seen.update(reached)
        return seen
