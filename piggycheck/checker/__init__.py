"""Check certificates of piggycheck: one folder, the standard library, nothing shared with what wrote them.

A certificate states a claim about a piecewise map F (or about a switched system X -> A X + B) and carries a witness.
Everything in it is recomputed here and nothing is believed. The files, in the order in which to read them:

* reading: fields, texts and rational numbers; the two ways to reject a certificate. effort: too much work is refused.
* intervals: numbers are rational, or intervals with rational ends that enclose sqrt, exp and log. A sign that an
  interval does not decide is never guessed: the certificate is refused.
* jets: polynomials in displacements of state and parameters. One evaluation of F on jets gives the value, the Jacobian
  pair [A B] and every guard as a polynomial; what is no polynomial is cut after first order and says so.
* conditions: that a system of polynomial conditions has no solution, or that two polynomials agree under it, is shown
  by a nonnegative combination of the conditions, which one exact simplex method finds.
* program: the text of F becomes a list of nodes in which equal subexpressions are one node.
* pieces: wherever a kink is met, a decision says which outcome is taken: that of the value, that on the side of a
  direction, or one after the other all that are consistent: that no piece of F is missed rests on the last.
* scaled, definite: rational matrices as integers over one denominator; which of them are positive semidefinite.
* matrices: matrices of intervals; polynomials of matrices, the Schur-Cohn test.
* boxes: all matrices between bounds at once, and that V(x) = x^T P x shrinks under each of them.
* subject: what a certificate is about. constrained: the same along the paths of a graph.
* stability: a word has a large eigenvalue: a lower bound of the joint spectral radius.
* proofs: the kinds of proof of an upper bound, of which each is a row in one table: word trees here, path-complete
  graphs in graphs, invariant polytopes in polytopes, and in structure what reduces them to other matrices.
* realisable: the words that iterates can follow, or do follow, on their way to a fixed point.
* affine: pairs as maps X -> A X + B, points of the piggyback set, and balls of which images cover it. determinants: of
  sums of matrices with weights, whose sign on all weights is read off coefficients.
* itineraries, periodic_roots, cycles: cycles of iterates, and that there are no others.
* convergence, divergence, derivatives, continuity, radius, limit_sets, implicit_sets: what proves which claim.

For structured maps, programs of vectors with hundreds of numbers, all numbers are integers over a power of two:

* fixed: balls, vectors with a bound of the distance (Euclidean) of the true ones from them.
* exact: matrices that are rational, or within a distance of one that is. inverses: of symmetric matrices, by solutions
  of which what is left over is measured. factors: what affine nodes multiply with, and how it changes with parameters.
* words, norm_guesses: sums of products of matrices, and their norms: a guess, and two definite matrices that prove it.
* elementary: exp and log. scalar_functions: functions of one variable on intervals, and their derivatives. scalars:
  expressions in parameters.
* nodes, steps, cones, eigenvectors, spectral: the nodes, each with its value, tangents and Lipschitz constant.
* names, layers: reading a program. evaluation: a program at a point and on a ball around it.
* limits: a map that contracts on a ball and hardly moves its centre has one fixed point there, close to the centre.
* outputs: what users want of the limit, where that is not the state.
* enclosures: what proves which claim about structured maps.

Then certificate: which rule checks which certificate; files and the command line.

Run ``python checker CERTIFICATE...``, where ``checker`` is this folder or a copy of it: one line per file; exit code 0
all valid, 1 some do not hold, 3 unreadable.
"""

from .certificate import check, check_file, main
from .reading import Refused, Unreadable

__all__ = ["Refused", "Unreadable", "check", "check_file", "main"]
