"""The proof methods in order of cost, with one signature; each ends in a proof of an aimed rate, or in nothing.

A further method is one entry in `METHODS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

from flint import fmpq, fmpq_mat

from piggycheck.linalg import exceeds_one, identity, is_schur_stable, scale_roots, simplest_between
from piggycheck.stability.problem import Problem
from piggycheck.stability.proof import Proof

__all__ = ["METHODS", "Method", "Tools"]

_MAX_LIFTED_DIMENSION = 40
_MAX_FORMS = 40
_MAX_PRODUCTS = 128
_MAX_TREE_NODES = 1_000_000
_SIMPLE = 1000


class Tools(NamedTuple):
    """What a method may spend.

    Parameters
    ----------
    effort : int
        0 in the first round, one more in every further one.
    seconds : float
    """

    effort: int
    seconds: float


class Method(NamedTuple):
    """A proof method.

    Parameters
    ----------
    name : str
        As reports call it.
    prove : callable
        From problem, aimed rate and tools to a proof, of the aimed rate or a better one, or None.
    applies : callable
        Whether it is any use for a problem, in a round.
    gives_trees : bool
        Whether its proofs are word trees.
    needs_aim : bool
        False when it gives the best rate that it can, whatever was aimed at.
    closes_gaps : bool
        Whether it reaches any rate above the radius, with ever more vertices.
    """

    name: str
    prove: Callable[[Problem, fmpq, Tools], Proof | None]
    applies: Callable[[Problem, int], bool]
    gives_trees: bool = False
    needs_aim: bool = True
    closes_gaps: bool = False


# -- quadratic forms and word trees --------------------------------------------------------------------------------


def _zero_products(problem: Problem, aim: fmpq, tools: Tools) -> Proof | None:
    """Jointly nilpotent matrices: every product as long as the dimension is zero."""
    from piggycheck.stability.word_tree import prove_word_tree

    n = problem.dimension
    return prove_word_tree(problem.A, identity(n), fmpq(0), max_length=n, time_limit=tools.seconds)


def _all_nilpotent(problem: Problem, effort: int) -> bool:
    zeros = [0] * problem.dimension
    return effort == 0 and all(isinstance(A, fmpq_mat) and A.charpoly().coeffs()[:-1] == zeros for A in problem.A)


def _averaged_form(problem: Problem, aim: fmpq, tools: Tools) -> Proof | None:
    """A form summed over all products: no solver is needed for it."""
    import numpy as np

    from piggycheck.stability.floats import averaged_form, change_basis, squared_norms

    matrices = problem.floats()
    for form in [averaged_form(matrices), np.eye(problem.dimension)]:
        changed = None if form is None else change_basis(matrices, form)
        if form is not None and changed is not None:
            problem.forms.append((form, float(np.sqrt(squared_norms(changed).max()))))
    return _own_rate(problem, tools)


def _quadratic(problem: Problem, aim: fmpq, tools: Tools) -> Proof | None:
    """The best quadratic form, from a semidefinite program."""
    from piggycheck.stability.quadratic import guess_quadratic_form

    guess = guess_quadratic_form(problem.A, time_limit=tools.seconds)
    if guess is None:
        return None
    problem.forms.insert(0, guess)
    return _own_rate(problem, tools)


def _own_rate(problem: Problem, tools: Tools) -> Proof | None:
    """A proof of the rate at which a known form contracts every letter, hardly larger than it need be."""
    from piggycheck.stability.quadratic import prove_with_form

    for P, rate in sorted(problem.forms, key=lambda form: form[1])[:2]:
        for simple in _rounded_up(rate):
            tree = prove_with_form(problem.A, P, simple, max_length=1, time_limit=tools.seconds)
            if tree is not None:
                return tree
    return None


def _rounded_up(rate: float) -> Iterator[fmpq]:
    """A simple number that may be the rate itself, and one that is a little larger."""
    if not math.isfinite(rate) or rate <= 0:
        return
    least = fmpq(*rate.as_integer_ratio())
    same = simplest_between(least * (1 - fmpq(1, 10**9)), least * (1 + fmpq(1, 10**9)))
    if max(same.p, same.q) <= _SIMPLE:
        yield same
    yield simplest_between(least * fmpq(1001, 1000), least * fmpq(102, 100))


def _attained_rate(problem: Problem, aim: fmpq, tools: Tools) -> Proof | None:
    """A rate that is the spectral radius of some letter."""
    from piggycheck.stability.attained import prove_attained_rate

    return prove_attained_rate(problem.A, aim, time_limit=tools.seconds) if _is_attained(problem, aim) else None


def _is_attained(problem: Problem, rate: fmpq) -> bool:
    polynomials = (scale_roots(A.charpoly(), rate) for A in problem.A if isinstance(A, fmpq_mat))
    return any(not is_schur_stable(poly) and not exceeds_one(poly) for poly in polynomials)


def _one_letter_each(problem: Problem, aim: fmpq, tools: Tools) -> Proof | None:
    """One of the known forms, which contracts every letter at the aimed rate; between bounds, one with room."""
    from piggycheck.stability.quadratic import prove_quadratic

    tree = _with_forms(problem, aim, tools, node_budget=len(problem.A), max_length=1)
    return tree if tree is not None or problem.is_exact else prove_quadratic(problem.A, aim, time_limit=tools.seconds)


def _small_tree(problem: Problem, aim: fmpq, tools: Tools) -> Proof | None:
    return _with_forms(problem, aim, tools, node_budget=60, max_length=4)


def _word_tree(problem: Problem, aim: fmpq, tools: Tools) -> Proof | None:
    """Word trees of growing size, with forms that are best for longer and longer words."""
    node_budget = 300 * 4**tools.effort
    if node_budget > _MAX_TREE_NODES:
        return None
    tree = _with_forms(problem, aim, tools, node_budget=node_budget, max_length=None)
    if tree is None:
        _add_form_of_products(problem, tools.effort + 2, tools)
    return tree


def _with_forms(problem: Problem, aim: fmpq, tools: Tools, *, node_budget: int, max_length: int | None) -> Proof | None:
    from piggycheck.stability.quadratic import prove_with_form

    for P, _ in problem.forms:
        tree = prove_with_form(
            problem.A, P, aim, node_budget=node_budget, max_length=max_length, time_limit=tools.seconds
        )
        if tree is not None:
            return tree
    return None


def _add_form_of_products(problem: Problem, length: int, tools: Tools) -> None:
    """Add the form that is best for all words of one length."""
    from piggycheck.stability.quadratic import guess_quadratic_form
    from piggycheck.switched import SwitchedSystem

    if len(problem.A) ** length > _MAX_PRODUCTS:
        return
    system = SwitchedSystem.from_rows(problem.A)
    products = [A for A, _ in system.products(product(range(len(problem.A)), repeat=length))]
    guess = guess_quadratic_form(products, [length] * len(products), time_limit=min(3.0, tools.seconds))
    if guess is not None:
        problem.forms.append(guess)


# -- invariant polytopes -------------------------------------------------------------------------------------------


def _nonnegative(problem: Problem, aim: fmpq, tools: Tools) -> Proof | None:
    from piggycheck.stability.nonnegative import prove_nonnegative

    return prove_nonnegative(
        problem.A, aim, _starting_words(problem), vertex_limit=_vertices(tools), time_limit=tools.seconds
    )


def _polytope(problem: Problem, aim: fmpq, tools: Tools) -> Proof | None:
    from piggycheck.stability.polytope import prove_polytope

    return prove_polytope(
        problem.A, aim, _starting_words(problem), vertex_limit=_vertices(tools), time_limit=tools.seconds
    )


def _complex_polytope(problem: Problem, aim: fmpq, tools: Tools) -> Proof | None:
    from piggycheck.stability.complex_polytope import prove_complex_polytope

    return prove_complex_polytope(
        problem.A, aim, _starting_words(problem), vertex_limit=_vertices(tools), time_limit=tools.seconds
    )


def _vertices(tools: Tools) -> int:
    return int(500 * 2**tools.effort)


def _starting_words(problem: Problem) -> list[tuple[int, ...]]:
    """The words whose rates come within a millionth of the largest."""
    best = max((rate for _, rate in problem.words), default=0.0)
    return [word for word, rate in problem.words if rate >= best * (1 - 1e-6)]


# -- path-complete graphs and lifts --------------------------------------------------------------------------------


def _path_complete(problem: Problem, aim: fmpq, tools: Tools) -> Proof | None:
    from piggycheck.stability.path_complete import prove_path_complete

    for forward in (True, False):
        proof = prove_path_complete(
            problem.A, aim, memory=tools.effort + 1, forward=forward, time_limit=tools.seconds / 2
        )
        if proof is not None:
            return proof
    return None


def _lift(problem: Problem, aim: fmpq, tools: Tools) -> Proof | None:
    from piggycheck.stability.lift import prove_lift

    return prove_lift(problem.A, aim, tools.effort + 2, time_limit=tools.seconds)


def _always(problem: Problem, effort: int) -> bool:
    return True


def _first_round(problem: Problem, effort: int) -> bool:
    return effort == 0


def _several(problem: Problem, effort: int) -> bool:
    return bool(len(problem.A) ** (effort + 1) <= _MAX_FORMS)


def _liftable(problem: Problem, effort: int) -> bool:
    return math.comb(problem.dimension + effort + 1, effort + 2) <= _MAX_LIFTED_DIMENSION


def _has_words(problem: Problem, effort: int) -> bool:
    return bool(problem.words)


def _has_nonnegative_letters(problem: Problem, effort: int) -> bool:
    from piggycheck.stability.nonnegative import is_nonnegative

    return bool(problem.words) and is_nonnegative(problem.A)


METHODS: tuple[Method, ...] = (
    Method("zero products", _zero_products, _all_nilpotent, gives_trees=True, needs_aim=False),
    Method("quadratic form, averaged", _averaged_form, _first_round, gives_trees=True, needs_aim=False),
    Method("monotone polytope", _nonnegative, _has_nonnegative_letters, closes_gaps=True),
    Method("quadratic form, semidefinite program", _quadratic, _first_round, gives_trees=True, needs_aim=False),
    Method("quadratic form", _one_letter_each, _first_round, gives_trees=True),
    Method("quadratic form on the boundary", _attained_rate, lambda p, e: e == 0 and p.is_exact, gives_trees=True),
    Method("small word tree", _small_tree, _first_round, gives_trees=True),
    Method("invariant polytope", _polytope, _has_words, closes_gaps=True),
    Method("complex polytope", _complex_polytope, _has_words, closes_gaps=True),
    Method("path-complete graph", _path_complete, _several),
    Method("word tree", _word_tree, _always, gives_trees=True),
    Method("lift", _lift, _liftable),
)
"""In the order in which each round tries them."""
