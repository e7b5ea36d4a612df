"""The command line as a user meets it: answers, files, exit codes, one line for bad input."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from piggycheck import cli

CASEBOOK = Path(__file__).parent.parent / "casebook"
HEAVY_BALL = CASEBOOK / "heavy-ball-1d" / "case.toml"
SWITCHED = '[switched]\nA = [[["1/2"]], [["1/3"]]]\nB = [[["1"]], [["1"]]]\n'


def write(path, text):
    path.write_text(text)
    return path


def test_a_proved_case_exits_with_0_and_ends_with_claimed_and_proved(run):
    code, out, err = run("prove", HEAVY_BALL)
    lines = out.splitlines()
    claimed = next(i for i, line in enumerate(lines) if line.startswith("claimed"))
    assert (code, err) == (0, "")
    assert lines[claimed + 1].startswith("proved")
    assert "-9/8" in out and "no shorter word" in out and "\x1b" not in out


def test_the_json_answer_has_the_documented_keys(run):
    code, out, _ = run("prove", HEAVY_BALL, "--json")
    answer = json.loads(out)
    (claim,) = answer["claims"]
    assert code == 0
    assert answer["case"] == "heavy-ball-1d"
    assert {"kind", "statement", "verdict", "value", "reason", "certificate"} <= set(claim)
    assert (claim["kind"], claim["verdict"]) == ("diverges", "proved")
    assert claim["value"]["word"] == [0, 0, 1, 1] and claim["value"]["word_length"] == 4
    assert claim["value"]["eigenvalue_modulus_lower"] == "9/8"
    assert [piece["A"] for piece in answer["pieces"]] == [
        [["3/4", "-3/4"], ["1", "0"]],
        [["3/2", "-3/4"], ["1", "0"]],
    ]
    assert claim["certificate"]["format"] == "piggycheck-certificate/1"


def test_several_cases_give_a_list_and_the_worst_exit_code(run, tmp_path):
    proved = write(tmp_path / "proved.toml", SWITCHED + '[[claim]]\nkind = "converges"\n')
    refuted = write(tmp_path / "refuted.toml", SWITCHED + '[[claim]]\nkind = "diverges"\n')
    code, out, _ = run("prove", proved, refuted, "--json")
    assert code == 1
    assert [answer["claims"][0]["verdict"] for answer in json.loads(out)] == ["proved", "refuted"]


def test_an_undecided_case_exits_with_2(run):
    code, out, _ = run("prove", CASEBOOK / "newton-square-root" / "case.toml")
    assert code == 2
    assert "undecided" in out and "irrational" in out


def test_a_case_without_claims_gets_the_default_questions(run, tmp_path):
    text = HEAVY_BALL.read_text()
    path = write(tmp_path / "plain.toml", text[: text.index("[[claim]]")])
    code, out, _ = run("prove", path, "--json")
    assert code == 0
    assert [c["kind"] for c in json.loads(out)["claims"]] == ["continuous", "fixed_point", "diverges"]


def test_certificates_go_into_the_folder_and_the_checker_accepts_them(run, tmp_path):
    path = write(tmp_path / "pair.toml", SWITCHED + '[[claim]]\nkind = "converges"\n[[claim]]\nkind = "derivative"\n')
    code, out, _ = run("prove", path, "--out", tmp_path / "new" / "folder", "--json")
    names = [claim["certificate"] for claim in json.loads(out)["claims"]]
    assert names == ["pair-converges.json", "pair-derivative.json"]
    files = [tmp_path / "new" / "folder" / name for name in names]
    assert code == 1, "1/(1 - 1/2) and 1/(1 - 1/3) are two different limits"
    assert run("check", *files)[0] == 0
    content = json.loads(files[0].read_text())
    content["witness"]["rate"] = "1/100"
    files[0].write_text(json.dumps(content))
    code, out, _ = run("check", *files)
    assert code == 1 and len(out.splitlines()) == 2


def test_one_bad_case_does_not_lose_the_others(run, tmp_path):
    good = write(tmp_path / "good.toml", SWITCHED + '[[claim]]\nkind = "converges"\n')
    code, out, err = run("prove", tmp_path / "absent.toml", good, "--json")
    assert code == 3
    assert len(err.splitlines()) == 1 and "absent.toml" in err
    assert json.loads(out)[0]["claims"][0]["verdict"] == "proved"


def test_what_was_decided_before_a_senseless_claim_is_kept(run, tmp_path):
    """A map without parameters has nothing to differentiate in; that it is continuous stays proved."""
    claims = "".join(f'[[claim]]\nkind = "{kind}"\n' for kind in ("continuous", "diverges"))
    case = write(tmp_path / "case.toml", '[map]\nstate = ["x"]\nnext = ["x/2"]\n' + claims)
    code, out, err = run("prove", case, "--json", "--out", tmp_path / "out")
    assert code == 3
    assert len(err.splitlines()) == 1 and "case.toml, line 6" in err
    assert ["proved"] == [claim["verdict"] for claim in json.loads(out)["claims"]]
    assert len(list((tmp_path / "out").iterdir())) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["prove"],
        ["prove", "absent.toml"],
        ["prove", HEAVY_BALL, "--time-limit", "0"],
        ["prove", HEAVY_BALL, "--unknown"],
        ["prove", HEAVY_BALL, "--out", __file__],
        ["check", "absent.json"],
        ["check", __file__],
        ["show", "absent.toml"],
        ["list", "nonsense"],
        ["list", "cases", "--casebook", "absent"],
        ["nonsense"],
    ],
)
def test_bad_arguments_get_one_line_and_exit_code_3(run, arguments):
    code, _, err = run(*arguments)
    assert code == 3
    assert len(err.strip().splitlines()) == 1


def test_a_claim_that_makes_no_sense_names_file_and_line(run, tmp_path):
    path = write(tmp_path / "none.toml", '[map]\nstate = ["x"]\nnext = ["x/2"]\n[[claim]]\nkind = "diverges"\n')
    code, _, err = run("prove", path)
    assert code == 3
    assert "none.toml, line 4: claim `diverges`: the map has no parameters" in err


def test_a_map_without_fixed_point_is_a_verdict(run, tmp_path):
    path = write(tmp_path / "none.toml", '[map]\nstate = ["x"]\nnext = ["x + 1"]\n[[claim]]\nkind = "fixed_point"\n')
    code, out, err = run("prove", path, "--json")
    assert (code, err) == (1, "")
    assert json.loads(out)["claims"][0]["verdict"] == "refuted"


def test_a_certificate_that_the_checker_refuses_is_not_reported_as_proved(run, monkeypatch):
    from piggycheck import checker

    def refuse(content):
        raise checker.Refused("for the test")

    monkeypatch.setattr(checker, "check", refuse)
    code, out, _ = run("prove", HEAVY_BALL, "--json")
    claim = json.loads(out)["claims"][0]
    assert (code, claim["verdict"], claim["certificate"]) == (2, "undecided", None)
    assert "does not accept the certificate: for the test" in claim["reason"]


def test_an_interrupt_exits_with_130_and_keeps_what_was_finished(run, monkeypatch, tmp_path):
    good = write(tmp_path / "good.toml", SWITCHED + '[[claim]]\nkind = "converges"\n')
    examine = cli._examine

    def interrupted(path, *arguments, **options):
        if path == "later.toml":
            raise KeyboardInterrupt
        return examine(path, *arguments, **options)

    monkeypatch.setattr(cli, "_examine", interrupted)
    code, out, _ = run("prove", good, "later.toml", "--json")
    assert code == 130
    assert json.loads(out)[0]["claims"][0]["verdict"] == "proved"


BALL = '[switched]\nA = [[["3/4", "-3/4"], ["1", "0"]], [["3/2", "-3/4"], ["1", "0"]]]\n'
RADIUS = '[[claim]]\nkind = "joint_spectral_radius"\ntolerance = "%s"\n'


@contextmanager
def on_a_terminal(*arguments):
    """Run a command whose standard error is a terminal; yield the process and what the terminal shows, bit by bit."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
    command = [sys.executable, "-m", "piggycheck.cli", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment, text=True) as process:
        os.close(theirs)
        yield process, _chunks(ours)
    os.close(ours)


def test_bounds_are_shown_on_a_terminal_while_they_improve(tmp_path):
    """On standard error, with method and seconds, and nothing of it on standard output."""
    case = write(tmp_path / "ball.toml", BALL + RADIUS % "1/10000000")
    with on_a_terminal("prove", case) as (process, chunks):
        shown = "".join(chunks)
        out = process.stdout.read()
    line = r"ball: joint_spectral_radius: at least 1\.\d{6}(, at most \d+\.\d{6})?, by [\w, -]+ \(\d+ s\)"
    assert re.search(line, shown)
    assert "\nclaimed" in out and "\x1b" not in out


def test_ctrl_c_prints_the_bounds_proved_so_far(tmp_path):
    """The radius is irrational, so no rational bounds are ever this close; the second claim is not begun."""
    case = write(tmp_path / "ball.toml", BALL + RADIUS % "1e-90" + '[[claim]]\nkind = "converges"\n')
    with on_a_terminal("prove", case, "--time-limit", 300) as (process, chunks):
        next(chunk for chunk in chunks if "at most" in chunk)
        process.send_signal(signal.SIGINT)
        err = "".join(chunks)
        out = process.stdout.read()
    assert process.returncode == 130
    assert "\nundecided" in out and out.count("\nclaimed") == 1
    assert re.search(r"Proved on the way: the joint spectral radius is at least .* at most ", " ".join(out.split()))
    assert "Traceback" not in err


def _chunks(terminal):
    """What arrives at a terminal until the other side closes it."""
    try:
        while chunk := os.read(terminal, 4096):
            yield chunk.decode(errors="replace")
    except OSError:
        return


TWO_CLAIMS = SWITCHED + '[[claim]]\nkind = "converges"\n[[claim]]\nkind = "diverges"\n'


def deciding(monkeypatch, instead):
    """Let `instead` decide the claims after the first one."""
    from piggycheck import claims

    asked, prove = [], claims.prove

    def decide(claim, *arguments, **options):
        asked.append(claim.kind)
        return prove(claim, *arguments, **options) if len(asked) == 1 else instead(claim)

    monkeypatch.setattr(claims, "prove", decide)
    return asked


def test_an_interrupt_keeps_the_claims_of_the_case_that_were_finished(run, monkeypatch, tmp_path):
    def interrupt(claim):
        raise KeyboardInterrupt

    path = write(tmp_path / "two.toml", TWO_CLAIMS)
    asked = deciding(monkeypatch, interrupt)
    code, out, _ = run("prove", path, path, "--json", "--out", tmp_path)
    assert code == 130
    assert [claim["kind"] for claim in json.loads(out)[0]["claims"]] == ["converges"]
    assert (tmp_path / "two.json").is_file()
    assert asked == ["converges", "diverges"], "the second case is not begun"


def test_an_interrupt_before_the_first_answer_prints_none(run, monkeypatch, tmp_path):
    from piggycheck import claims

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(claims, "prove", interrupt)
    assert run("prove", write(tmp_path / "two.toml", TWO_CLAIMS), "--json") == (130, "", "")
    assert run("show", write(tmp_path / "two.toml", TWO_CLAIMS)) == (130, "", "")


def test_bounds_of_an_interrupted_search_are_shown(run, monkeypatch, tmp_path):
    from piggycheck.claims import Undecided

    bounds = {"lower": "7/8", "upper": "9/8"}

    def stopped(claim):
        return Undecided(claim.kind, "a claim", "between", bounds, "between", bounds=bounds, interrupted=True)

    path = write(tmp_path / "three.toml", TWO_CLAIMS + '[[claim]]\nkind = "derivative"\n')
    asked = deciding(monkeypatch, stopped)
    code, out, _ = run("prove", path)
    assert code == 130
    assert "at least 7/8 = 0.875; the joint spectral radius is at most 9/8 = 1.125" in " ".join(out.split())
    assert asked == ["converges", "diverges"]


def test_show_writes_latex_figure_and_page(run, tmp_path):
    files = {suffix: tmp_path / f"out.{suffix}" for suffix in ("tex", "pdf", "html")}
    code, _, err = run("show", HEAVY_BALL, "--latex", files["tex"], "--figure", files["pdf"], "--html", files["html"])
    assert code == 0
    assert files["tex"].read_text().startswith("\\documentclass")
    assert files["pdf"].read_bytes().startswith(b"%PDF")
    assert "<html" in files["html"].read_text()
    assert [line.startswith("wrote") for line in err.splitlines()] == [True] * 3


def test_show_prints_the_derivation_when_no_file_is_asked_for(run):
    code, out, _ = run("show", HEAVY_BALL)
    assert code == 0
    assert "Heavy ball" in out and "claimed" in out


@pytest.mark.parametrize(
    ("what", "expected"),
    [("algorithms", "heavy_ball"), ("functions", "l1"), ("claims", "diverges"), ("cases", "heavy-ball-1d")],
)
def test_list_names_what_is_there(run, what, expected):
    code, out, _ = run("list", what, "--casebook", CASEBOOK)
    assert code == 0
    assert expected in out and "``" not in out


def test_the_installed_command_needs_no_heavy_import_for_help_and_check(tmp_path):
    script = (
        "import sys\n"
        "sys.argv = ['piggycheck', *sys.argv[1:]]\n"
        "from piggycheck import cli\n"
        "try:\n    cli.main()\nexcept SystemExit as stop:\n    code = stop.code\n"
        "heavy = {'sympy', 'numpy', 'scipy', 'matplotlib', 'flint', 'clarabel', 'rich'} & set(sys.modules)\n"
        "print(sorted(heavy), code)\n"
    )
    stored = CASEBOOK / "heavy-ball-1d" / "certificate.json"
    for arguments in (["--help"], ["check", str(stored)]):
        done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "[] 0"


def test_ctrl_c_stops_cleanly_and_what_was_finished_stays():
    """Of a thousand cases the first is answered before the interrupt comes, and the last is not."""
    command = [sys.executable, "-m", "piggycheck.cli", "prove", *[str(HEAVY_BALL)] * 1000]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        answered = next(line for line in process.stdout if line.startswith("proved"))
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "0 0 1 1" in answered
    assert rest.count("\nproved") < 999
    assert "Traceback" not in err
