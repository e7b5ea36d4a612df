"""Searches: what is found is proved, the same for any workers, and survives whatever ends the search."""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import random
import signal
import socketserver
import sqlite3
import subprocess
import sys
import threading
import time
from fractions import Fraction

import pytest

from piggycheck import checker
from piggycheck.claims import KINDS, Converges, Diverges
from piggycheck.errors import InputError
from piggycheck.search import READY, Decision, Family, load_family, search
from piggycheck.search.decide import decide_member, heights
from piggycheck.search.executors import ExecutorError, Here, completed, dask_executor, processes
from piggycheck.search.likeness import distinct, likeness
from piggycheck.search.scores import SCORES, has_score
from piggycheck.search.simplify import simplified
from piggycheck.search.store import Store, StoreError
from piggycheck.search.work import Work

NUMBERS = Family(
    {
        "title": "one number",
        "switched": {"A": [[["a"]]], "B": [[["1"]]]},
        "unknowns": {"a": {"range": ["-2", "2"]}},
        "claim": [{"kind": "diverges"}],
    }
)
PAIRS = Family(
    {
        "title": "two numbers",
        "switched": {"A": [[["a"]], [["b"]]], "B": [[["1"]], [["1"]]]},
        "unknowns": {"a": {"range": ["0", "2"]}, "b": {"range": ["0", "1"]}},
        "claim": [{"kind": "diverges"}],
    }
)
HEAVY_BALL = load_family(READY["heavy-ball-two-slopes"])
PAPER = {"step": "1", "momentum": "3/4", "s": "1/4"}


def decided(family, values, check=checker.check):
    return decide_member(family, values, check, 10.0)


def data(path):
    """What a file of results holds, as data."""
    units = sqlite_rows(path, "SELECT number, evaluations, result FROM units ORDER BY number")
    later = sqlite_rows(path, "SELECT key, result FROM later ORDER BY key")
    return [(n, e, json.loads(r)) for n, e, r in units], [(k, json.loads(r)) for k, r in later]


def sqlite_rows(path, query):
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_what_is_found_is_what_diverges():
    """x -> a x + 1 diverges for |a| > 1 and for a = 1: of denominator 1, 2, 3, 4 these are 3 + 2 + 4 + 4 fractions."""
    result = search(NUMBERS, checker.check, strategy="grid", evaluations=25)
    assert (25, 13) == (result.evaluations, result.proved)
    assert all(abs(Fraction(d.values["a"])) > 1 or d.values["a"] == "1" for d in result.found)
    assert "1" == result.found[0].values["a"]


def test_the_paper_s_example_is_decided_and_its_certificate_holds():
    decision = decided(HEAVY_BALL, PAPER)
    assert decision.found and [0, 0, 1, 1] == decision.claims[0]["value"]["word"]
    assert (2, 4, 9, 5, 4) == decision.complexity[:5]
    checker.check(decision.certificates[0])


def test_a_guided_search_rediscovers_a_divergence_at_least_as_simple_as_the_paper_s():
    found = search(HEAVY_BALL, checker.check, evaluations=200).found
    assert found and found[0].complexity < decided(HEAVY_BALL, PAPER).complexity
    for decision in found:
        checker.check(decision.certificates[0])


def test_what_the_check_refuses_is_not_found():
    def refuse(content):
        raise checker.Refused("no")

    assert "undecided" == decided(NUMBERS, {"a": "2"}, refuse).outcome
    assert () == search(NUMBERS, refuse, strategy="grid", evaluations=5).found


def test_members_that_make_no_sense_do_not_end_a_search():
    """sqrt(a - 1) is no real number for a = 0."""
    table = {"map": {"state": ["x"], "next": ["2*x + theta*sqrt(a - 1)"]}, "parameters": {"theta": 0}}
    family = Family({**table, "unknowns": {"a": {"choices": [0, 2]}}, "claim": [{"kind": "diverges"}]})
    assert "senseless" == decided(family, {"a": "0"}).outcome
    assert {"found": 1, "senseless": 1} == search(family, checker.check, strategy="grid").outcomes


def test_a_family_without_a_sensible_member_is_bad_input():
    family = Family({**NUMBERS.table, "claim": [{"kind": "diverging"}]})
    with pytest.raises(InputError, match="unknown claim kind `diverging`"):
        search(family, checker.check)


def test_a_program_that_fails_at_a_member_is_reported(monkeypatch):
    def fail(self, subject):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(KINDS["diverges"], "decide", fail)
    result = search(NUMBERS, checker.check, strategy="grid", evaluations=3)
    assert {"failed": 3} == result.outcomes and "ZeroDivisionError: oh" == result.failure and () == result.found


def test_simplifying_finds_the_only_integer_that_grows():
    simple, finished = simplified(Work(NUMBERS, checker.check, 10.0), decided(NUMBERS, {"a": "97/64"}))
    assert {"a": "2"} == simple.values and simple.found and finished


def test_simplifying_ends_with_the_time_and_says_so():
    found = decided(NUMBERS, {"a": "97/64"})
    assert (found, False) == simplified(Work(NUMBERS, checker.check, 10.0), found, until=0.0)


def test_simplifying_keeps_what_nothing_simpler_proves():
    family = Family({**NUMBERS.table, "unknowns": {"a": {"range": ["41/40", "43/40"]}}})
    simple, _ = simplified(Work(family, checker.check, 10.0), decided(family, {"a": "1031/1000"}))
    assert "15/14" == simple.values["a"], "of the fractions between 41/40 and 43/40 it has the smallest denominator"


def test_instances_that_differ_by_scaling_or_reflection_count_once():
    """The function times c with the step over c, or read from right to left, gives the same Jacobians."""
    objective = "Piecewise((a*x**2/2, x >= 0), (b*x**2/2, True))"
    table = {**HEAVY_BALL.table, "algorithm": {**HEAVY_BALL.table["algorithm"], "objective": objective}}
    family = Family({**table, "unknowns": {name: {"range": ["0", "4"]} for name in "ab"}})
    first = decided(family, {"step": "1", "momentum": "3/4", "a": "1", "b": "1/4"})
    scaled = decided(family, {"step": "1/2", "momentum": "3/4", "a": "2", "b": "1/2"})
    reflected = decided(family, {"step": "1", "momentum": "3/4", "a": "1/4", "b": "1"})
    other = decided(family, {"step": "1", "momentum": "3/4", "a": "1", "b": "1/3"})
    assert {"1/2", "1"} == {d.values["step"] for d in distinct([scaled, other, reflected, first])}
    assert 2 == len(list(distinct([first, scaled, reflected, other])))


def found_with(kind, *pieces, **values):
    return Decision(values, "found", claims=({"kind": kind, "value": {}},), pieces=pieces)


def test_coordinates_in_other_units_or_another_order_count_once():
    first = [{"A": [["1/2", "2"], ["1/3", "0"]]}, {"A": [["1", "0"], ["3", "-1"]]}]
    scaled = [{"A": [["1/2", "-1"], ["-2/3", "0"]]}, {"A": [["1", "0"], ["-6", "-1"]]}]  # y is -2 y
    exchanged = [{"A": [["-1", "3"], ["0", "1"]]}, {"A": [["0", "1/3"], ["2", "1/2"]]}]
    other = [{"A": [["1/2", "1"], ["1/3", "0"]]}, {"A": [["1", "0"], ["3", "-1"]]}]
    texts = [likeness(found_with("diverges", *pieces)) for pieces in (first, scaled, exchanged, other)]
    assert texts[0] == texts[1] == texts[2] != texts[3]


def test_derivatives_count_where_claims_are_about_them():
    """Derivatives with respect to theta/3 are three times as large; those of one case are 0."""
    one, three, none = ({"A": [["1/2"]], "B": [[number]]} for number in ("1", "3", "0"))
    assert likeness(found_with("derivative", one)) == likeness(found_with("derivative", three))
    assert likeness(found_with("derivative", one)) != likeness(found_with("derivative", none))
    assert likeness(found_with("diverges", one)) == likeness(found_with("diverges", none))


def test_members_with_other_iterates_are_not_alike():
    piece = {"A": [["1/2"]], "B": [["0"]]}
    assert likeness(found_with("cycle", piece, s="1")) != likeness(found_with("cycle", piece, s="2"))
    irrational = {"A": [["sqrt(2)"]]}
    assert likeness(found_with("diverges", irrational, s="1")) != likeness(found_with("diverges", irrational, s="2"))


def test_heights_are_those_of_fractions_in_lowest_terms():
    assert (8, 12, 9) == heights({"a": "-7/8", "b": "2/3", "c": "0"})


def test_scores_are_logarithms_of_rates():
    """Of the single matrices 2 and 1/2 the logarithms to base 2 are 1 and -1."""
    work = Work(NUMBERS, checker.check, 10.0)
    assert (1, -1) == (pytest.approx(work.score({"a": "-2"})), pytest.approx(work.score({"a": "1/2"})))
    assert set(SCORES) <= set(KINDS)


def test_claims_about_the_words_of_iterates_have_the_scores_that_they_imply():
    """Words that iterates follow are some of all: what grows along them grows, what does not may grow elsewhere."""
    assert has_score(Diverges(words="realisable")) and not has_score(Converges(words="realisable"))


def scored(name, values):
    """The scores of a member of a ready family, by kind of claim."""
    case = load_family(READY[name]).member(values)
    return [SCORES[claim.kind](claim, case.subject()) for claim in case.claims]


def test_iterates_that_settle_have_positive_scores_and_those_that_grow_or_cycle_have_not():
    """With step 5 gradient descent on the slopes 1 and 1/4 has the cycle -4, 1; with step 9 it multiplies by 10."""
    diverges, settles = scored("heavy-ball-converges-and-diverges", PAPER)
    assert 0.04 < diverges < 0.05 and 0 < settles < 0.21, "no faster than the square root of the momentum"
    table = {**HEAVY_BALL.table, "algorithm": {**HEAVY_BALL.table["algorithm"], "momentum": "0"}}
    table |= {"claim": [{"kind": "iterates_converge"}], "algorithm": {**table["algorithm"], "step": {"range": [1, 9]}}}
    work = Work(Family(table), checker.check, 10.0)
    assert abs(work.score({"step": "5", "s": "1/4"})) < 1e-6
    assert work.score({"step": "9", "s": "1/4"}) == pytest.approx(-math.log2(10) / 2, rel=0.05)


def test_the_score_of_a_cycle_is_positive_where_there_is_one():
    """Lessard, Recht, Packard 2016: slopes 1 and 1/25, and the parameters that are optimal for quadratics."""
    values = {"step": "25/9", "momentum": "4/9", "s": "1/25", "start": "33/10"}
    assert scored("heavy-ball-cycles", values)[0] > 0 > scored("heavy-ball-cycles", {**values, "step": "1"})[0]


def test_the_score_of_a_missing_form_is_the_least_rate_of_one():
    """For [[1, 0], [1, 0]] and [[0, 1], [0, -1]] that is the square root of 2 (Ando, Shih 1998)."""
    pair = dict(zip("abcdefgh", ["1", "0", "1", "0", "0", "1", "0", "-1"], strict=True))
    assert scored("no-quadratic-certificate", pair)[1] == pytest.approx(0.5, abs=0.02)


def test_words_that_iterates_follow_are_seen_by_scores():
    """On the axis x is halved and y tripled; with the word 0 1 the growth is the square root of 3/2 * 2."""
    saddle = {"a": "1/2", "b": "0", "c": "3", "d": "0", "e": "1"}
    assert scored("realised-words", saddle)[0] == pytest.approx(math.log2(3))
    alternating = {"a": "-1/2", "b": "-1", "c": "3/2", "d": "2", "e": "1"}
    assert scored("realised-words", alternating)[0] == pytest.approx(math.log2(3) / 2)
    assert scored("realised-words", {**saddle, "a": "1"})[0] < 0, "nothing on the axis converges"


def test_results_do_not_depend_on_the_number_of_workers(tmp_path):
    kept = []
    for workers in (0, 1, 2, 4):
        path = tmp_path / f"{workers}.sqlite"
        if workers:
            with processes(workers) as executor:
                result = search(HEAVY_BALL, checker.check, executor, evaluations=96, workers=workers, results=path)
        else:
            result = search(HEAVY_BALL, checker.check, evaluations=96, results=path)
        kept.append((result, data(path)))
    assert all(kept[0] == other for other in kept) and kept[0][0].found


def run_to_the_end(path):
    search(PAIRS, checker.check, strategy="grid", evaluations=60, results=path, resume=True)


def test_killed_at_random_moments_and_resumed_it_ends_like_an_undisturbed_search(tmp_path):
    since = time.monotonic()
    run_to_the_end(tmp_path / "whole.sqlite")
    whole, generator = time.monotonic() - since, random.Random(1)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["piggycheck.search.run", "piggycheck.checker"])
    path = tmp_path / "killed.sqlite"
    moments = []
    for _ in range(20):
        process = context.Process(target=run_to_the_end, args=(path,))
        process.start()
        process.join(generator.uniform(0.02, 0.3) * max(whole, 0.2))
        if process.exitcode is None:
            os.kill(process.pid, signal.SIGKILL)
        process.join()
        moments.append(len(data(path)[0]) if tables(path) else 0)
    run_to_the_end(path)
    assert moments == sorted(moments) and data(tmp_path / "whole.sqlite") == data(path)


def tables(path):
    return path.exists() and sqlite_rows(path, "SELECT name FROM sqlite_master WHERE name = 'later'")


def test_what_was_finished_is_not_done_again(tmp_path):
    path, calls = tmp_path / "results.sqlite", []

    def check(content):
        calls.append(content)

    options = {"strategy": "grid", "results": path, "resume": True}
    first = search(NUMBERS, check, evaluations=11, **options)
    proofs = len(calls)
    assert first == search(NUMBERS, check, evaluations=11, **options) and proofs == len(calls) > 0
    assert 17 == search(NUMBERS, check, evaluations=17, **options).evaluations and proofs < len(calls)


def test_an_interrupted_search_returns_what_was_found_until_then(tmp_path):
    class Interrupted(Here):
        left = 9

        def submit(self, *call, **options):
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
            return super().submit(*call, **options)

    path = tmp_path / "results.sqlite"
    result = search(NUMBERS, checker.check, Interrupted(), strategy="grid", evaluations=25, results=path)
    assert result.interrupted and 0 < result.evaluations < 25 and result.found
    resumed = search(NUMBERS, checker.check, strategy="grid", evaluations=25, results=path, resume=True)
    assert resumed == search(NUMBERS, checker.check, strategy="grid", evaluations=25)


@pytest.mark.parametrize("strategy", ["grid", "random", "guided"])
def test_resumed_with_a_larger_budget_it_ends_like_a_search_that_had_it_at_once(strategy, tmp_path):
    """40 members end amid a unit of a guided search, which takes 32 at a time."""
    options = {"strategy": strategy, "results": tmp_path / "results.sqlite"}
    search(PAIRS, checker.check, evaluations=40, **options)
    resumed = search(PAIRS, checker.check, evaluations=70, resume=True, **options)
    assert resumed == search(PAIRS, checker.check, strategy=strategy, evaluations=70)


def test_no_more_work_is_begun_when_the_time_is_over():
    result = search(NUMBERS, checker.check, strategy="random", evaluations=None, seconds=0.2)
    assert 0 < result.evaluations < 10_000


def test_progress_tells_how_far_it_is_and_how_fast():
    told = []
    search(NUMBERS, checker.check, strategy="grid", evaluations=5, progress=told.append)
    assert "5 of 5 members, 3 proved" in told[4] and "per second" in told[4] and "s left" in told[4]


@pytest.mark.parametrize(
    "change, complaint",
    [
        ({"seed": 3}, "another seed `0`, not `3`"),
        ({"strategy": "random"}, "another strategy `grid`, not `random`"),
        ({"time_limit": 3}, "another time limit `10`, not `3`"),
        ({"family": PAIRS}, "another family;"),
        ({"resume": False}, "continue it with --resume"),
    ],
)
def test_results_of_another_search_are_refused_and_kept(tmp_path, change, complaint):
    results = tmp_path / "results.sqlite"
    options = {"family": NUMBERS, "strategy": "grid", "evaluations": 4, "results": results, "resume": True}
    search(check=checker.check, **options)
    before = data(results)
    with pytest.raises(StoreError) as caught:
        search(check=checker.check, **{**options, **change})
    assert complaint in str(caught.value) and before == data(results)


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database" * 100)
    with pytest.raises(StoreError, match="is no file of results"):
        Store(path, {}, resume=True)


def test_a_file_that_another_search_uses_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("piggycheck.search.store._SECONDS_TO_WAIT", 0.05)
    first = Store(tmp_path / "r.sqlite", {"family": "f"}, resume=False)
    with pytest.raises(StoreError, match="is used by another search"):
        Store(tmp_path / "r.sqlite", {"family": "f"}, resume=True)
    first.close()


def test_a_full_disk_is_one_line_and_what_was_written_is_kept(tmp_path):
    store = Store(tmp_path / "r.sqlite", {"family": "f"}, resume=False)
    store.connection.execute("PRAGMA max_page_count = 20")
    with pytest.raises(StoreError, match="the disk is full; what was finished before is kept"):
        for number in range(1000):
            store.record(number, 1, {"text": "x" * 1000})
    store.close()
    again = Store(tmp_path / "r.sqlite", {"family": "f"}, resume=True)
    assert list(range(number)) == [finished for finished, _ in again.units()]
    again.close()


def test_workers_that_die_are_one_line():
    with processes(1) as executor, pytest.raises(ExecutorError, match="the workers are gone"):
        list(completed(executor, 1, iter([("unit", (os._exit, 1))])))


def test_workers_end_with_the_process_that_has_them(tmp_path):
    family = READY["heavy-ball-two-slopes"]
    command = [sys.executable, "-m", "piggycheck.cli", "search", family, "--evaluations", "100000", "--workers", "2"]
    process = subprocess.Popen([*command, "--out", tmp_path], start_new_session=True)
    try:
        until = time.monotonic() + 60
        while len(group(process.pid)) < 5 and time.monotonic() < until:
            time.sleep(0.1)
        process.kill()
        process.wait()
        while group(process.pid) and time.monotonic() < until:
            time.sleep(0.1)
        assert not group(process.pid)
    finally:
        process.kill()


def group(leader):
    """The running processes of a session; Linux alone has them in files."""
    if not os.path.isdir("/proc/self"):
        pytest.skip("needs /proc")
    found = []
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                state, _, _, session = file.read().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(session) == leader and state != "Z":
            found.append(name)
    return found


CLUSTER = """
import sys
from pathlib import Path
from distributed import LocalCluster
from piggycheck import checker
from piggycheck.search import READY, dask_executor, load_family, search
with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
    with dask_executor(cluster.scheduler_address) as (executor, workers):
        assert workers == 2
        family = load_family(READY["heavy-ball-two-slopes"])
        search(family, checker.check, executor, evaluations=96, workers=workers, results=Path(sys.argv[1]))
"""


def test_a_dask_cluster_of_two_workers_gives_the_same_result(tmp_path):
    pytest.importorskip("distributed")
    command = [sys.executable, "-c", CLUSTER]
    subprocess.run([*command, str(tmp_path / "dask.sqlite")], check=True, capture_output=True, timeout=300)
    search(HEAVY_BALL, checker.check, evaluations=96, results=tmp_path / "here.sqlite")
    assert data(tmp_path / "here.sqlite") == data(tmp_path / "dask.sqlite")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense:::", "gopher://host:3", ""])
def test_a_scheduler_that_does_not_answer_is_one_line(address, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("piggycheck.search.executors._SECONDS_TO_ANSWER", 0.2)
    with pytest.raises(ExecutorError, match="no scheduler answers at") as caught, dask_executor(address):
        pass
    assert "\n" not in str(caught.value)


def test_what_answers_but_is_no_scheduler_is_one_line(monkeypatch):
    """A web server, such as the dashboard of the scheduler."""
    pytest.importorskip("distributed")
    monkeypatch.setattr("piggycheck.search.executors._SECONDS_TO_ANSWER", 0.5)

    class Refusing(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(b"HTTP/1.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"tcp://127.0.0.1:{server.server_address[1]}"
        with pytest.raises(ExecutorError, match="no scheduler answers at") as caught, dask_executor(address):
            pass
        server.shutdown()
    assert "\n" not in str(caught.value)


def test_without_the_extra_the_command_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ExecutorError, match=r"pip install 'piggycheck\[dask\]'"), dask_executor("tcp://host:1"):
        pass


def test_a_decision_reads_back_from_json():
    decision = decided(PAIRS, {"a": "2", "b": "1/2"})
    assert decision == Decision.of(json.loads(json.dumps(decision.content())))
