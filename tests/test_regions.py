"""Maps of parameter space: cells with known answers, false cells, workers, resuming."""

from __future__ import annotations

import itertools
import random
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st

from piggycheck import checker
from piggycheck.errors import InputError
from piggycheck.linalg import as_float
from piggycheck.regions.cells import Cell
from piggycheck.regions.decide import Evidence, decide_cell, holds_on
from piggycheck.regions.forms import contracted_by, guess_forms
from piggycheck.regions.growth import BITS, enclosed_letters, grows
from piggycheck.regions.picture import convergent_region, diverging_where_iterates_converge, map_picture, percent
from piggycheck.regions.pieces import pieces_of
from piggycheck.regions.polygon import contains_images, guess_polygon, is_polygon
from piggycheck.regions.polynomials import Polynomial, bernstein_matrices
from piggycheck.regions.run import parameter_map
from piggycheck.search import processes
from piggycheck.search.family import Family

UNIT = (fmpq(0), fmpq(1))
ZERO, ONE = Polynomial({}), Polynomial({(0, 0): fmpq(1)})


def heavy_ball(step=(0, 2), momentum=(0, 1), **changed):
    algorithm = {
        "name": "heavy_ball",
        "objective": "Piecewise((x**2/2, x >= 0), (x**2/8, True))",
        "variables": ["x"],
        "step": step if isinstance(step, str) else {"range": list(step)},
        "momentum": {"range": list(momentum)},
    }
    return Family({"algorithm": {**algorithm, **changed}})


def scalars(a=(0, "3/2"), b=(0, 1)):
    """The map whose slopes are the unknowns: all products are bounded by 1 exactly where both are."""
    return Family(
        {
            "map": {"state": ["x"], "next": ["Piecewise((a*x, x >= 0), (b*x, True))"]},
            "unknowns": {"a": {"range": list(a)}, "b": {"range": list(b)}},
        }
    )


QUARTIC = heavy_ball(objective="Piecewise((x**4/4 + x**2, x >= 0), (x**2/8, True))")
LETTERS = pieces_of(heavy_ball()).letters


def square(step, momentum, size):
    return tuple((fmpq(end), fmpq(end) + size) for end in (step, momentum))


class TestCells:
    def test_a_map_of_scalars_converges_where_both_slopes_are_below_one(self):
        """With cells of a quarter: [0, 9/8] in steps of 3/8 below 1 ends at 3/4; b = 1 touches the last row."""
        map_ = parameter_map(scalars(), smallest=fmpq(1, 4))
        assert map_.areas["converges"] == fmpq(3, 4) * fmpq(3, 4)
        assert map_.areas["unstable"] == fmpq(3, 8)  # a > 1 alone: the column from 9/8
        assert map_.areas["diverges"] == 0
        assert sum(map_.areas.values()) == fmpq(3, 2)

    def test_the_instance_of_the_paper_lies_in_a_cell_that_diverges(self):
        evidence = decide_cell(LETTERS, square(1, fmpq(3, 4), fmpq(1, 32)))
        assert evidence.verdict == "diverges"

    def test_a_small_momentum_converges(self):
        assert decide_cell(LETTERS, square(1, 0, fmpq(1, 8))).verdict == "converges"

    def test_where_the_product_of_eigenvalues_is_beyond_one_a_piece_is_unstable(self):
        assert decide_cell(LETTERS, square(1, fmpq(9, 8), fmpq(1, 8))) == Evidence("word", (0,))

    def test_complex_eigenvalues_beyond_one_are_seen_by_the_determinant(self):
        turn = [[ZERO, Polynomial({(1, 0): fmpq(-1)})], [ONE, ZERO]]
        assert grows(enclosed_letters([turn], ((fmpq(9, 8), fmpq(2)), UNIT)), (0,))
        assert not grows(enclosed_letters([turn], ((fmpq(1), fmpq(2)), UNIT)), (0,))

    def test_one_piece_again_and_again_is_one_piece(self):
        assert Evidence("word", (0, 0)).verdict == "unstable"

    def test_numbers_beyond_floats_are_followed_exactly(self):
        """The first eigenvalue is 10^400 a, which grows where a > 0; the second is b/2."""
        family = of_map([f"{10**400}*a*x + y/{10**400}", "b*y/2"], state="xy")
        map_ = parameter_map(family, smallest=fmpq(1, 4))
        assert map_.areas["unstable"] == fmpq(3, 4)
        assert isinstance(checker.check(map_.certificate().content), str)

    def test_a_cell_that_the_boundary_crosses_is_not_decided(self):
        assert decide_cell(LETTERS, square(1, fmpq(1, 2), fmpq(1, 4))) is None

    def test_areas_add_up_and_cells_do_not_overlap(self):
        map_ = parameter_map(heavy_ball(), smallest=fmpq(1, 8))
        assert sum(map_.areas.values()) == 2
        for cell, other in itertools.combinations(map_.cells, 2):
            low, high = sorted((cell, other))
            shift = high.level - low.level
            assert (high.column >> shift, high.row >> shift) != (low.column, low.row)

    def test_three_state_variables_are_decided_by_forms(self):
        family = Family(
            {
                "map": {
                    "state": ["x", "y", "z"],
                    "next": ["Piecewise((a*x, x >= 0), (b*x, True)) + y/8", "z/2", "x/8"],
                },
                "unknowns": {"a": {"range": ["-1/2", "1/2"]}, "b": {"range": [0, "1/2"]}},
            }
        )
        map_ = parameter_map(family, smallest=fmpq(1, 2))
        assert {evidence.kind for evidence in map_.cells.values()} == {"forms"}
        assert map_.areas["undecided"] == 0
        assert isinstance(checker.check(map_.certificate().content), str)


class TestFalseCells:
    converging, diverging = square(1, 0, fmpq(1, 8)), square(1, fmpq(3, 4), fmpq(1, 32))

    def test_evidence_holds_only_where_it_is_true(self):
        polygon = decide_cell(LETTERS, self.converging)
        word = decide_cell(LETTERS, self.diverging)
        assert holds_on(LETTERS, self.converging, polygon) and not holds_on(LETTERS, self.diverging, polygon)
        assert holds_on(LETTERS, self.diverging, word) and not holds_on(LETTERS, self.converging, word)

    def test_evidence_from_elsewhere_is_proved_again(self):
        wrong = [decide_cell(LETTERS, self.converging), Evidence("word", (0, 1))]
        assert decide_cell(LETTERS, self.diverging, wrong).verdict == "diverges"

    def test_a_cell_with_one_member_at_the_boundary_does_not_converge(self):
        x = Polynomial({(1, 0): fmpq(1)})
        edge = ((fmpq(1, 2), fmpq(1)), UNIT)
        assert not holds_on([[[x]]], edge, Evidence("forms", (((1,),),)))
        assert not holds_on([[[x]]], edge, Evidence("word", (0,)))

    @pytest.mark.parametrize(
        "vertices",
        [
            [(1, 0)],
            [(1, 0), (2, 0)],
            [(0, 1), (1, 0)],
            [(1, 0), (1, 1), (0, 1), (-1, -1)],
            [(4, 0), (1, 1), (0, 4)],
            [(2, 0), (-1, 1), (-1, -1), (2, 1), (-1, 2)],
        ],
    )
    def test_what_is_no_convex_polygon_proves_nothing(self, vertices):
        assert not is_polygon(vertices)
        assert not contains_images(vertices, [fmpq_mat(2, 2)])

    def test_a_form_that_is_not_definite_proves_nothing(self):
        zero = [[fmpq_mat(2, 2)]]
        assert contracted_by([((1, 0), (0, 1))], zero)
        assert not contracted_by([((1, 0), (0, 0))], zero)
        assert not contracted_by([((1, 1), (0, 1))], zero)
        assert not contracted_by([], zero)

    def test_forms_that_take_turns_prove_what_one_form_cannot(self):
        """Ahmadi, Jungers, Parrilo and Roozbehani 2014: the radius 1, no form below the rate sqrt(2); times 0.9."""
        A, B = fmpq_mat([[9, 0], [9, 0]]) / 10, fmpq_mat([[0, 9], [0, -9]]) / 10
        stacks = [np.array([[[0.9, 0.0], [0.9, 0.0]]]), np.array([[[0.0, 0.9], [0.0, -0.9]]])]
        assert guess_forms(stacks, 0) is None
        found = guess_forms(stacks, 1)
        assert contracted_by(found, [[A], [B]])
        assert not contracted_by(found[:1], [[A], [B]]) and not contracted_by(found[::-1], [[A], [B]])
        assert not contracted_by([*found, found[0]], [[A], [B]])
        assert not contracted_by(found, [[A * fmpq(10, 9)], [B * fmpq(10, 9)]])

    def test_a_matrix_of_radius_one_maps_no_polygon_into_its_interior(self):
        turn = np.array([[[0.0, -1.0], [1.0, 0.0]]])
        assert guess_polygon(turn) is None

    @pytest.mark.parametrize("name", ["heavy_ball", "nesterov"])
    def test_no_cell_contradicts_a_few_members(self, name):
        """All products of up to ten pieces, at random members of each cell of a coarse map, and at a corner."""
        chosen = random.Random(1)
        map_ = parameter_map(heavy_ball(name=name), smallest=fmpq(1, 16))
        for cell, evidence in map_.cells.items():
            (a, b), (c, d) = ([as_float(e) for e in ends] for ends in cell.bounds(map_.pieces.box))
            for step, momentum in ((chosen.uniform(a, b), chosen.uniform(c, d)), (chosen.choice([a, b]), d)):
                if name == "heavy_ball":  # by hand, as the algorithms are written
                    A = np.array([[[1 + momentum - step * s, -momentum], [1, 0]] for s in (1, 0.25)])
                else:
                    A = np.array(
                        [[[(1 + momentum) * (1 - step * s), -momentum * (1 - step * s)], [1, 0]] for s in (1, 0.25)]
                    )
                products, largest, smallest = A, 0.0, np.inf
                for length in range(1, 11):
                    radii = np.abs(np.linalg.eigvals(products)).max()
                    largest = max(largest, radii ** (1 / length))
                    smallest = min(smallest, np.linalg.norm(products, 2, axis=(1, 2)).max() ** (1 / length))
                    products = (A[:, None] @ products).reshape(-1, 2, 2)
                assert (largest < 1) if evidence.verdict == "converges" else (smallest > 1), (cell, evidence)


class TestPolynomials:
    rationals = st.fractions(min_value=-3, max_value=3, max_denominator=8)
    keys = st.tuples(st.integers(0, 2), st.integers(0, 2))

    @given(st.dictionaries(keys, rationals, max_size=4), st.tuples(rationals, rationals), rationals, rationals)
    @settings(max_examples=60, deadline=None)
    def test_values_lie_between_the_bernstein_coefficients(self, terms, low, s, t):
        """At the point of a cell of side 2 that s and t say, scaled to be inside."""
        p = Polynomial({key: fmpq(c.numerator, c.denominator) for key, c in terms.items()})
        bounds = tuple((fmpq(e.numerator, e.denominator), fmpq(e.numerator, e.denominator) + 2) for e in low)
        x, y = (e + (u + 3) / 3 for e, u in zip(low, (s, t), strict=True))
        value = p.value(fmpq(x.numerator, x.denominator), fmpq(y.numerator, y.denominator))
        coefficients = p.bernstein(bounds, (2, 2))
        assert min(coefficients) <= value <= max(coefficients)
        local = p.on_square(bounds)
        s, t = ((u / 3) for u in (s, t))
        again = sum((c * fmpq(s.numerator, s.denominator) ** i * fmpq(t.numerator, t.denominator) ** j
                     for (i, j), c in local.items()), fmpq(0))  # fmt: skip
        assert again == value

    def test_affine_entries_have_their_corners_for_a_hull(self):
        corners = bernstein_matrices(LETTERS[0], square(0, 0, fmpq(1)))
        assert fmpq_mat([[1, 0], [1, 0]]) in corners and fmpq_mat([[1, -1], [1, 0]]) in corners
        assert len(corners) == 4

    @given(st.lists(st.integers(0, 1), min_size=1, max_size=9), rationals, rationals)
    @settings(max_examples=30, deadline=None)
    def test_products_stay_within_their_enclosure(self, word, s, t):
        """The trace of a product, exactly, at a member, beside what the truncated polynomials say."""
        letters = enclosed_letters(LETTERS, square(fmpq(1, 2), fmpq(1, 2), fmpq(1, 2)))
        exact = [[[p.on_square(square(fmpq(1, 2), fmpq(1, 2), fmpq(1, 2))) for p in row] for row in M] for M in LETTERS]
        s, t = s / 3, t / 3
        at = [[[sum((Fraction(int(c.p), int(c.q)) * s**i * t**j for (i, j), c in p.items()), Fraction(0)) for p in row]
               for row in M] for M in exact]  # fmt: skip
        W, E = at[word[0]], letters[word[0]]
        for k in word[1:]:
            W = [[sum(at[k][i][h] * W[h][j] for h in (0, 1)) for j in (0, 1)] for i in (0, 1)]
            E = [[letters[k][i][0] * E[0][j] + letters[k][i][1] * E[1][j] for j in (0, 1)] for i in (0, 1)]
        for i, j in itertools.product((0, 1), repeat=2):
            value = sum((c * s**a * t**b for (a, b), c in E[i][j].terms.items()), Fraction(0))
            assert abs(value - W[i][j] * 2**BITS) <= E[i][j].error


class Interrupted(Executor):
    """Is interrupted after a few units."""

    def __init__(self, units):
        self.left = units

    def submit(self, fn, /, *args):
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        future = Future()
        future.set_result(fn(*args))
        return future


class TestRuns:
    family = heavy_ball((1, 2), ("1/2", 1))

    def test_the_map_does_not_depend_on_the_workers(self):
        alone = parameter_map(self.family, smallest=fmpq(1, 16))
        with ThreadPoolExecutor(4) as executor:
            together = parameter_map(self.family, executor, smallest=fmpq(1, 16), workers=4)
        assert together.certificate() == alone.certificate()
        with processes(2) as executor:
            apart = parameter_map(self.family, executor, smallest=fmpq(1, 16), workers=2)
        assert apart.certificate() == alone.certificate()

    def test_it_continues_where_it_was_interrupted(self, tmp_path):
        whole = parameter_map(self.family, smallest=fmpq(1, 16))
        results = tmp_path / "map.sqlite"
        arguments = {"smallest": fmpq(1, 16), "results": results, "resume": True}
        parts = [parameter_map(self.family, Interrupted(units), **arguments) for units in (0, 2, 7, 3)]
        assert all(part.interrupted for part in parts)
        assert all(part.cells.items() <= whole.cells.items() for part in parts)
        assert isinstance(checker.check(parts[-1].certificate().content), str)
        for units in (10**6, 0):
            resumed = parameter_map(self.family, Interrupted(units), **arguments)
            assert resumed.certificate() == whole.certificate() and not resumed.interrupted

    @pytest.mark.parametrize(
        "family, size, message",
        [
            (heavy_ball((1, 2), ("1/2", 1)), fmpq(1, 4), "another smallest `1/2`, not `1/4`"),
            (scalars(), fmpq(1, 2), "another family"),
        ],
    )
    def test_results_of_another_map_are_refused(self, family, size, message, tmp_path):
        results = tmp_path / "map.sqlite"
        parameter_map(self.family, smallest=fmpq(1, 2), results=results)
        with pytest.raises(InputError, match=message):
            parameter_map(family, smallest=size, results=results, resume=True)

    def test_results_with_other_values_are_refused(self, tmp_path):
        family = heavy_ball(objective="Piecewise((x**2/2, x >= 0), (s*x**2/2, True))")
        family = Family({**family.table, "unknowns": {"s": {"choices": ["1/4", "1/3"]}}})
        arguments = {"smallest": fmpq(1, 2), "results": tmp_path / "map.sqlite"}
        parameter_map(family, values={"s": "1/4"}, **arguments)
        with pytest.raises(InputError, match="another choice of values `s=1/4`, not `s=1/3`"):
            parameter_map(family, values={"s": "1/3"}, resume=True, **arguments)
        with pytest.raises(InputError, match="another pair of axes `step, momentum`, not `momentum, step`"):
            parameter_map(family, axes=("momentum", "step"), values={"s": "1/4"}, resume=True, **arguments)

    @pytest.mark.parametrize("size", [fmpq(0), fmpq(-1), fmpq(2), fmpq(1, 10**6)])
    def test_a_size_that_makes_no_sense_is_refused(self, size):
        with pytest.raises(InputError, match="--smallest"):
            parameter_map(self.family, smallest=size)


def of_map(next_, *, a=(0, 1), b=(0, 1), state=("x",), parameters=None, **others):
    table = {"map": {"state": list(state), "next": list(next_)}, "parameters": parameters or {}}
    return Family({**table, **others, "unknowns": {"a": {"range": list(a)}, "b": {"range": list(b)}}})


MANY = "uvwxyzpqrst"


class TestPieces:
    def test_the_pieces_of_the_heavy_ball_are_affine_in_each_unknown(self):
        """x + beta (x - y) - alpha s x, by hand."""
        first, second = pieces_of(heavy_ball()).formulas
        assert [str(e) for e in first] == ["momentum - step + 1", "-momentum", "1", "0"]
        assert [str(e) for e in second] == ["momentum - step/4 + 1", "-momentum", "1", "0"]

    def test_two_independent_guards_make_four_pieces(self):
        family = of_map(["a*Abs(x) + b*Abs(y)", "x/2"], state="xy")
        assert len(pieces_of(family).formulas) == 4

    @pytest.mark.parametrize(
        "family, message",
        [
            (of_map(["x/2 + a*b"]), "is not a fixed point for all values|no fixed point"),
            (of_map(["Piecewise((x/2, x + a - 1/2 >= 0), (b*x, True))"]), "is not the same for all values"),
            (of_map(["Piecewise((x/2, a*x >= 0), (b*x, True))"]), "independent gradients"),
            (of_map(["Abs(x)*a/4 + Abs(x + x**2)*b/4"]), "independent gradients"),
            (of_map(["x/(2 + a) + b*x/4"]), "is not a polynomial in x, a, b with rational"),
            (of_map(["Piecewise((exp(a*x) - 1, x >= 0), (b*x/4, True))"]), "is not a polynomial in x, a, b"),
            (of_map(["Piecewise((a*x, exp(x) >= 1), (b*x/4, True))"]), "a guard: .* is not a polynomial in x, a, b"),
            (
                of_map(["Piecewise((a*x, x + sqrt(2)*x**2 >= 0), (b*x, True))"]),
                "a guard: .* with rational coefficients",
            ),
            (of_map(["a*x + 0*b"], parameters={"t": "sqrt(2)"}), r"`t` is sqrt\(2\); .* needs rational parameters"),
            (of_map(["Piecewise((a*x, x > 0), (b*x, x < 0), (a - 1/2, True))"]), "is not a fixed point for all values"),
            (of_map(["Piecewise((2*x, x**2 <= 0), (a*x/4 + b*x/4, True))"]), "independent gradients"),
            (heavy_ball(objective="step*x**2/2"), "`step`: an undeclared name"),
            (
                of_map(
                    [f"a*({' + '.join(f'Abs({v})' for v in MANY)})/30 + b*u/9", *(f"{v}/2" for v in MANY[1:])],
                    state=MANY,
                ),
                "more than 16 pieces meet at",
            ),
            (heavy_ball(step=(1, 1)), "range of `step` is one number"),
            (heavy_ball("1"), r"a map has two different axes, not 1 \(`momentum`\)"),
        ],
    )
    def test_what_has_no_pieces_of_this_kind_is_refused(self, family, message):
        with pytest.raises(InputError, match=message):
            pieces_of(family)

    @pytest.mark.parametrize(
        "axes, values, message",
        [
            (("a", "c"), {}, "`c` is no unknown of the family; its unknowns are a, b"),
            (("a", "a"), {}, r"a map has two different axes, not 2 \(`a, a`\)"),
            (("a", "b", "a"), {}, r"a map has two different axes, not 3 \(`a, b, a`\)"),
            (("a", "b"), {"a": "1"}, "`a` is an axis, and has a value as well"),
            ((), {"a": "1/2"}, r"a map has two different axes, not 1 \(`b`\)"),
        ],
    )
    def test_axes_that_make_no_sense_are_refused(self, axes, values, message):
        with pytest.raises(InputError, match=message):
            pieces_of(scalars(), axes, values)

    def test_of_several_fixed_points_the_start_says_which(self):
        """F(x) = x + a b x (x - 1) (x - 2) has the slopes 1 + 2ab, 1 - ab and 1 + 2ab at 0, 1 and 2."""
        next_ = ["x + a*b*x*(x - 1)*(x - 2)"]
        with pytest.raises(
            InputError, match=r"all members fix x = \d; x = \d; x = \d; say which is meant, by a \[start\]"
        ):
            pieces_of(of_map(next_))
        for start, slope in ((0, "2*a*b + 1"), (1, "-a*b + 1"), (2, "2*a*b + 1")):
            pieces = pieces_of(of_map(next_, start={"x": start}))
            assert (pieces.place, str(pieces.formulas[0][0, 0])) == (f"x = {start}", slope)

    def test_matrices_without_a_map_are_refused(self):
        family = Family({"switched": {"A": [[["a"]], [["b"]]]}, "unknowns": {n: {"range": [0, 1]} for n in "ab"}})
        with pytest.raises(InputError, match=r"needs an \[algorithm\] or a \[map\], not \[switched\]"):
            pieces_of(family)

    def test_a_third_unknown_needs_a_value(self):
        family = Family(
            {
                "map": {"state": ["x"], "next": ["Piecewise((a*x, x >= 0), (b*c*x, True))"]},
                "unknowns": {name: {"range": [0, 1]} for name in "abc"},
            }
        )
        with pytest.raises(InputError, match="`c` is open as well; give it a value, as in --set c=1/2"):
            pieces_of(family, ("a", "b"))
        with pytest.raises(InputError, match="the value 2 of `c` is outside its range from 0 to 1"):
            pieces_of(family, ("a", "b"), {"c": "2"})
        with pytest.raises(InputError, match="is not a polynomial in x, a, b with rational coefficients"):
            pieces_of(family, ("a", "b"), {"c": "sqrt(1/2)"})
        formulas = pieces_of(family, ("a", "b"), {"c": "1/2"}).formulas
        assert [str(A[0, 0]) for A in formulas] == ["a", "b/2"]


class TestPicture:
    def test_percentages_are_exact_or_rounded_down(self):
        assert [percent(fmpq(*pair)) for pair in ((1, 1), (2, 3), (1, 8), (199999, 200000))] == [
            "100 %", "66.66… %", "12.5 %", "99.99… %",
        ]  # fmt: skip

    def test_the_region_where_iterates_converge_is_below_a_line(self):
        """The area of cells below step <= 2 (1 - momentum) that diverge: by the corners of the cells."""
        family = heavy_ball((0, "1/2"), ("3/4", 1))
        map_ = parameter_map(family, smallest=fmpq(1, 16))
        inside = fmpq(0)
        for cell, evidence in map_.cells.items():
            (_, step), (_, momentum) = cell.bounds(map_.pieces.box)
            if evidence.verdict == "diverges" and step <= 2 - 2 * momentum:
                inside += cell.share / 8
        assert diverging_where_iterates_converge(family, map_) == inside > 0

    def test_the_picture_names_exact_areas_and_the_paper(self):
        family = heavy_ball()
        map_ = parameter_map(family, smallest=fmpq(1, 4))
        picture = map_picture(family, map_)
        for area in picture.areas:
            assert area.label.endswith(f"(area {map_.areas[area.verdict]})")
            width = sum((fmpq(*(b - a).as_integer_ratio()) for a, b, _, _ in area.cells), fmpq(0))
            assert area.verdict == "undecided" or width / 4 == map_.areas[area.verdict]
        assert picture.marks[0][1:] == (1.0, 0.75)
        assert picture.regions[0][1] == ((0.0, 0.0), (2.0, 0.0), (0.0, 1.0))

    @pytest.mark.parametrize(
        "family",
        [
            scalars(),
            heavy_ball(name="nesterov"),
            QUARTIC,
            heavy_ball(objective="Piecewise((x**2/2, x*(x - 1) >= 0), (x**2/8, True))"),  # f' jumps at 1
        ],
    )
    def test_nothing_is_said_of_iterates_elsewhere(self, family):
        assert convergent_region(family, pieces_of(family)) is None

    @pytest.mark.parametrize(
        "step, momentum, slopes",
        [
            ("step", "momentum", {fmpq(1), fmpq(1, 4)}),
            ("2*step", "momentum", {fmpq(2), fmpq(1, 2)}),
            ("step + 1", "momentum", None),
            ("step", "1 - momentum", None),
            ("momentum", "step", None),
        ],
    )
    def test_the_unknowns_must_be_the_step_and_the_momentum_themselves(self, step, momentum, slopes):
        """With twice the step the region is that of twice the slopes; with 1 - momentum it is another triangle."""
        objective = "Piecewise((x**2/2, x >= 0), (x**2/8, True))"
        algorithm = {"name": "heavy_ball", "objective": objective, "variables": ["x"], "step": step}
        unknowns = {"step": {"range": [0, 2]}, "momentum": {"range": [0, 1]}}
        family = Family({"algorithm": {**algorithm, "momentum": momentum}, "unknowns": unknowns})
        found = convergent_region(family, pieces_of(family))
        assert found == (None if slopes is None else (slopes, False))


def test_cells_know_their_place():
    box = ((fmpq(0), fmpq(2)), (fmpq(0), fmpq(1)))
    assert Cell(2, 3, 1).bounds(box) == ((fmpq(3, 2), fmpq(2)), (fmpq(1, 4), fmpq(1, 2)))
    assert sum(cell.share for cell in Cell(0, 0, 0).children) == 1
