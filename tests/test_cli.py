"""The command line: its help, and what a user reads when something is mistyped."""

from __future__ import annotations

import errno
import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from word_sets import write_labels

import glyphmix
from curation.core.errors import UserError
from glyphmix import COMMANDS, main

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "cv2", "albumentations", "datasets", "trdg", "pyarrow", "scipy", "numpy"}

HELP = """\
Usage: glyphmix [OPTIONS] COMMAND [ARGS]...

  Render synthetic word images, mix them with real ones, and measure what helps.

Options:
  --version   Show the version and exit.
  -h, --help  Show this message and exit.

Commands:
  demo           Render, mix, train, evaluate and report, small, in minutes.
  render         Draw synthetic word images from a recipe.
  preview        Draw a contact sheet of what a recipe makes.
  palette        Learn text and background colours from word crops.
  fonts          List fonts, and what each of them can draw.
  import         Turn a published set into a dataset.
  export         Write a dataset as LMDB or for the Hub, a recognizer as ONNX.
  inspect        Count and show what a dataset holds.
  verify         Check every shard and row, and save what is whole.
  filter         Leave words out by a recipe, each with a reason.
  dedupe         Leave copies out, across all sets at once.
  decontaminate  Drop words to train on that copy words of a test.
  curate         Go from publishers' files to a clean mixture.
  mix            Select words from datasets at an exact ratio.
  materialise    Write the words of a mixture in order.
  train          Train a recognizer on a mixture.
  evaluate       Measure a trained recognizer on datasets.
  read           Read words on pictures with a trained recognizer.
  suspects       Find words that are probably labelled wrongly.
  ablate         Run a study: many mixtures, one cause.
  laws           Fit how accuracy moves in a study.
  report         Write a study's page and print its table.
"""


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args], prog_name="glyphmix")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help(flag: str) -> None:
    assert (run(flag).exit_code, run(flag).output) == (0, HELP)


@pytest.fixture(scope="module")
def asked_for_help() -> dict[str, Any]:
    """The help of every command and the packages that it took, in a process of its own.

    click keeps the help option that a command was first used with, and other tests use some without ``main``.
    """
    program = (
        "import contextlib, io, json, sys\n"
        "from glyphmix import COMMANDS, main\n"
        "helps = {}\n"
        "for name in COMMANDS:\n"
        "    with contextlib.redirect_stdout(io.StringIO()) as said:\n"
        "        main([name, '--help'], prog_name='glyphmix', standalone_mode=False)\n"
        "    helps[name] = said.getvalue()\n"
        "packages = sorted({name.partition('.')[0] for name in sys.modules})\n"
        "print(json.dumps({'helps': helps, 'packages': packages}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command(name: str, asked_for_help: dict[str, Any]) -> None:
    said = asked_for_help["helps"][name]
    assert said.startswith(f"Usage: glyphmix {name} ")
    assert "-h, --help" in said
    assert COMMANDS[name][1].endswith(".")
    documented = re.findall(r"^  (-\w|--[\w-]+)", said, re.MULTILINE)
    options = [p for p in command(name).params if isinstance(p, click.Option)]
    assert [o for o in options if not o.help] == [], "every option says what it is for"
    assert set(documented) == {o.opts[0] for o in options} | {"-h"}


@pytest.mark.parametrize("name", COMMANDS)
def test_shared_options_mean_the_same_everywhere(name: str) -> None:
    flags = {"out": ["-o", "--out"], "jobs": ["-j", "--jobs"], "seed": ["--seed"], "dry_run": ["--dry-run"]}
    for parameter in command(name).params:
        if isinstance(parameter, click.Option) and parameter.name in flags:
            assert parameter.opts == flags[parameter.name]
            if parameter.name == "seed":
                assert parameter.default == 0


def command(name: str) -> click.Command:
    found = glyphmix.Commands("glyphmix").get_command(click.Context(main), name)
    assert found is not None
    return found


def test_help_of_every_command_imports_nothing_heavy(asked_for_help: dict[str, Any]) -> None:
    assert HEAVY & set(asked_for_help["packages"]) == set()


def test_unknown_command() -> None:
    result = run("rendr")
    assert result.exit_code == 2
    assert result.stderr == (
        "Usage: glyphmix [OPTIONS] COMMAND [ARGS]...\n"
        "Try 'glyphmix --help' for help.\n\n"
        "Error: unknown command 'rendr'. Did you mean 'render' or 'read'?\n"
    )
    known = ", ".join(sorted(COMMANDS))
    assert run("zzz").stderr.splitlines()[-1] == f"Error: unknown command 'zzz'. Known: {known}."


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("mix", "x.toml"), "Missing option '-o' / '--out'."),
        (("mix", "-o", "out"), "Missing argument 'RECIPE'."),
        (("mix", "x.toml", "-o", "out", "--sede", "1"), "No such option '--sede'. Did you mean '--seed'?"),
        (
            ("mix", "x.toml", "-o", "out", "--seed", "-1"),
            "Invalid value for '--seed': -1 is not in the range x>=0.",
        ),
        (
            ("mix", "x.toml", "-o", "out", "--seed", "one"),
            "Invalid value for '--seed': 'one' is not a valid integer range.",
        ),
    ],
)
def test_mistaken_options(args: tuple[str, ...], message: str) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {message}"


def test_version() -> None:
    try:
        installed = metadata.version("glyphmix")
    except metadata.PackageNotFoundError:
        pytest.skip("glyphmix is not installed here; make test installs it")
    assert run("--version").output == f"glyphmix, version {installed}\n"


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    write_labels(tmp_path / "words", 5)
    path = tmp_path / "mix.toml"
    path.write_text(f'[[sources]]\nname = "real"\npaths = ["{tmp_path / "words"}"]\n', encoding="utf-8")
    return path


def test_misspelt_recipe_key(recipe: Path, tmp_path: Path) -> None:
    recipe.write_text(recipe.read_text(encoding="utf-8") + "wieght = 3\n", encoding="utf-8")
    result = run("mix", recipe, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == "Error: unknown key 'wieght' in mix.toml, sources[0]. Did you mean 'weight'?\n"
    assert not (tmp_path / "out").exists()


def test_existing_output(recipe: Path, tmp_path: Path) -> None:
    result = run("mix", recipe, "-o", tmp_path / "words")
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: output {tmp_path / 'words'} exists already. Remove it or give another name with -o.\n"
    )


def test_unwritable_output(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()  # not even root can write below a file
    result = run("mix", recipe, "-o", tmp_path / "file" / "out")
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: cannot use {tmp_path / 'file' / 'out'}: Not a directory. Check the path.\n"
    )


def test_dry_run_writes_nothing(recipe: Path, tmp_path: Path) -> None:
    result = run("mix", recipe, "-o", tmp_path / "out", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "would write 5 positions" in result.stdout
    assert not (tmp_path / "out").exists()


def raising(error: BaseException) -> click.Command:
    @click.command()
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (UserError("photo 7 is gone. Restore it."), 1, "Error: photo 7 is gone. Restore it.\n"),
        (
            PermissionError(errno.EACCES, "Permission denied", "out/x"),
            1,
            "Error: cannot use out/x: Permission denied. Check the path.\n",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            1,
            "Error: the disk is full. Free some space and run the same command again: "
            "what was finished is kept.\n",
        ),
        (
            OSError(errno.EDQUOT, "Disk quota exceeded", "out/x"),
            1,
            "Error: the disk is full, writing to out/x. Free some space and run the same command again: "
            "what was finished is kept.\n",
        ),
        (KeyboardInterrupt(), 1, "\nAborted!\n"),
    ],
)
def test_errors_are_one_line_without_a_traceback(
    error: BaseException, status: int, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glyphmix.Commands, "get_command", lambda self, ctx, name: raising(error))
    result = run("render")
    assert (result.exit_code, result.stderr) == (status, text)


def test_mistakes_of_ours_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glyphmix.Commands, "get_command", lambda self, ctx, name: raising(KeyError("x")))
    assert isinstance(run("render").exception, KeyError)
