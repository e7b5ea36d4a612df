"""Time the commands as a user sees them, in multiples of an empty Python process measured in the same run."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

HEAVY_BALL = Path(__file__).resolve().parent.parent / "casebook" / "heavy-ball-1d"
PIGGYCHECK = [sys.executable, "-c", "from piggycheck.cli import main; main()"]


def best_time(command: list[str], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        times.append(time.perf_counter() - start)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="how often each command runs; the best time counts")
    repeats = parser.parse_args().repeats
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "piggycheck --help": [*PIGGYCHECK, "--help"],
        "piggycheck check, heavy ball": [*PIGGYCHECK, "check", str(HEAVY_BALL / "certificate.json")],
        "piggycheck prove, heavy ball": [*PIGGYCHECK, "prove", "--json", str(HEAVY_BALL / "case.toml")],
    }
    times = {name: best_time(command, repeats) for name, command in commands.items()}
    empty = times["python -c pass"]
    for name, seconds in times.items():
        print(f"{name:<30} {seconds:8.3f} s {seconds / empty:8.1f} x")


if __name__ == "__main__":
    main()
