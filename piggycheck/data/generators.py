"""Arrays that are generated from a seed, as small rational numbers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, pairwise

from flint import fmpq, fmpq_mat, fmpz, fmpz_mat

from piggycheck.data import shapes
from piggycheck.data.fields import Fields
from piggycheck.data.shapes import Shape
from piggycheck.data.stream import Stream
from piggycheck.errors import InputError
from piggycheck.linalg import identity

__all__ = ["GENERATORS", "generate", "rounded", "stream"]


def generate(fields: Fields) -> fmpq_mat:
    """Generate the array that a table of `[data]` asks for.

    Parameters
    ----------
    fields : Fields
        With the name of the generator under ``generate``.

    Returns
    -------
    flint.fmpq_mat

    Raises
    ------
    InputError
        When there is no such generator, or it cannot work with these fields.

    Notes
    -----
    What each does is documented with the case format; the numbers come from `piggycheck.data.stream`.
    """
    name = fields.text("generate")
    if name not in GENERATORS:
        raise InputError(f"{fields.where}: unknown generator `{name[:60]}`; known are {', '.join(sorted(GENERATORS))}")
    return GENERATORS[name](fields)


def rounded(M: fmpq_mat, denominator: int) -> fmpq_mat:
    """Round each entry to the nearest multiple of 1/denominator, upwards in the middle.

    Examples
    --------
    >>> rounded(fmpq_mat([["1/4", "-1/4"]]), 2)
    [1/2, 0]
    """
    return _over([_nearest(entry * denominator) for entry in M.entries()], shapes.of_matrix(M), denominator)


def _nearest(value: fmpq) -> fmpz:
    return (2 * value + 1).floor() // 2


def _over(integers: list[int], shape: Shape, denominator: int) -> fmpq_mat:
    return fmpq_mat(fmpz_mat(*shape, integers)) / denominator


def gaussian(fields: Fields) -> fmpq_mat:
    """Fill a matrix with nearly Gaussian numbers of mean 0 and standard deviation `scale`."""
    fields.only("generate", "shape", "seed", "denominator", "scale")
    source = stream(fields, "gaussian")
    return gaussian_matrix(source, fields.shape("shape"), fields.denominator(), fields.number("scale", fmpq(1)))


def gaussian_matrix(source: Stream, shape: Shape, denominator: int, scale: fmpq) -> fmpq_mat:
    """Fill a matrix row by row with nearly Gaussian numbers, rounded to multiples of 1/denominator."""
    multiple = scale * denominator
    return _over(source.gaussian(shape[0] * shape[1], int(multiple.p), int(multiple.q)), shape, denominator)


def uniform(fields: Fields) -> fmpq_mat:
    """Fill a matrix with multiples of 1/denominator between `lower` and `upper`."""
    fields.only("generate", "shape", "seed", "denominator", "lower", "upper")
    return _uniform(fields, fields.denominator())


def integers(fields: Fields) -> fmpq_mat:
    """Fill a matrix with integers from `lower` to `upper`."""
    fields.only("generate", "shape", "seed", "lower", "upper")
    return _uniform(fields, 1)


def _uniform(fields: Fields, denominator: int) -> fmpq_mat:
    shape, source = fields.shape("shape"), stream(fields, fields.text("generate"))
    lower, upper = _grid(fields, denominator, fields.number("lower"), fields.number("upper"))
    return _over(source.integers(shape[0] * shape[1], lower, upper), shape, denominator)


def _grid(fields: Fields, denominator: int, lower: fmpq, upper: fmpq) -> tuple[int, int]:
    """Return the least and the largest integer m with m/denominator between two bounds."""
    least, largest = int((lower * denominator).ceil()), int((upper * denominator).floor())
    if least > largest:
        kind = "integer" if denominator == 1 else f"multiple of 1/{denominator}"
        raise InputError(f"{fields.where}: there is no {kind} from `lower` {lower} to `upper` {upper}; widen them")
    return least, largest


def sparse_signal(fields: Fields) -> fmpq_mat:
    """Return a vector that is zero but for `nonzeros` entries of random sign and modulus from `lower` to `upper`."""
    fields.only("generate", "size", "nonzeros", "seed", "denominator", "lower", "upper")
    size, source, denominator = fields.size("size"), stream(fields, "sparse_signal"), fields.denominator(1)
    nonzeros = fields.integer("nonzeros", 0, size)
    least = fields.number("lower", fmpq(1))
    if least <= 0:
        raise InputError(f"{fields.where}: `lower`: `{least}`; write a positive number, a modulus")
    moduli = _grid(fields, denominator, least, fields.number("upper", least))
    values = [0] * size
    for position in source.choice(nonzeros, size):
        sign = 1 - 2 * source.below(2)
        values[position] = sign * source.integers(1, *moduli)[0]
    return _over(values, (size, 1), denominator)


def piecewise_constant(fields: Fields) -> fmpq_mat:
    """Return a vector of `pieces` stretches, each of one value between -`scale` and `scale`."""
    levels, denominator = _stretches(fields, fields.size("size"))
    return _over(levels, (len(levels), 1), denominator)


def piecewise_linear(fields: Fields) -> fmpq_mat:
    """Return a vector that starts at 0 and has `pieces` stretches, each of one slope between -`scale` and `scale`."""
    slopes, denominator = _stretches(fields, fields.integer("size", 2, shapes.MAX_ENTRIES) - 1)
    return _over(list(accumulate(slopes, initial=0)), (len(slopes) + 1, 1), denominator)


def _stretches(fields: Fields, length: int) -> tuple[list[int], int]:
    fields.only("generate", "size", "pieces", "seed", "denominator", "scale")
    source, denominator = stream(fields, fields.text("generate")), fields.denominator()
    pieces, scale = fields.integer("pieces", 1, length), abs(fields.number("scale", fmpq(1)))
    starts = {1 + position for position in source.choice(pieces - 1, length - 1)}
    levels = source.integers(pieces, *_grid(fields, denominator, -scale, scale))
    stretch = accumulate(int(i in starts) for i in range(length))
    return [levels[number] for number in stretch], denominator


def covariance(fields: Fields) -> fmpq_mat:
    """Return ``X X' / samples``, in which the rows of X are nearly Gaussian and neighbours correlated."""
    fields.only("generate", "size", "samples", "seed", "denominator", "correlation")
    size, samples, denominator = fields.size("size"), fields.size("samples"), fields.denominator()
    shapes.checked((size, max(size, samples)), fields.where)
    correlation = fields.number("correlation", fmpq(0))
    if abs(correlation) >= 1:
        raise InputError(f"{fields.where}: `correlation`: `{correlation}`; write a number between -1 and 1")
    X = gaussian_matrix(stream(fields, "covariance"), (size, samples), denominator, fmpq(1)).tolist()
    for previous, row in pairwise(X):
        for j, value in enumerate(previous):
            row[j] += fmpq(_nearest(correlation * value * denominator), denominator)
    X = fmpq_mat(X)
    return rounded(X * X.transpose() / samples, denominator)


def identity_matrix(fields: Fields) -> fmpq_mat:
    """Return the multiple `scale` of the identity."""
    fields.only("generate", "size", "scale")
    size = fields.size("size")
    shapes.checked((size, size), f"{fields.where}: `size`")
    return identity(size) * fields.number("scale", fmpq(1))


def stream(fields: Fields, label: str) -> Stream:
    """Return the random numbers of a seed, for one use."""
    return Stream(label, fields.integer("seed", 0, 2**64 - 1))


GENERATORS: dict[str, Callable[[Fields], fmpq_mat]] = {
    "covariance": covariance,
    "gaussian": gaussian,
    "identity": identity_matrix,
    "integers": integers,
    "piecewise_constant": piecewise_constant,
    "piecewise_linear": piecewise_linear,
    "sparse_signal": sparse_signal,
    "uniform": uniform,
}
"""The generators, by the name that a case gives them."""
