"""The option --slow, for long soundness searches; random examples, the same each time; commands run, figures drawn."""

from __future__ import annotations

import sys

import pytest
from hypothesis import settings

from piggycheck import cli

settings.register_profile("piggycheck", deadline=None, derandomize=True, database=None)
settings.load_profile("piggycheck")


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command; return its exit code, standard output and standard error."""

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["piggycheck", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        captured = capsys.readouterr()
        return stop.value.code, captured.out, captured.err

    return command


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were written."""
    from matplotlib.figure import Figure

    found = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (save(self, *a, **k), found.append(self)))
    return found


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run the tests marked slow, too")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--slow"):
        return
    slow = [item for item in items if "slow" in item.keywords]
    items[:] = [item for item in items if "slow" not in item.keywords]
    config.hook.pytest_deselected(items=slow)
