"""What a case file says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import sympy as sp
from flint import fmpq_mat

from piggycheck.case.places import located
from piggycheck.claims import Claim, EnclosedSubject, Subject, subject_of
from piggycheck.iteration import Iteration
from piggycheck.switched import SwitchedSystem

__all__ = ["Case"]


@dataclass(frozen=True)
class Case:
    """What a case file says.

    Attributes
    ----------
    name : str
        The file's name, or its folder's when the file is called ``case.toml``.
    title, source, belief, catch, repair : str
        As in the file; empty where absent.
    tags : tuple of str
    iteration : Iteration or None
    at : dict from parameter names to exact numbers, and to flint.fmpq_mat for arrays
    system : SwitchedSystem or None
    claims : tuple of Claim
        Empty when the default questions are to be asked.
    data : dict from names to flint.fmpq_mat
        The arrays; a vector has one column.
    """

    name: str
    title: str = ""
    source: str = ""
    belief: str = ""
    catch: str = ""
    repair: str = ""
    tags: tuple[str, ...] = ()
    iteration: Iteration | None = None
    at: Mapping[str, sp.Expr | fmpq_mat] = field(default_factory=dict)
    system: SwitchedSystem | None = None
    claims: tuple[Claim, ...] = ()
    data: Mapping[str, fmpq_mat] = field(default_factory=dict, repr=False)
    lines: Mapping[tuple, int] = field(default_factory=dict, repr=False)
    file: str = ""

    def subject(self, *, time_limit: float = 10.0) -> Subject | EnclosedSubject:
        """Return what the claims are about.

        Raises
        ------
        CaseError
            When the map has no value at the start, or the parameters make no sense for the functions.
        """
        with located(self.file, self.lines, (self.kind,)):
            return subject_of(self.system if self.iteration is None else self.iteration, self.at, time_limit)

    @property
    def kind(self) -> str:
        """The section that states what the case is about."""
        return "switched" if self.system is not None else "map" if ("map",) in self.lines else "algorithm"

    @contextmanager
    def located(self, claim: int) -> Iterator[None]:
        """Say file and line in the errors that deciding a claim raises."""
        with located(self.file, self.lines, ("claim", claim)):
            yield
