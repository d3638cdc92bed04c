"""The project's files agree: what is declared, what is locked, what the command line imports."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.licenses import canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKED = [
    PROJECT["dependencies"],
    PROJECT["optional-dependencies"]["dev"],
    PROJECT["optional-dependencies"]["onnx"],
]  # not ray and woff2: for one option each
DECLARED = [Requirement(line) for lines in LOCKED for line in lines]
LOCK_LINES = [
    pin
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    if (pin := line.partition("#")[0].strip())
]
LOCK = {canonicalize_name(pin.partition("==")[0]): pin.partition("==")[2] for pin in LOCK_LINES}
CUDA = re.compile(r"nvidia|cuda|triton")
REPLACED = {"opencv-python"}  # by opencv-python-headless: the same module cv2, without X11
OVERRULED = {"arabic-reshaper==2.1.3"}  # trdg asks for a withdrawn release


def problem(requirement: Requirement) -> str | None:
    """What the lock lacks for ``requirement``, or None."""
    name = canonicalize_name(requirement.name)
    version = LOCK.get(canonicalize_name("opencv-python-headless") if name in REPLACED else name)
    if version is None:
        return f"{requirement} is not locked"
    if not requirement.specifier.contains(version):
        return f"{requirement} is locked at {version}"
    return None


def needs(name: str) -> list[Requirement]:
    """What an installed package requires on this machine, extras left aside."""
    requirements = map(Requirement, metadata.requires(name) or [])
    return [r for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]


def test_lock_lines_are_exact_pins() -> None:
    pin = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*==\d+(\.\d+)+")
    assert [line for line in LOCK_LINES if not pin.fullmatch(line)] == []


def test_lock_is_sorted_and_names_each_package_once() -> None:
    names = [line.partition("==")[0] for line in LOCK_LINES]
    assert names == sorted(set(names))


@pytest.mark.parametrize("requirement", DECLARED, ids=str)
def test_lock_satisfies_every_declared_dependency(requirement: Requirement) -> None:
    assert problem(requirement) is None


@pytest.mark.parametrize("package", LOCK)
def test_lock_holds_everything_a_locked_package_needs(package: str) -> None:
    problems = [problem(r) for r in needs(package) if str(r) not in OVERRULED and not CUDA.match(r.name)]
    assert [text for text in problems if text] == []


def test_lock_has_no_cuda_package() -> None:
    assert [name for name in LOCK if CUDA.match(name)] == []


def test_only_one_locked_package_provides_cv2() -> None:
    assert [name for name in LOCK if name.startswith("opencv")] == ["opencv-python-headless"]


def test_albumentations_is_the_final_mit_release_and_its_agpl_successor_is_absent() -> None:
    names = [*LOCK, *(canonicalize_name(r.name) for r in DECLARED)]
    assert {name for name in names if name.startswith("albumentations")} == {"albumentations"}
    assert [str(r.specifier) for r in DECLARED if r.name == "albumentations"] == ["==2.0.8"]


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--version"]], ids=["import", "help", "version"])
def test_command_line_starts_with_nothing_heavier_than_click(arguments: list[str]) -> None:
    program = (
        "import sys; before = set(sys.modules); import glyphmix\n"
        f"if {arguments}: glyphmix.main({arguments}, prog_name='glyphmix', standalone_mode=False)\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*(new - sys.stdlib_module_names), file=sys.stderr)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert set(result.stderr.split()) <= {"click", "colorama", "curation", "glyphmix"}


def test_every_licence_of_what_is_shipped_is_declared_and_its_table_too() -> None:
    tables = ["fonts/LICENSES.md", "corpora/SOURCES.md", "synthgen/photos/LICENSES.md"]
    assert set(tables) < set(PROJECT["license-files"])
    shipped = {"Apache-2.0"}
    for table in tables:
        rows = [line.split(" | ") for line in (ROOT / table).read_text("utf-8").splitlines() if " | " in line]
        (column,) = {row.index("licence") for row in rows if "licence" in row}
        shipped |= {row[column] for row in rows if row[0].startswith("| ") and "." in row[0]}
    shipped = {"LicenseRef-public-domain" if name == "public domain" else name for name in shipped}
    assert set(PROJECT["license"].split(" AND ")) == shipped
    assert canonicalize_license_expression(PROJECT["license"]) == PROJECT["license"]
    for pattern in PROJECT["license-files"]:
        assert list(ROOT.glob(pattern)), pattern
