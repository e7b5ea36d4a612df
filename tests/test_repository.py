"""What must hold of the repository as a whole: its rooms, its dependencies, its weight."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

import piggycheck

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "piggycheck"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

LINEAR_ALGEBRA = {"arrays", "definite", "feasibility", "intervals", "linalg", "norms", "roots", "spectra"}
LINEAR_ALGEBRA |= {"common_roots"}
LEFT_WING = {"maps", "functions", "algorithms", "iteration", "fixed_points", "transitions", "piggyback"}
LEFT_WING |= {"cycles", "enclosures", "realised", "star_polygon", "trajectories"}
RIGHT_WING = {"switched", "stability", "limits"}
BELOW_CLAIMS = {"rates", "errors", "arithmetic", "expression", "layered_text"} | LINEAR_ALGEBRA | LEFT_WING | RIGHT_WING

MAY_IMPORT = {
    "errors": set(),
    "arithmetic": {"errors"},
    "linalg": {"errors", "arithmetic"} | LINEAR_ALGEBRA,
    "arrays": {"errors", "arithmetic", "norms", "spectra"},
    "common_roots": {"errors", "arithmetic"},
    "definite": {"errors"},
    "norms": {"errors"},
    "spectra": {"errors", "linalg"},
    "feasibility": {"errors", "arithmetic"} | LINEAR_ALGEBRA,
    "intervals": {"errors", "arithmetic"} | LINEAR_ALGEBRA,
    "roots": {"errors", "arithmetic"} | LINEAR_ALGEBRA,
    "expression": {"errors"},
    "maps": {"errors", "arithmetic", "expression"} | LINEAR_ALGEBRA,
    "layered_text": {"errors", "arithmetic", "expression", "maps"} | LINEAR_ALGEBRA,
    "functions": {"errors", "arithmetic", "expression", "maps"} | LINEAR_ALGEBRA,
    "algorithms": {"errors", "arithmetic", "expression", "maps", "functions", "iteration"} | LINEAR_ALGEBRA,
    "iteration": {"errors", "arithmetic", "expression", "maps"} | LINEAR_ALGEBRA,
    "fixed_points": {"errors", "arithmetic", "expression", "maps", "iteration", "switched"} | LINEAR_ALGEBRA,
    "transitions": {"errors", "arithmetic", "expression", "maps", "iteration", "fixed_points", "switched"}
    | LINEAR_ALGEBRA,
    "realised": {"errors", "arithmetic", "switched", "transitions"} | LINEAR_ALGEBRA,
    "star_polygon": {"errors", "transitions"} | LINEAR_ALGEBRA,
    "piggyback": {"errors", "arithmetic", "expression", "maps", "iteration"} | LINEAR_ALGEBRA,
    "enclosures": {"errors", "arithmetic", "maps", "iteration", "fixed_points", "piggyback"} | LINEAR_ALGEBRA,
    "trajectories": {"errors", "arithmetic", "expression", "maps", "iteration"} | LINEAR_ALGEBRA,
    "cycles": {"errors", "arithmetic", "maps", "iteration", "fixed_points", "switched", "trajectories"}
    | LINEAR_ALGEBRA,
    "switched": {"errors", "arithmetic"} | LINEAR_ALGEBRA,
    "stability": {"errors", "arithmetic", "switched"} | LINEAR_ALGEBRA,
    "limits": {"errors", "arithmetic", "switched", "stability"} | LINEAR_ALGEBRA,
    "rates": {"errors", "arithmetic", "expression", "maps", "iteration", "fixed_points", "piggyback", "switched"}
    | {"stability", "limits"}
    | LINEAR_ALGEBRA,
    "practice": {"errors", "fixed_points", "limits", "maps", "switched", "derivation", "render"} | LINEAR_ALGEBRA,
    "certificates": {"errors", "arithmetic"},
    "derivation": {"errors"},
    "claims": BELOW_CLAIMS | {"certificates", "derivation", "practice", "render"},
    "render": {"errors", "arithmetic", "expression", "derivation", "certificates"} | LINEAR_ALGEBRA,
    "data": {"errors", "arithmetic"} | LINEAR_ALGEBRA,
    "case": BELOW_CLAIMS | {"claims", "data"},
    "checker": set(),
    "search": BELOW_CLAIMS | {"case", "certificates", "claims", "derivation", "render"},
    "regions": BELOW_CLAIMS | {"case", "certificates", "search"},
    "cli": BELOW_CLAIMS | {"case", "certificates", "checker", "claims", "derivation", "regions", "render", "search"},
}
"""Which rooms a room may import, itself aside; `claims` imports `render` for the text of a verdict alone."""

IMPORT_NAMES = {"python-flint": "flint"}
NEVER_IMPORTED = {"gmpy2"}  # sympy and mpmath compute with it when it is there
HEAVY = {"sympy", "scipy", "matplotlib", "numpy", "flint", "mpmath", "clarabel", "jinja2"}


def sources(folder):
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


@cache
def imports(path):
    """List the modules that a file imports, anywhere in it."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 or room(path) == "checker", f"{path}: a relative import"
            module = f"piggycheck.{room(path)}.{node.module}" if node.level else node.module
            found += [f"{module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_module":
            found += [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
    return found


def room(path):
    relative = path.relative_to(PACKAGE)
    return relative.parts[0].removesuffix(".py")


def imported_rooms(path):
    names = [name.split(".") for name in imports(path) if name.split(".")[0] == "piggycheck"]
    return {parts[1] for parts in names if len(parts) > 1 and parts[1] in MAY_IMPORT}


def third_party(paths):
    names = {name.split(".")[0] for path in paths for name in imports(path)}
    return names - set(sys.stdlib_module_names) - {"piggycheck"}


def declared(requirements):
    names = {re.match(r"[A-Za-z0-9-]+", requirement).group().lower() for requirement in requirements}
    return {IMPORT_NAMES.get(name, name) for name in names}


def test_the_version_is_stated_once_and_the_same():
    assert PROJECT["version"] == piggycheck.__version__


def test_the_changelog_knows_the_version():
    assert f"## {piggycheck.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_dependency_is_imported_and_every_import_declared():
    needed = declared(PROJECT["dependencies"]) - NEVER_IMPORTED
    assert needed | declared(PROJECT["optional-dependencies"]["dask"]) == third_party(sources(PACKAGE))


def test_every_requirement_has_a_lower_bound():
    extras = [requirement for group in PROJECT["optional-dependencies"].values() for requirement in group]
    for requirement in PROJECT["dependencies"] + extras:
        assert ">=" in requirement, requirement


def test_the_tests_import_what_the_extra_declares():
    local = {path.stem for path in sources(ROOT / "tests")} | {"tests"}
    extra = declared(PROJECT["optional-dependencies"]["test"]) | declared(PROJECT["dependencies"])
    assert third_party(sources(ROOT / "tests")) - local <= extra


def test_the_table_of_rooms_is_complete():
    assert {room(path) for path in sources(PACKAGE)} - {"__init__", "__main__"} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", sources(PACKAGE), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_what_lies_before_it(path):
    own = room(path)
    if own in ("__init__", "__main__"):
        return
    assert imported_rooms(path) - {own} <= MAY_IMPORT[own]


def test_the_wings_do_not_know_each_other():
    """The right wing knows no algorithm, the left wing no spectral radius; they meet in the switched system."""
    for path in sources(PACKAGE):
        if room(path) in RIGHT_WING:
            assert not imported_rooms(path) & LEFT_WING, path
        if room(path) in LEFT_WING:
            assert "stability" not in imported_rooms(path), path


def test_the_checker_needs_the_standard_library_alone():
    for path in sources(PACKAGE / "checker"):
        assert third_party([path]) == set() and imported_rooms(path) <= {"checker"}, path


def test_only_the_command_line_imports_the_checker():
    for path in sources(PACKAGE):
        if room(path) not in ("cli", "checker", "__init__", "__main__"):
            assert "checker" not in imported_rooms(path), path


def test_a_copy_of_the_checker_runs_without_the_package(tmp_path):
    copy = shutil.copytree(PACKAGE / "checker", tmp_path / "copied", ignore=shutil.ignore_patterns("__pycache__"))
    certificates = sorted(ROOT.glob("casebook/*/*.json"))
    assert certificates
    command = [sys.executable, "-I", "-S", "-W", "error", str(copy), *map(str, certificates)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", ["piggycheck", "piggycheck.cli", "piggycheck.checker"])
def test_importing_the_light_modules_loads_nothing_heavy(module):
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & {HEAVY}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("arguments", [["--help"], ["prove", "--help"], ["check", "CERTIFICATE"]])
def test_help_and_check_load_nothing_heavy(arguments):
    certificate = str(next(iter(sorted(ROOT.glob("casebook/*/*.json")))))
    arguments = [certificate if argument == "CERTIFICATE" else argument for argument in arguments]
    code = f"""
import atexit, os, sys
from piggycheck.cli import main
sys.argv = ["piggycheck", *{arguments!r}]
atexit.register(lambda: print("HEAVY", *sorted(set(sys.modules) & {HEAVY})))
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].split() == ["HEAVY"]


@pytest.mark.parametrize(
    "marker, arguments",
    [
        ("from its answer", ["prove", ROOT / "casebook/heavy-ball-1d/case.toml"]),
        ("From the answer", ["prove", ROOT / "casebook/lasso-50-variables/case.toml"]),
        ("from its report", ["prove", ROOT / "casebook/relu-of-the-parameter/case.toml"]),
        ("the first of them", ["search", "heavy-ball-two-slopes", "--evaluations", "96", "--out", "found"]),
        ("on two cores", ["map", "heavy-ball-step-and-momentum", "--smallest", "1/256"]),
    ],
)
def test_the_readme_shows_what_the_command_prints(marker, arguments, tmp_path):
    shown = (ROOT / "README.md").read_text().split(f"{marker}:\n\n```text\n")[1].split("```")[0]
    command = [sys.executable, "-m", "piggycheck.cli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode in (0, 2), done.stderr  # 2 is said of a map with cells that are undecided
    printed = done.stdout
    shown, printed = (re.sub(r"10\^-3\d", "10^-3…", text) for text in (shown, printed))  # depends on the machine
    assert set(shown.splitlines()) <= set(printed.splitlines())


def test_links_in_the_documentation_lead_to_files():
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            assert target.startswith("https://") or (page.parent / target).is_file(), f"{page}: {target}"


def test_the_public_names_are_what_they_say_in_whatever_order_they_are_used():
    """The function `fixed_points` lives in a module of the same name, which imports put in its place."""
    code = "import piggycheck as pc; pc.prove; import piggycheck.fixed_points; print(callable(pc.fixed_points))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"]
    assert all(hasattr(piggycheck, name) for name in piggycheck.__all__)


def written_files():
    roots = ["pyproject.toml", "Makefile", "README.md", "CHANGELOG.md", "LICENSE", ".ci/run", ".ci/system"]
    yield from (ROOT / name for name in roots)
    for folder in ("piggycheck", "tests", "docs", "casebook", "benchmarks"):
        for path in (ROOT / folder).rglob("*"):
            made = any(part.startswith((".", "_build", "__pycache__")) for part in path.relative_to(ROOT).parts)
            if path.is_file() and not made:
                yield path


def test_no_file_names_a_place_on_somebodys_machine_or_an_index_of_packages():
    place = re.compile(r"/(?:home|root|tmp|Users|work|opt)/|\bpypi\.(?:org|python)|index-url|\.\./shared")
    for path in written_files():
        found = place.search(path.read_bytes().decode("utf-8", errors="ignore"))
        assert found is None or path == Path(__file__), f"{path}: {found}"


@pytest.mark.parametrize("path", sources(PACKAGE), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_public_function_and_class_has_a_docstring(path):
    """Public means: named in the `__all__` of its module."""
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree) or path.name == "__main__.py", path
    public = {
        element.value
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
        for element in getattr(node.value, "elts", [])
        if isinstance(element, ast.Constant)
    }
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in public:
            assert ast.get_docstring(node), f"{path.name}: {node.name}"
