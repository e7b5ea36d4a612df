"""What is no certificate is unreadable, in one line; a copy of the folder runs by itself."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from checker_certificates import CASES, DIVERGES, FORMAT

from piggycheck import checker
from piggycheck.checker.reading import number, numbers


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "certificate.json"
    path.write_text(text, encoding="utf-8")
    return str(path)


FOLDER, VALID = Path(checker.__file__).parent, json.dumps(CASES[DIVERGES][0])


def test_numbers_come_in_the_order_of_the_names_whatever_that_of_the_file() -> None:
    """Coordinates are paired with the expressions of the map by their places."""
    found = numbers({"y": "2", "x": "1"}, "point", ["x", "y"])
    assert list(found.items()) == [("x", Fraction(1)), ("y", Fraction(2))]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("[]", "format"),
        ("{" * 100_000, "not JSON"),
        ("[" * 100_000, "deep"),
        (VALID.replace(FORMAT, "piggycheck-certificate/2"), "format"),
        (VALID.replace('"9/8"', "1.125"), "1.125 is not text"),
        (VALID.replace('"column": "0"', '"column": 0'), "0 is not text"),
        (VALID.replace('"9/8"', "NaN"), "NaN is not text"),
        (VALID.replace('"9/8"', '"1.125"'), "not a rational number"),
        (VALID.replace('"9/8"', '"9/0"'), "denominator 0"),
        (VALID.replace('"9/8"', f'"{"9" * 10**6}/8"'), "digits"),
        (VALID.replace('"9/8"', "true"), "not text"),
        (VALID.replace('"9/8"', '"٩/٨"'), "not a rational number"),
        (VALID.replace('"column"', '"colour"'), "key"),
        (VALID.replace('"column": "0"', '"column": "0", "column": "0"'), "twice"),
        (VALID.replace('"column": "0"', '"column": "0", "note": "x"'), "unknown key `note`"),
        (VALID.replace('"start"', '"begin"'), "unknown key `begin`"),
        (VALID.replace('"at"', '"J0": [["1"], ["1"]], "pint": {}, "at"'), "pint"),
        (VALID.replace('"at"', '"J0": null, "at"'), "`J0` is not a list"),
        (VALID.replace('"diverges"', '"derives"'), "no such kind"),
        (VALID.replace('"word"', '"work"'), "no such kind"),
        (VALID.replace('"word_length": "4"', '"rate": "1/2"'), "unknown key `rate`"),
        (VALID.replace('["x", "y"]', '["x", "x"]'), "distinct"),
        (VALID.replace('"theta": "0"', '"phi": "0"'), "key"),
        (VALID.replace('"true"', '"false"'), "shortest"),
    ],
)
def test_what_is_no_certificate_is_unreadable(tmp_path: Path, capsys: Any, text: str, reason: str) -> None:
    assert checker.main([written(tmp_path, text)]) == 3
    out, err = capsys.readouterr()
    assert out == "" and reason in err and err.count("\n") == 1


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, capsys: Any) -> None:
    path = Path(written(tmp_path, VALID))
    with path.open("ab") as file:
        file.truncate(50_000_001)
    assert checker.main([str(path)]) == 3
    assert "larger than" in capsys.readouterr().err


def test_a_number_of_five_thousand_digits_is_read() -> None:
    big = "7" * 5000
    assert number(f"-{big}/3", "here") == -Fraction(7 * (10**5000 - 1) // 9, 3)


def ran(command: list[str], *paths: str, **options: Any) -> tuple[int, list[str], list[str]]:
    done = subprocess.run([sys.executable, *command, *paths], capture_output=True, text=True, **options)
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


@pytest.mark.parametrize("name", ["checker", "json", "a copy of checker-1.0"])
def test_exit_codes_and_lines_of_a_copy_of_the_folder(tmp_path: Path, name: str) -> None:
    """Under any name, with nothing of the environment and no other package."""
    shutil.copytree(FOLDER, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    good, bad = written(tmp_path, VALID), str(tmp_path / "bad.json")
    Path(bad).write_text(VALID.replace('"9/8"', '"10/8"'), encoding="utf-8")

    def run(*paths: str) -> tuple[int, list[str], list[str]]:
        return ran(["-I", "-S", "-W", "error", name], *paths, cwd=tmp_path, env={})

    code, out, err = run(good)
    assert (code, err) == (0, []) and out[0].startswith(f"{good}: valid: along the word 0 0 1 1")
    code, out, err = run(good, bad)
    assert (code, len(out), err) == (1, 2, []) and out[1].startswith(f"{bad}: does not hold: ")
    code, out, err = run(bad, str(tmp_path / "missing.json"), good)
    assert (code, len(out), len(err)) == (3, 2, 1)
    assert run()[0] == 3


@pytest.mark.parametrize("command", [["-m", "piggycheck.checker"], [str(FOLDER)], [str(FOLDER / "__main__.py")]])
def test_the_folder_runs_as_a_module_and_as_a_script(tmp_path: Path, command: list[str]) -> None:
    good = written(tmp_path, VALID)
    code, out, err = ran(["-W", "error", *command], good, cwd=FOLDER.parent.parent)
    assert (code, err) == (0, []) and out[0].startswith(f"{good}: valid: ")


def test_the_checker_imports_the_standard_library_and_itself() -> None:
    rooms = {path.stem for path in FOLDER.glob("*.py")}
    assert not rooms & {*sys.stdlib_module_names}
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert {alias.name for alias in node.names} <= {*sys.stdlib_module_names}
            elif isinstance(node, ast.ImportFrom) and node.level:
                assert node.level == 1 and (node.module is None or node.module in rooms)
            elif isinstance(node, ast.ImportFrom):
                assert str(node.module).split(".")[0] in sys.stdlib_module_names
