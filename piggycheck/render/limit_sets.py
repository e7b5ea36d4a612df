"""What is said of limit sets: what the recursion converges to, beside what implicit differentiation returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from piggycheck import derivation as d
from piggycheck.render.formula import (
    Atom,
    Decimal,
    Display,
    Formula,
    Letter,
    Number,
    Operator,
    Paragraph,
    Part,
    Section,
    Words,
    formula,
    sentence,
    tupled,
)
from piggycheck.render.numbers import decimal, exactly, is_matrix, short

__all__ = [
    "ball",
    "beyond_bound",
    "clarke",
    "direction_bounds",
    "implicit_set",
    "inside",
    "inside_interval",
    "interval",
    "invariant_points",
    "invertible",
    "outside_implicit",
    "separation",
    "singular",
]

_MOST_POINTS = 8
_MOST_IMAGES = 5
_MOST_CELLS = 4
_MOST_BOUNDS = 12
_MOST_LETTERS = 40
_LONGEST_NUMBER = 24
_SCALE, _DIGITS = 10**6, 15
_A, _B, _C, _X, _Y, _I, _K = (Letter(name) for name in "ABCXYIK")
_A_I, _B_I = Letter("A", "i"), Letter("B", "i")
_IMPLICIT, _PIGGYBACK = Letter("J", "", "imp"), Letter("J", "", "pb")
_RESIDUAL = formula("(", _I, "−", _A_I, ")", _X, "−", _B_I)
_Block = Paragraph | Display


def implicit_set(step: d.ImplicitSetStep, steps: Sequence[d.Step]) -> Section:
    """Tell the implicit set: one point for each pair."""
    said = (
        "Implicit differentiation solves ", formula(_X, "=", _A_I, _X, "+", _B_I), ", one pair at a time. The "
        "solutions form the implicit set ", (_IMPLICIT,), ":",
    )  # fmt: skip
    shown = step.points[:_MOST_POINTS]
    lines: list[Formula] = [formula(Letter("X", str(i)), *is_matrix(X)) for i, X in enumerate(shown)]
    if len(step.points) > len(shown):
        lines.append((f"… and {len(step.points) - len(shown)} more",))
    blocks: list[_Block] = [Paragraph(said), Display(tuple(lines))]
    if step.interval is not None:
        blocks.append(
            sentence("With pairs from the convex hull the solutions fill the interval ", _ends(*step.interval), ".")
        )
    return Section("The implicit set", tuple(blocks))


def word_fixed_points(step: d.WordFixedPointsStep, steps: Sequence[d.Step]) -> Section:
    """Tell elements of the piggyback set, each with the word whose fixed point it is."""
    lines = [
        formula(_X, *is_matrix(X), "   for the word ", Words((word,)))
        for word, X in zip(step.words, step.matrices, strict=True)
    ]
    A_w, B_w = Letter("A", "w"), Letter("B", "w")
    said = sentence(
        "The solution of ",
        formula(_X, "=", A_w, _X, "+", B_w),
        " is an element of the piggyback set, for every word ",
        (Letter("w"),),
        ":",
    )
    return Section("Elements of the piggyback set", (said, Display(tuple(lines))))


def interval(step: d.IntervalStep, steps: Sequence[d.Step]) -> Section:
    """Tell the hull of a piggyback set of numbers, beside that of the implicit set."""
    blocks: list[_Block] = [
        sentence("The least and the greatest element of the piggyback set ", (_PIGGYBACK,), " are"),
        Display(
            (
                (Letter("a"), Operator("="), Number(step.lower), *_by(step.lower_word)),
                (Letter("b"), Operator("="), Number(step.upper), *_by(step.upper_word)),
            )
        ),
        sentence(
            "Nothing lies beyond: every pair maps the interval ",
            formula(Operator("["), Letter("a"), ",", Letter("b"), Operator("]")),
            " into itself.",
        ),
    ]
    implicit = next((s.interval for s in steps if isinstance(s, d.ImplicitSetStep) and s.interval), None)
    if implicit is not None:
        lines = (
            (Operator("conv"), _IMPLICIT, Operator("="), *_ends(*implicit), "   by implicit differentiation"),
            (Operator("conv"), _PIGGYBACK, Operator("="), *_ends(step.lower, step.upper), "   by the recursion"),
        )
        blocks += [sentence("Side by side, the hulls of the two sets:"), Display(lines)]
    return Section("The hull of the piggyback set", tuple(blocks))


def _product(*atoms: Atom) -> Formula:
    """Write the sum of the products of entries of two matrices: of the first atom and of the rest."""
    first, *rest = atoms
    return formula(Operator("⟨"), first, ",", *rest, Operator("⟩"))


def _ends(lower: Any, upper: Any) -> Formula:
    return formula(Operator("["), Number(lower), ",", Number(upper), Operator("]"))


def _by(word_then: tuple[Sequence[int], Sequence[int]]) -> Formula:
    """Say whose point an end is, as a remark beside it."""
    word, then = (" ".join(map(str, letters)) for letters in word_then)
    return (f"   by repeating the word {word}" + (f" and then {then}" if then else ""),)


def outside_implicit(step: d.OutsideImplicitStep, steps: Sequence[d.Step]) -> Section:
    """Tell a word whose fixed point is in the piggyback set, and not in the implicit set."""
    A_w, B_w, X_w = Letter("A", "w"), Letter("B", "w"), Letter("X", "w")
    blocks: list[_Block] = [
        sentence("The word ", *_called(step.word), " has the fixed point"),
        Display((formula(X_w, "=", A_w, X_w, "+", B_w, *is_matrix(step.matrix)),)),
        sentence("which is in the piggyback set, as that of every word is."),
    ]
    if step.direction is None:
        blocks.append(sentence("It is none of the points of the implicit set."))
    else:
        product = _product(_C, *_RESIDUAL)
        blocks += [
            sentence("It would be in the implicit set of the hull if 0 were a convex combination of the residuals ",
                     _RESIDUAL, " at ", formula(_X, "=", X_w), ". The direction"),
            Display((formula(_C, *is_matrix(step.direction)),)),
            sentence("has a positive product with each of them, so it is not: the products ", product, " are ",
                     *_some_numbers(step.values), "."),
        ]  # fmt: skip
    if step.shorter:
        words = "word, of one letter" if step.shorter == 1 else "words"
        blocks.append(
            sentence(f"No shorter word does this: the fixed points of all {step.shorter} shorter {words} were computed "
                     "exactly, and are in the implicit set.")
        )  # fmt: skip
    return Section("A point that implicit differentiation misses", tuple(blocks))


def _called(word: Sequence[int]) -> tuple[Part, ...]:
    """Write a word by its letters, or by its length."""
    name = Letter("w")
    if len(word) <= _MOST_LETTERS:
        return (formula(name, "=", Words((tuple(word),))),)
    return ((name,), f" of {len(word)} letters")


def _some_numbers(values: Sequence[Any]) -> tuple[Part, ...]:
    shown: list[Part] = []
    for i, value in enumerate(values[:_MOST_POINTS]):
        shown += [", " if i else "", short(value, _LONGEST_NUMBER)]
    return (*shown, ", …") if len(values) > _MOST_POINTS else tuple(shown)


def invariant_points(step: d.InvariantPointsStep, steps: Sequence[d.Step]) -> Section:
    """Tell that the implicit set is mapped into itself."""
    alone = len(step.points) == 1
    implicit = any(isinstance(s, d.ImplicitSetStep) for s in steps)
    lines = [formula(Letter("X", str(k)), *is_matrix(X)) for k, X in enumerate(step.points[:_MOST_POINTS])]
    if len(step.points) > _MOST_POINTS:
        lines.append((f"… and {len(step.points) - _MOST_POINTS} more",))
    blocks: list[_Block] = []
    if alone:
        blocks.append(sentence("All pairs have the same fixed point, and the piggyback set is this point."))
    else:
        again = "Each of them once, the points of the implicit set are" if implicit else "The implicit set is"
        blocks += [sentence(again), Display(tuple(lines))]
        if step.hull:
            blocks.append(sentence("Every pair maps them into their convex hull, which is the implicit set of the "
                                   "hull and then contains the piggyback set."))  # fmt: skip
        else:
            blocks.append(sentence("Every pair maps each of them to one of them, so they are the piggyback set:"))
            blocks.append(Display(tuple(_images(i, row) for i, row in enumerate(step.images[:_MOST_POINTS]))))
    return Section("The piggyback set is the implicit set", tuple(blocks))


def _images(letter: int, images: Sequence[int]) -> Formula:
    atoms: list[Atom] = [f"pair {letter} maps "]
    for k, image in enumerate(images[:_MOST_IMAGES]):
        atoms += [*([Operator(",")] if k else []), Letter("X", str(k)), Operator("↦"), Letter("X", str(image))]
    return (*atoms, ", …") if len(images) > _MOST_IMAGES else tuple(atoms)


def inside(step: d.InsideStep, steps: Sequence[d.Step]) -> Section:
    """Tell how a matrix is reached in the piggyback set."""
    A_w, B_w, X_w = Letter("A", "w"), Letter("B", "w"), Letter("X", "w")
    which = (
        "the given matrix" if step.given else "an element of the piggyback set, as every image of one under a pair is"
    )
    blocks: list[_Block] = []
    if step.matrix is not None:
        blocks += [
            sentence("The word ", *_called(step.word), " has the fixed point"),
            Display((formula(X_w, "=", A_w, X_w, "+", B_w, *is_matrix(step.matrix)),)),
        ]
        said = "which is in the piggyback set, as that of every word is"
        end = ": it is the given matrix." if step.given and step.weights is None and not step.then else "."
        blocks.append(sentence(said + end))
        if step.then:
            moved = formula(_Y if step.weights else _X, "=", Letter("A", "v"), X_w, "+", Letter("B", "v"))
            letters, move = ("letter ", " moves") if len(step.then) == 1 else ("letters ", " move")
            blocks.append(sentence(f"The {letters}", _letters(step.then), f"{move} it to ", moved,
                                   "." if step.weights else f", {which}."))  # fmt: skip
            if not step.given:
                blocks.append(Display((formula(_X, *is_matrix(step.value)),)))
    if step.weights is not None:
        blocks += _by_weights(step)
    return Section("How the matrix is reached" if step.given else "An element of the set", tuple(blocks))


def _letters(then: Sequence[int]) -> Formula:
    return formula(Letter("v"), "=", Words((tuple(then),)))


def _by_weights(step: d.InsideStep) -> list[_Block]:
    A_l, B_l, l = Letter("A", "ℓ"), Letter("B", "ℓ"), Letter("ℓ")  # noqa: E741 - as the formulas have it
    weights = formula(l, "=", *_row(step.weights or ()))
    if step.matrix is None:
        return [
            sentence("With the weights ", weights, " of the pairs it is its own image, ",
                     formula(_X, "=", A_l, _X, "+", B_l), ", and so in the set of the hull.")
        ]  # fmt: skip
    source = _Y if step.then else Letter("X", "w")
    return [
        sentence("With the weights ", weights, " of the pairs, ", formula(_X, "=", A_l, source, "+", B_l),
                 " is the given matrix, and so in the set of the hull.")
    ]  # fmt: skip


def _row(values: Sequence[Any]) -> Formula:
    return tupled([short(value, _LONGEST_NUMBER) for value in values])


def inside_interval(step: d.InsideIntervalStep, steps: Sequence[d.Step]) -> Section:
    """Tell that a number lies between the ends of the hull."""
    ends = formula(Number(step.lower), "≤", Number(step.value), "≤", Number(step.upper))
    said = sentence("The piggyback set of the hull is the interval between these ends, and ", ends, ".")
    return Section("Between the ends", (said,))


def ball(step: d.BallStep, steps: Sequence[d.Step]) -> Section:
    """Tell a ball around the piggyback set."""
    title = "A ball around the piggyback set"
    maps = "Every pair" if step.by_letters else "Every map of the words above"
    if step.interval is not None and step.core is None:
        said = (f"{maps} sends the interval ", _ends(*step.interval), " into itself, so the piggyback set lies in it.")
        return Section(title, (Paragraph(said),))
    c, R, r, V = Letter("c"), Letter("R"), Letter("r"), Letter("V")
    told: list[Part] = [
        "Put ", formula(V, "(", _X, ")", "=", Operator("tr"), "(", Letter("X", "", "T"), Letter("P"), _X, ")"),
        " and ", formula(c, *is_matrix(step.centre)), ". ",
    ]  # fmt: skip
    inner = formula(V, "(", _X, "−", c, ")", "≤", Letter("r", "", "2"))
    outer = formula(V, "(", _X, "−", c, ")", "≤", Letter("R", "", "2"))
    if step.core is None:
        told += [f"{maps} sends the ball ", outer, " with ", formula(R, *_value(step.radius)),
                 " into itself, so the piggyback set lies in it."]  # fmt: skip
    else:
        told += [f"{maps} sends the ball ", inner, " with ", formula(r, *_value(step.core)),
                 " into itself, and their first letters lead from there into the ball ", outer, " with ",
                 formula(R, *_value(step.radius)), ", in which the piggyback set therefore lies."]  # fmt: skip
    return Section(title, (Paragraph(tuple(told)),))


def _value(value: Any) -> Formula:
    shown = short(value, _LONGEST_NUMBER)
    return shown if len(shown) > 1 else (Operator("="), *shown)


def separation(step: d.SeparationStep, steps: Sequence[d.Step]) -> Section:
    """Tell why a matrix is outside: the cells of the set, and a direction for each."""
    count, one = len(step.words), len(set(map(str, step.directions))) == 1
    blocks: list[_Block] = [
        sentence(_cells(count, step.depth)),
        sentence(
            "From each of them a direction ", (_C,), " separates the given matrix ", (_Y,),
            (", the same one for all, which then separates it from their convex hull," if one and count > 1 else ","),
            " because ", _product(_C, _Y), ", the sum of the products of entries, is larger than every ",
            _product(_C, _X), " there:",
        ),
    ]  # fmt: skip
    rows = list(zip(step.words, step.directions, step.products, step.bounds, strict=True))
    lines: list[Formula] = []
    for word, C, product, bound in rows[:_MOST_CELLS]:
        compared = formula(*_product(_C, _Y), *_value(product), ">", *_below_product(bound, product))
        cell = ("   on the cell ", Words((word,))) if word and len(word) <= _MOST_LETTERS else ()
        lines.append((*formula(_C, *is_matrix(C)), ",   ", *compared, *cell))
    if count > len(lines):
        lines.append((f"… and {count - len(lines)} more, in the certificate",))
    return Section("Why the matrix is outside", (*blocks, Display(tuple(lines))))


def _below_product(bound: Any, product: Any) -> Formula:
    """Write an upper bound, rounded upwards where it is long and that leaves it below a product."""
    above = type(bound)((bound * _SCALE).ceil()) / _SCALE
    return _short_above(bound) if above < product else (Number(bound),)


def _cells(count: int, depth: int) -> str:
    if count == 1:
        return "The set is looked at as a whole."
    how = "letter that acted last" if depth == 1 else f"letters that acted last, up to {depth}"
    return (
        f"The set is divided into {count} cells, by the {how}. Each cell is the image of the whole set under its "
        "letters, and lies in the image of what contains the set."
    )


def _short_above(value: Any) -> Formula:
    """Write an upper bound, rounded upwards where it is long."""
    return _rounded(value, (value * _SCALE).ceil())


def _short_below(value: Any) -> Formula:
    """Write a lower bound, rounded downwards where it is long."""
    return _rounded(value, (value * _SCALE).floor())


def _rounded(value: Any, scaled: Any) -> Formula:
    if len(str(value)) <= _LONGEST_NUMBER:
        return (Number(value),)
    return (Decimal(decimal(type(value)(scaled) / _SCALE, _DIGITS)),)


def direction_bounds(step: d.DirectionBoundsStep, steps: Sequence[d.Step]) -> Section:
    """Tell bounds in some directions, or the box."""
    cells, depth = max(count for count, _ in step.cells), max(depth for _, depth in step.cells)
    blocks: list[_Block] = []
    if step.box is not None:
        lower, upper = step.box
        blocks += [
            sentence("The piggyback set lies in the box between these matrices, entry by entry:"),
            Display(((Letter("L"), *is_matrix(lower), ",   ", Letter("U"), *is_matrix(upper)),)),
        ]
    said: list[Part] = [
        "For each direction ", (_C,), " the products ", _product(_C, _X), ", sums of the products of entries, are "
        "bounded above on the set",
    ]  # fmt: skip
    if any(value is not None for value in step.lower):
        said.append(", and the largest is bounded below by a point of the set")
    said.append(".")
    if cells > 1:
        how = "the last letter" if depth == 1 else f"up to {depth} last letters"
        said.append(f" To that end the set was divided into up to {cells} cells, by {how}; each lies in an image of "
                    "the ball.")  # fmt: skip
    blocks.append(Paragraph(tuple(said)))
    lines: list[Formula] = []
    rows = list(zip(step.directions, step.upper, step.lower, step.points, strict=True))
    for C, high, low, point in rows[:_MOST_BOUNDS]:
        below = () if low is None else (*_short_below(low), Operator("≤"))
        by = () if point is None or len(point[0]) + len(point[1]) > _MOST_LETTERS else _by(point)
        largest = (*below, Operator("max"), *_product(_C, _X), Operator("≤"), *_short_above(high))
        lines.append((*largest, ",   ", _C, *is_matrix(C), *by))
    if len(rows) > len(lines):
        lines.append((f"… and {len(rows) - len(lines)} more, in the certificate",))
    return Section("Bounds on the piggyback set", (*blocks, Display(tuple(lines))))


def beyond_bound(step: d.BeyondBoundStep, steps: Sequence[d.Step]) -> Section:
    """Tell that an element of the set is beyond a claimed bound."""
    said = (
        "With the direction ", formula(_C, *is_matrix(step.direction)), " its product ", _product(_C, _X),
        ", the sum of the products of entries, is ", *exactly(step.product), ", and larger than the claimed bound ",
        *exactly(step.claimed), ".",
    )  # fmt: skip
    return Section("It is beyond the bound", (Paragraph(said),))


def invertible(step: d.InvertibleStep, steps: Sequence[d.Step]) -> Section:
    """Tell that implicit differentiation has a solution for every pair, or for every pair of the hull."""
    det = formula(Operator("det"), "(", _I, "−", _A_I, ")")
    one = len(step.determinants) == 1
    said = ("The determinant ", det, " of the pair is ") if one else ("The determinants ", det, " of the pairs are ")
    blocks: list[_Block] = [sentence(*said, *_some_numbers(step.determinants), ".")]
    if step.hull:
        det_l = formula(Operator("det"), "(", _I, "−", Letter("A", "ℓ"), ")")
        sign = "positive" if step.determinants[0] > 0 else "negative"
        halved = "" if step.depth == 1 else f", at most {step.depth} times"
        divided = f"each of the {step.simplices} simplices made of it by halving edges{halved}, "
        where = "On " + ("it " if step.simplices == 1 else divided)
        blocks.append(
            sentence("With weights ", (Letter("ℓ"),), " of the pairs, ", det_l, " is a polynomial on a simplex. "
                     f"{where}all its Bernstein coefficients are {sign}, so it has no zero: ",
                     formula(_I, "−", Letter("A", "ℓ")), " is invertible for every pair of the convex hull.")
        )  # fmt: skip
    return Section("Determinants", tuple(blocks))


def singular(step: d.SingularStep, steps: Sequence[d.Step]) -> Section:
    """Tell weights for which implicit differentiation has no unique solution."""
    det, l = formula(Operator("det"), "(", _I, "−", Letter("A", "ℓ"), ")"), Letter("ℓ")  # noqa: E741
    lines = [
        (*formula(*det, *_value(value)), "   for ", *formula(l, "=", *_row(weights)))
        for weights, value in zip(step.weights, step.determinants, strict=True)
    ]
    blocks: list[_Block] = [sentence("With weights of the pairs that are not negative and add up to 1:")]
    blocks.append(Display(tuple(lines)))
    if len(lines) == 1:
        said = "There the equation of implicit differentiation has no solution, or many."
    else:
        said = (
            "Between these weights the determinant changes its sign, so for some weights it is zero, and the equation "
            "of implicit differentiation has no solution, or many."
        )
    return Section("Where implicit differentiation breaks down", (*blocks, sentence(said)))


def clarke(step: d.ClarkeStep, steps: Sequence[d.Step]) -> Section:
    """Tell a matrix that implicit differentiation returns, and the solution map's Clarke Jacobian does not contain."""
    A_l, B_l = Letter("A", "ℓ"), Letter("B", "ℓ")
    weights = formula(Letter("ℓ"), "=", *_row(step.weights))
    solved = formula(_X, "=", "(", _I, "−", A_l, Letter(")", "", "-1"), B_l, *is_matrix(step.matrix))
    hull = ("the convex hull of the solutions ", (Letter("X", "i"),), " of the single pairs")
    known = ("The Clarke Jacobian of the solution map lies in ", *hull) if step.of_map else ("This is not in ", *hull)
    blocks: list[_Block] = [
        sentence("With the weights ", weights, " of the pairs, implicit differentiation returns"),
        Display((solved,)),
        sentence(*known, ". The direction"),
        Display((formula(_C, *is_matrix(step.direction)),)),
        sentence("separates them: ", formula(*_product(_C, _X), *_value(step.product)), " is larger than every ",
                 _product(_C, Letter("X", "i")), ", of which the largest is ", *exactly(step.largest), "."),
    ]  # fmt: skip
    title = "An element that is no Clarke derivative" if step.of_map else "Outside the hull of the solutions"
    return Section(title, tuple(blocks))
