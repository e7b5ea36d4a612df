"""The arrays of a case: read exactly, generated as documented, and the one clear line that bad input gets."""

import hashlib
import math
import pickle
from contextlib import contextmanager
from fractions import Fraction
from io import BytesIO

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st

from piggycheck.data import inline, read_data, shapes
from piggycheck.data.stream import Stream
from piggycheck.errors import InputError


def words(label, seed):
    """The words of a stream, one by one, as the documentation of the case format describes them."""
    block = 0
    while True:
        digest = hashlib.shake_256(f"piggycheck {label} {seed} {block}".encode()).digest(65536)
        for i in range(0, 65536, 4):
            yield int.from_bytes(digest[i : i + 4], "little")
        block += 1


def integer(stream, lower, upper):
    low = next(stream)
    return lower + (low + 2**32 * next(stream)) * (upper - lower + 1) // 2**64


def gaussian(stream, scale, denominator):
    z = Fraction(sum(next(stream) for _ in range(12)) - 6 * (2**32 - 1), 2**32)
    return Fraction(math.floor(denominator * scale * z + Fraction(1, 2)), denominator)


def rows(matrix):
    return [[Fraction(int(e.p), int(e.q)) for e in row] for row in matrix.tolist()]


def column(matrix):
    assert matrix.ncols() == 1
    return [row[0] for row in rows(matrix)]


def generated(kind, **fields):
    return read_data({"A": {"generate": kind, **fields}})["A"]


# -- generated ----------------------------------------------------------------------------------------------------


def test_gaussian_entries_are_those_of_the_documented_algorithm():
    stream, fifth = words("gaussian", 7), Fraction(1, 5)
    expected = [[gaussian(stream, fifth, 1000) for _ in range(40)] for _ in range(50)]
    assert expected == rows(generated("gaussian", shape=[50, 40], seed=7, denominator=1000, scale="1/5"))


def test_gaussian_entries_have_the_moments_of_a_gaussian():
    entries = np.array(rows(generated("gaussian", shape=[100, 200], seed=1, denominator=10**6)), dtype=float)
    assert abs(entries.mean()) < 0.02
    assert abs(entries.std() - 1) < 0.02
    assert abs((entries**3).mean()) < 0.05
    assert 2.5 < (entries**4).mean() < 3.1, "2.9 is the kurtosis of twelve uniform numbers"


def test_uniform_entries_are_those_of_the_documented_algorithm():
    stream = words("uniform", 0)
    expected = [Fraction(integer(stream, -33, 66), 100) for _ in range(60)]
    assert expected == column(generated("uniform", shape=[60], seed=0, denominator=100, lower="-1/3", upper="2/3"))


def test_integers_reach_both_ends():
    assert {3, 4, 5} == set(column(generated("integers", shape=[60], seed=5, lower=3, upper=5)))


def test_a_sparse_signal_has_as_many_nonzeros_as_asked_for():
    stream, order, expected = words("sparse_signal", 2), list(range(30)), [Fraction(0)] * 30
    for i in range(5):
        j = integer(stream, i, 29)
        order[i], order[j] = order[j], order[i]
    for position in order[:5]:
        sign = 1 - 2 * integer(stream, 0, 1)
        expected[position] = sign * Fraction(integer(stream, 50, 100), 100)
    asked = {"size": 30, "nonzeros": 5, "seed": 2, "denominator": 100, "lower": "1/2", "upper": 1}
    assert expected == column(generated("sparse_signal", **asked))
    assert 5 == sum(entry != 0 for entry in expected)
    assert {-1, 0, 1} == set(column(generated("sparse_signal", size=30, nonzeros=15, seed=2)))


def test_a_piecewise_constant_vector_has_its_jumps_at_the_documented_places():
    stream, order = words("piecewise_constant", 3), list(range(19))
    for i in range(3):
        j = integer(stream, i, 18)
        order[i], order[j] = order[j], order[i]
    starts = sorted(1 + position for position in order[:3])
    levels = [Fraction(integer(stream, -20, 20), 10) for _ in range(4)]
    expected = [levels[sum(start <= i for start in starts)] for i in range(20)]
    asked = {"size": 20, "pieces": 4, "seed": 3, "denominator": 10, "scale": 2}
    assert expected == column(generated("piecewise_constant", **asked))


def test_a_piecewise_linear_vector_starts_at_zero_and_bends_between_its_pieces():
    values = column(generated("piecewise_linear", size=200, pieces=6, seed=1, denominator=1000, scale="1/2"))
    slopes = np.diff(values)
    assert values[0] == 0
    assert np.count_nonzero(np.diff(slopes)) == 5
    assert max(abs(slopes)) <= Fraction(1, 2)


def test_a_covariance_is_the_rounded_one_of_the_documented_rows():
    stream = words("covariance", 4)
    X = [[gaussian(stream, 1, 100) for _ in range(5)] for _ in range(3)]
    for i in (1, 2):
        for j in range(5):
            X[i][j] += Fraction(math.floor(100 * X[i - 1][j] / 2 + Fraction(1, 2)), 100)
    expected = [
        [Fraction(math.floor(100 * sum(a * b for a, b in zip(p, q, strict=True)) / 5 + Fraction(1, 2)), 100) for q in X]
        for p in X
    ]
    found = generated("covariance", size=3, samples=5, seed=4, denominator=100, correlation="1/2")
    assert expected == rows(found)
    assert found == found.transpose()


def test_the_identity_can_be_scaled():
    assert fmpq_mat([["1/2", 0], [0, "1/2"]]) == generated("identity", size=2, scale="1/2")


def test_different_uses_of_one_seed_have_nothing_in_common():
    assert Stream("gaussian", 1).words(4) != Stream("observe", 1).words(4)
    assert Stream("gaussian", 1).words(4) != Stream("gaussian", 11).words(4)


@given(st.lists(st.integers(0, 20_000), max_size=6))
def test_a_stream_is_the_same_in_whatever_portions_it_is_read(counts):
    portions, whole = Stream("test", 3), Stream("test", 3).words(sum(counts))
    assert whole == tuple(word for count in counts for word in portions.words(count))


# -- computed from other arrays -----------------------------------------------------------------------------------


def test_an_observation_is_rounded_and_its_noise_too():
    stream = words("observe", 6)
    noise = [gaussian(stream, Fraction(1, 4), 10) for _ in range(2)]
    data = {
        "b": {"observe": "A", "signal": "x", "noise": "1/4", "seed": 6, "denominator": 10},
        "A": [[1, "1/3"], ["1/8", 0]],
        "x": [2, 1],
    }
    assert [Fraction(23, 10) + noise[0], Fraction(3, 10) + noise[1]] == column(read_data(data)["b"])


def test_an_observation_without_noise_is_exact_unless_it_is_to_be_rounded():
    data = {"A": [["1/3", 1]], "x": [1, 1], "b": {"observe": "A", "signal": "x"}}
    assert [fmpq(4, 3)] == read_data(data)["b"].entries()
    assert [fmpq(13, 10)] == read_data({**data, "b": {**data["b"], "denominator": 10}})["b"].entries()


def test_products_of_arrays_and_their_transposes():
    data = {"A": [[1, 2], [3, 4], [5, 6]], "G": {"product": ["A'", "A"]}}
    assert fmpq_mat([[35, 44], [44, 56]]) == read_data(data)["G"]
    rounded = read_data({**data, "G": {"product": ["A'", "A"], "scale": "1/3", "denominator": 2}})["G"]
    assert fmpq_mat([["23/2", "29/2"], ["29/2", "37/2"]]) == rounded, "35/3, 44/3 and 56/3"


# -- files --------------------------------------------------------------------------------------------------------


def from_file(folder, name, content, **fields):
    (folder / name).write_bytes(content)
    return read_data({"A": {"file": name, **fields}}, folder)["A"]


@pytest.mark.parametrize(
    "content", [b"1,3/4\n-0.1, 1e-2\n", b"\xef\xbb\xbf1,3/4\r\n-0.1,1e-2\r\n\r\n", b'1,"3/4"\n-.1,.01']
)
def test_cells_of_a_csv_are_the_numbers_they_spell(tmp_path, content):
    """With or without a byte order mark, in the line endings of either world, quoted or not."""
    assert fmpq_mat([["1", "3/4"], ["-1/10", "1/100"]]) == from_file(tmp_path, "A.csv", content)


def test_one_number_in_each_line_is_a_vector(tmp_path):
    assert fmpq_mat([[1], [2], [3]]) == from_file(tmp_path, "A.csv", b"1\n2\n3\n", shape=[3])


@pytest.mark.parametrize("kind", ["<f8", ">f8", "<f4", "<f2", "<i8", ">i4", "|u1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_entries_of_a_numpy_array_are_the_exact_binary_numbers_they_are(tmp_path, kind, order):
    array = np.array([[1, 0.1, 3], [5, 7, 1000 / 3 % 100]], dtype=kind, order=order)
    np.save(tmp_path / "A.npy", array)
    found = read_data({"A": {"file": "A.npy"}}, tmp_path)["A"]
    assert [[Fraction(entry) for entry in row] for row in array.tolist()] == rows(found)


def test_a_numpy_vector_is_one_column(tmp_path):
    np.save(tmp_path / "b.npy", np.array([0.5, -0.0, 5e-324]))
    assert [Fraction(1, 2), 0, Fraction(1, 2**1074)] == column(read_data({"b": {"file": "b.npy"}}, tmp_path)["b"])


def test_a_file_may_lie_below_the_case(tmp_path):
    (tmp_path / "data").mkdir()
    assert fmpq_mat([[1]]) == from_file(tmp_path, "data/A.csv", b"1")


class Trap:
    """Unpickling this fails the test."""

    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


def numpy_file(array, **options):
    file = BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


BAD_FILES = {
    "A.csv": {
        b"": "is empty; write numbers with commas between, one row per line",
        b"\n\r\n": "is empty; write numbers with commas between, one row per line",
        b"a,b\n1,2\n": "row 1, column 1: `a` is not a number; remove the line of names",
        b"1,2\n3,x\n": 'row 2, column 2: `x` is not a rational number; write, for instance, "3/4" or "0.75"',
        b"1 2\n": 'row 1, column 1: `1 2` is not a rational number; write, for instance, "3/4" or "0.75"',
        b"1,2\n3,\n": "row 2, column 2 is empty; write a number",
        b"1,2\n3,nan\n": "row 2, column 2 is nan; write a finite number",
        b"1,-inf\n": "row 1, column 2 is -inf; write a finite number",
        b"1/0\n": "row 1, column 1: `1/0` divides by zero",
        b"1,2\n3\n": "row 2 has 1 numbers and row 1 has 2; make them equally many",
        b"1\n\n2\n": "row 2 is empty; remove the empty line",
        b'1\n"2\n': "row 2: unexpected end of data; write numbers with commas between",
        b"\xff\xfe1": "is not text in UTF-8; write numbers with commas between, one row per line",
        b"__import__('os')": "row 1, column 1: `__import__('os')` is not a rational number",
    },
    "A.npy": {
        b"": "is not an array in numpy's format; write it with numpy.save",
        b"1,2\n": "is not an array in numpy's format; write it with numpy.save",
        pickle.dumps(Trap()): "is not an array in numpy's format; write it with numpy.save",
        numpy_file(np.array([Trap()]), allow_pickle=True): "entries of type `|O`; save float64 or integer entries",
        numpy_file(np.array([1j])): "holds entries of type `<c16`; save float64 or integer entries",
        numpy_file(np.array([True])): "holds entries of type `|b1`; save float64 or integer entries",
        numpy_file(np.array(["1"])): "holds entries of type `<U1`; save float64 or integer entries",
        numpy_file(np.zeros(1, "f8,i4")): "save float64 or integer entries",
        numpy_file(np.array([[1.0, 2.0], [math.nan, 1.0]])): "row 2, column 1 is nan; write a finite number",
        numpy_file(np.array([0.0, -math.inf])): "row 2, column 1 is -inf; write a finite number",
        numpy_file(np.zeros((2, 2, 2))): "has 3 dimensions; save a vector or a matrix",
        numpy_file(np.array(1.0)): "has 0 dimensions; save a vector or a matrix",
        numpy_file(np.zeros((0, 3))): "is empty; save a vector or a matrix with entries",
        numpy_file(np.zeros(9))[:-1]: "has 71 bytes of entries and its header says 72; save it again",
        numpy_file(np.zeros(9)).replace(b"(9,)", b"(9.)"): "is not an array in numpy's format",
        numpy_file(np.zeros(9)).replace(b"{'d", b"{{{"): "is not an array in numpy's format",
        numpy_file(np.zeros(9)).replace(b"(9,), }     ", b"(9**9**9,), }"): "is not an array in numpy's format",
        numpy_file(np.zeros(9)).replace(b"(9,), }     ", b"(9999999,), }"): "9999999 by 1 are 9999999 entries",
    },
}


@pytest.mark.parametrize(("name", "number"), [(name, i) for name in BAD_FILES for i in range(len(BAD_FILES[name]))])
def test_a_bad_file_gets_one_line_that_says_where(tmp_path, name, number):
    content, expected = list(BAD_FILES[name].items())[number]
    with pytest.raises(InputError) as caught:
        from_file(tmp_path, name, content)
    assert str(caught.value).startswith(f"`A`: `{name}`")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_another_shape_is_refused(tmp_path):
    with pytest.raises(InputError) as caught:
        from_file(tmp_path, "A.csv", b"1,2\n3,4\n5,6\n", shape=[2, 3])
    assert "`A`: `A.csv` is 3 by 2 and `shape` says 2 by 3; correct one of them" == str(caught.value)


@pytest.mark.parametrize("name", ["../x.csv", "/etc/x.csv", "below/../../x.csv", "link.csv"])
def test_a_file_elsewhere_is_refused(tmp_path, name):
    folder = tmp_path / "case"
    folder.mkdir()
    (tmp_path / "x.csv").write_text("1")
    (folder / "link.csv").symlink_to(tmp_path / "x.csv")
    with pytest.raises(InputError) as caught:
        read_data({"A": {"file": name}}, folder)
    assert f"`A`: `{name}` is not beside the case; put the file into its folder, or into one below" == str(caught.value)


def test_a_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for name, expected in {
        "x.csv": "`A`: `x.csv` does not exist; give a file in the folder of the case",
        "folder.csv": "`A`: `folder.csv` is not a file; give a file in the folder of the case",
        "x\0.csv": "`A`: `x\0.csv` cannot be read: embedded null byte; give a file in the folder of the case",
        "x.txt": "`A`: `x.txt` is neither a .csv nor a .npy file; write the array in one of these formats",
        3: '`A`: `3` is not the name of a file; write it in quotes, such as "A.csv"',
    }.items():
        with pytest.raises(InputError) as caught:
            read_data({"A": {"file": name}}, tmp_path)
        assert expected == str(caught.value)


def test_a_file_needs_a_folder():
    with pytest.raises(InputError, match="`A.csv`: a case that was not read from a file has no folder to look in"):
        read_data({"A": {"file": "A.csv"}})


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("piggycheck.data.files.MAX_BYTES", 3)
    with pytest.raises(InputError, match="`A.csv` has 4 bytes; a data file has at most 3"):
        from_file(tmp_path, "A.csv", b"1234")


def test_too_many_entries_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(shapes, "MAX_ENTRIES", 5)
    with pytest.raises(InputError, match="`A.csv` has more than 5 entries; an array has at most that many"):
        from_file(tmp_path, "A.csv", b"1,2\n3,4\n5,6\n")
    with pytest.raises(InputError, match="`B`: the arrays of .data. have more than 5 entries together"):
        read_data({"A": [1, 2, 3], "B": [1, 2, 3]})
    with pytest.raises(InputError, match="`A`: 6 by 1 are 6 entries; an array has at most 5"):
        inline([1, 2, 3, 4, 5, 6], "`A`")


# -- what makes no sense ------------------------------------------------------------------------------------------

GAUSSIAN = {"generate": "gaussian", "shape": [2, 3], "seed": 1, "denominator": 10}
SPARSE = {"generate": "sparse_signal", "size": 5, "nonzeros": 2, "seed": 1}
UNIFORM = {"generate": "uniform", "shape": [2], "seed": 1, "denominator": 10, "lower": 0, "upper": 1}
PIECES = {"generate": "piecewise_linear", "size": 5, "pieces": 2, "seed": 1, "denominator": 10}
COVARIANCE = {"generate": "covariance", "size": 3, "samples": 5, "seed": 1, "denominator": 10}
GENERATORS = "covariance, gaussian, identity, integers, piecewise_constant, piecewise_linear, sparse_signal, uniform"

BAD = {
    "a number": (3, "`A`: `3` is not an array; write a list of numbers, or of rows of numbers"),
    "nothing": ([], "`A`: `[]` is not an array; write a list of numbers, or of rows of numbers"),
    "an empty row": ([[]], "`A`: `[[]]` is not an array; write a list of numbers, or of rows of numbers"),
    "ragged": ([[1, 2], [3]], "`A[1]` has 1 numbers and `A[0]` has 2; make them equally many"),
    "a row and a number": ([[1], 2], "`A[1]`: `2` is not a row; write a list of numbers"),
    "a number and a row": ([1, [2]], "`A[1]`: `[2]` is not a number"),
    "text": ([1, "x"], '`A[1]`: `x` is not a rational number; write, for instance, "3/4" or "0.75"'),
    "a truth value": ([[1, True]], "`A[0][1]`: `True` is a truth value; write a number"),
    "an irrational number": ([["sqrt(2)"]], "`A[0][0]`: `sqrt(2)` is not a rational number"),
    "no source": (
        {"shape": [2]},
        "`A` has no source; write exactly one of file, generate, product, observe, or a list of numbers",
    ),
    "two sources": ({"file": "A.csv", "generate": "gaussian"}, "`A` has both `file` and `generate`; write exactly one"),
    "an unknown field": ({**GAUSSIAN, "sigma": 1}, "`A`: unknown field `sigma`; known are generate, shape, seed,"),
    "an unknown generator": ({"generate": "normal"}, f"`A`: unknown generator `normal`; known are {GENERATORS}"),
    "a generator that is no text": ({"generate": 3}, "`A`: `generate`: `3` is not text; write it in quotes"),
    "no shape": ({"generate": "gaussian", "seed": 1}, "`A` needs `shape`; write shape = ..."),
    "a negative size": (
        {**GAUSSIAN, "shape": [2, -3]},
        "`A`: `shape`: `[2, -3]` is not a shape; write [rows, columns] or [rows], from 1 on",
    ),
    "three sizes": ({**GAUSSIAN, "shape": [1, 2, 3]}, "`A`: `shape`: `[1, 2, 3]` is not a shape"),
    "no sizes": ({**GAUSSIAN, "shape": []}, "`A`: `shape`: `[]` is not a shape"),
    "sizes that are text": ({**GAUSSIAN, "shape": ["2", True]}, "`A`: `shape`: `['2', True]` is not a shape"),
    "too large": (
        {**GAUSSIAN, "shape": [10**6, 10]},
        "`A`: `shape`: 1000000 by 10 are 10000000 entries; an array has at most 4000000",
    ),
    "denominator 0": (
        {**GAUSSIAN, "denominator": 0},
        "`A`: `denominator`: `0`; write an integer from 1 to 1000000000",
    ),
    "a seed that is text": ({**GAUSSIAN, "seed": "1"}, "`A`: `seed`: `1`; write an integer from 0 to"),
    "a negative seed": ({**GAUSSIAN, "seed": -1}, "`A`: `seed`: `-1`; write an integer from 0 to"),
    "a scale that is no number": ({**GAUSSIAN, "scale": "x"}, "`A`: `scale`: `x` is not a rational number"),
    "a huge scale": (
        {**GAUSSIAN, "scale": "1e300"},
        "`; write a number of modulus and denominator up to 1000000000",
    ),
    "bounds in the wrong order": (
        {**UNIFORM, "lower": 2},
        "`A`: there is no multiple of 1/10 from `lower` 2 to `upper` 1; widen them",
    ),
    "no integer between": (
        {"generate": "integers", "shape": [1], "seed": 1, "lower": "1/3", "upper": "2/3"},
        "`A`: there is no integer from `lower` 1/3 to `upper` 2/3; widen them",
    ),
    "too many nonzeros": ({**SPARSE, "nonzeros": 6}, "`A`: `nonzeros`: `6`; write an integer from 0 to 5"),
    "a modulus that is not positive": (
        {**SPARSE, "lower": 0, "upper": 1},
        "`A`: `lower`: `0`; write a positive number, a modulus",
    ),
    "size 0": ({**SPARSE, "size": 0}, "`A`: `size`: `0`; write an integer from 1 to 4000000"),
    "too many pieces": ({**PIECES, "pieces": 5}, "`A`: `pieces`: `5`; write an integer from 1 to 4"),
    "a line of one number": ({**PIECES, "size": 1}, "`A`: `size`: `1`; write an integer from 2 to 4000000"),
    "a correlation of 1": ({**COVARIANCE, "correlation": 1}, "`A`: `correlation`: `1`; write a number between -1"),
    "a large covariance": ({**COVARIANCE, "size": 3000}, "`A`: 3000 by 3000 are 9000000 entries"),
    "a large identity": ({"generate": "identity", "size": 3000}, "`A`: `size`: 3000 by 3000 are 9000000 entries"),
    "an unknown array": ({"product": ["B"]}, "`A`: `B` is not an array of [data]; there are A, c"),
    "no factors": ({"product": []}, '`A`: `product`: write a list of arrays, such as ["A\'", "A"]'),
    "a factor that is no name": ({"product": [1]}, "`A`: `product`: `1` is not the name of an array"),
    "factors that do not fit": (
        {"product": ["c", "c"]},
        "`A`: `product`: matrices of 2 by 1 and 2 by 1 cannot be multiplied",
    ),
    "an array of itself": ({"product": ["A"]}, "`A` is computed from itself: `A` from `A`"),
    "an observation of nothing": ({"observe": "c"}, "`A` needs `signal`; write signal = ..."),
    "noise without a denominator": (
        {"observe": "c", "signal": "d", "noise": 1, "seed": 1},
        "`A` needs `denominator`; write denominator = ...",
    ),
    "a seed without noise": (
        {"observe": "c", "signal": "d", "seed": 1},
        "`A` has a `seed` and no `noise`; write noise = ...",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_makes_no_sense_gets_one_line_that_says_why(name):
    value, expected = BAD[name]
    with pytest.raises(InputError) as caught:
        read_data({"A": value, "c": [1, 2], **({"d": [1]} if "observe" in str(value) else {})})
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_circle_of_arrays_is_named():
    with pytest.raises(InputError, match="`A` is computed from itself: `A` from `B` from `A`"):
        read_data({"A": {"product": ["B"]}, "B": {"product": ["A'"]}})


def test_a_long_chain_of_arrays_is_refused():
    chain = {f"A{i}": {"product": [f"A{i + 1}"]} for i in range(2000)}
    with pytest.raises(InputError, match="`A101` is computed from more than 100 arrays, one from the other; use fewer"):
        read_data(chain)


def test_each_array_is_read_in_its_own_context():
    entered = []

    @contextmanager
    def at(name):
        entered.append(name)
        yield

    read_data({"b": {"product": ["A"]}, "A": [1]}, at=at)
    assert ["b", "A"] == entered
