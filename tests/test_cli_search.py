"""The command that looks for counterexamples, as a user meets it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

NUMBERS = """
title = "one number"

[switched]
A = [[["a"]]]
B = [[["1"]]]

[unknowns]
a = {range = ["1/2", "2"]}

[[claim]]
kind = "diverges"
"""


@pytest.fixture
def family(tmp_path):
    path = tmp_path / "numbers.toml"
    path.write_text(NUMBERS)
    return path


def test_what_is_found_is_a_case_with_certificate_and_derivation(run, family, tmp_path):
    out = tmp_path / "out"
    code, text, err = run("search", family, "--strategy", "grid", "--evaluations", 3, "--workers", 1, "--out", out)
    case = out / "found" / "numbers-2" / "case.toml"
    assert (0, "") == (code, err)
    assert text.startswith("one number: 3 members looked at, 2 proved\n\na 1\n    diverges: ") and str(case) in text
    assert ["case.toml", "certificate.json", "derivation.tex"] == sorted(os.listdir(case.parent))
    assert 'title = "one number: a 2"\n\n[switched]\nA = [[[2]]]\nB = [[["1"]]]\n' in case.read_text()
    assert 0 == run("check", case.with_name("certificate.json"))[0]
    assert 0 == run("prove", case)[0]
    assert r"\begin{document}" in case.with_name("derivation.tex").read_text()


def test_nothing_found_exits_with_2(run, tmp_path):
    path = tmp_path / "numbers.toml"
    path.write_text(NUMBERS.replace('"2"', '"3/4"'))
    code, text, _ = run("search", path, "--strategy", "grid", "--evaluations", 4, "--workers", 1)
    assert 2 == code and "nothing was found" in text


def test_results_are_continued_or_refused(run, family, tmp_path):
    command = ["search", family, "--strategy", "grid", "--workers", 1, "--out", tmp_path / "out"]
    assert 0 == run(*command, "--evaluations", 3)[0]
    before = sorted((tmp_path / "out").rglob("*"))
    code, _, err = run(*command, "--evaluations", 3)
    assert 3 == code and "--resume" in err and 1 == len(err.splitlines())
    assert before == sorted((tmp_path / "out").rglob("*"))
    code, text, _ = run(*command, "--evaluations", 5, "--resume")
    assert 0 == code and "5 members looked at" in text


def test_a_folder_of_something_else_is_not_replaced(run, family, tmp_path):
    note = tmp_path / "found" / "note.txt"
    note.parent.mkdir()
    note.write_text("mine")
    code, _, err = run("search", family, "--workers", 1, "--out", tmp_path)
    assert 3 == code and "is not from a search" in err and "mine" == note.read_text()


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        (["absent.toml"], "absent.toml: cannot be read"),
        (["heavy-ball-two-slope"], "did you mean `heavy-ball-two-slopes`?"),
        (["heavy-ball-two-slopes", "--seconds", "nan"], "`nan` is no positive number of seconds"),
        (["derivatives-lag-behind"], "no claim of the family has a score"),
        (["heavy-ball-two-slopes", "--resume"], "--out DIR"),
        (["heavy-ball-two-slopes", "--workers", "0"], "--workers"),
        (["heavy-ball-two-slopes", "--seconds", "0"], "--seconds"),
        (["heavy-ball-two-slopes", "--strategy", "luck"], "--strategy"),
        (["heavy-ball-two-slopes", "--out", __file__], "--out"),
    ],
)
def test_bad_input_is_one_line(run, arguments, complaint):
    code, out, err = run("search", *arguments)
    assert (3, "", 1) == (code, out, len(err.splitlines())) and complaint in err


def test_ready_families_are_listed(run):
    code, out, _ = run("list", "families")
    assert 0 == code and "heavy-ball-two-slopes" in out and "(step, momentum, s)" in out


def test_ctrl_c_ends_it_at_once_and_keeps_what_was_found(tmp_path):
    command = [sys.executable, "-m", "piggycheck.cli", "search", "heavy-ball-two-slopes", "--evaluations", "100000"]
    command += ["--workers", "1", "--strategy", "grid", "--out", tmp_path]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    results, until = tmp_path / "search.sqlite", time.monotonic() + 60
    while not (results.exists() and results.stat().st_size > 30_000) and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert 130 == process.returncode and "" == err and "members looked at" in out
    assert out.endswith("\ninterrupted; --resume continues it\n")
