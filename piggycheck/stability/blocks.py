"""Block-triangular sets: the joint spectral radius is the largest one of the diagonal blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from flint import fmpq, fmpq_mat

from piggycheck.errors import SwitchedSystemError
from piggycheck.intervals import Letter, midpoint, radius
from piggycheck.linalg import identity
from piggycheck.stability.proof import Proof
from piggycheck.stability.structure import Triangular, conjugated, is_block_triangular
from piggycheck.stability.word_tree import WordTree

__all__ = ["Blocks", "combine_blocks", "prove_scalars"]


@dataclass(frozen=True)
class Blocks(Proof):
    """A proof that the joint spectral radius is at most `rate`, from one proof for each diagonal block.

    Parameters
    ----------
    rate : fmpq
        Not below the rate of any of the proofs.
    basis : fmpq_mat
        An invertible matrix T; every ``T^-1 A T`` is block upper triangular.
    sizes : tuple of int
        The sizes of the diagonal blocks, from the top.
    proofs : tuple of Proof or None
        The k-th is about the distinct nonzero k-th diagonal blocks, in order of first appearance over the letters; None
        when there are none.

    Examples
    --------
    >>> A = [fmpq_mat([[0, 100], [0, fmpq(1, 3)]]), fmpq_mat([[0, 7], [0, fmpq(-2, 3)]])]
    >>> inner = prove_scalars([fmpq_mat([[fmpq(1, 3)]]), fmpq_mat([[fmpq(-2, 3)]])])
    >>> Blocks(fmpq(2, 3), identity(2), (1, 1), (None, inner)).verify(A)
    True
    >>> Blocks(fmpq(1, 3), identity(2), (1, 1), (None, inner)).verify(A)
    False
    """

    rate: fmpq
    basis: fmpq_mat
    sizes: tuple[int, ...]
    proofs: tuple[Proof | None, ...]

    method: ClassVar[str] = "blocks"

    def verify(self, A: Sequence[Letter]) -> bool:
        n = self.basis.nrows()
        if self.rate < 0 or not A or any((M.nrows(), M.ncols()) != (n, n) for M in (self.basis, *A)):
            return False
        if sum(self.sizes) != n or min(self.sizes) < 1 or len(self.proofs) != len(self.sizes):
            return False
        changed = conjugated(A, self.basis)
        if changed is None or not all(is_block_triangular(M, self.sizes) for M in changed):
            return False
        blocks = Triangular(identity(n), self.sizes).blocks(changed)
        return all(map(self._covers, self.proofs, blocks))

    def _covers(self, proof: Proof | None, letters: list[Letter]) -> bool:
        """Whether a proof shows that the products of some diagonal blocks grow no faster than the rate."""
        if proof is None:
            return not letters
        return proof.rate <= self.rate and proof.verify(letters)

    def witness(self) -> dict[str, Any]:
        proofs = [None if proof is None else proof.witness() for proof in self.proofs]
        return {
            "method": self.method,
            "rate": self.rate,
            "basis": self.basis,
            "sizes": list(self.sizes),
            "proofs": proofs,
        }

    def summary(self) -> str:
        blocks = [(k, proof) for k, proof in enumerate(self.proofs) if proof is not None]
        if not blocks:
            return "a block-triangular form whose diagonal blocks are zero"
        if len(self.sizes) == 1:
            return blocks[0][1].summary()
        sizes = " + ".join(map(str, self.sizes))
        inner = [f"{proof.summary()} for block {k + 1}" for k, proof in blocks if self.sizes[k] > 1]
        if not inner:
            return "a block-triangular form and its diagonal entries"
        return f"a block-triangular form of sizes {sizes}, with {'; '.join(inner)}"


def combine_blocks(form: Triangular, proofs: Sequence[Proof | None], rate: fmpq | None = None) -> Blocks:
    """Make a proof about matrices from proofs about their diagonal blocks.

    Parameters
    ----------
    form : Triangular
    proofs : sequence of Proof or None
        One for each entry of ``form.blocks(A)``, and None where that is empty.
    rate : fmpq, optional
        The rate to claim; without it, the largest one of the proofs, and zero when there are none.

    Returns
    -------
    Blocks

    Raises
    ------
    SwitchedSystemError
        When the number of proofs is not that of the blocks, or the rate is below one of theirs.

    Examples
    --------
    >>> from piggycheck.stability.structure import triangularise
    >>> A = [fmpq_mat([[fmpq(1, 2), 100], [0, fmpq(1, 3)]]), fmpq_mat([[0, 7], [0, fmpq(-2, 3)]])]
    >>> form = triangularise(A)
    >>> proof = combine_blocks(form, [prove_scalars(letters) for letters in form.blocks(A)])
    >>> proof.rate, proof.verify(A)
    (2/3, True)

    Notes
    -----
    When this fails: it does not; `Blocks.verify` says whether the proofs fit the blocks.
    """
    if len(proofs) != len(form.sizes):
        raise SwitchedSystemError(
            f"`proofs` has {len(proofs)} entries for {len(form.sizes)} blocks; write one for each"
        )
    largest = max((proof.rate for proof in proofs if proof is not None), default=fmpq(0))
    if rate is not None and rate < largest:
        raise SwitchedSystemError(f"`rate` is {rate}, and a block has a proof of {largest}; write at least that")
    return Blocks(largest if rate is None else rate, form.basis, form.sizes, tuple(proofs))


def prove_scalars(letters: Sequence[Letter]) -> WordTree | None:
    """Prove the joint spectral radius of 1 by 1 matrices: the largest absolute value.

    Parameters
    ----------
    letters : sequence of fmpq_mat or IntervalMatrix
        Of shape 1 by 1.

    Returns
    -------
    WordTree or None
        None when there is no letter.

    Examples
    --------
    >>> prove_scalars([fmpq_mat([[fmpq(1, 2)]]), fmpq_mat([[fmpq(-2, 3)]])]).rate
    2/3

    Notes
    -----
    When this fails: it does not.
    """
    if not letters:
        return None
    rate = max(abs(midpoint(M)[0, 0]) + radius(M)[0, 0] for M in letters)
    return WordTree(P=identity(1), rate=rate, words=tuple((i,) for i in range(len(letters))), growth=fmpq(1))
