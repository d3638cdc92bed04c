"""Fetch and unpack the public packages that the shipped materials are taken from."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Package:
    """An unpacked package: its kind (`deb`, `npm`, `wheel`), name, version and folder."""

    kind: str
    name: str
    version: str
    folder: Path

    def member(self, path: str) -> Path:
        """Find one file by its path or, where the path is only a name, anywhere in the package."""
        direct = self.folder / path
        if direct.is_file():
            return direct
        found = sorted(f for f in self.folder.rglob(path) if f.is_file() and not f.is_symlink())
        if not found:
            raise FileNotFoundError(f"{self.kind}:{self.name} {self.version} has no file {path}")
        return found[0]


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def folders(doc: str | None, default_out: str) -> tuple[Path, Path]:
    """Parse the two options that every script here takes, and return (cache, out)."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="folder for downloaded packages")
    parser.add_argument("--out", type=Path, default=Path(default_out), help=f"default: {default_out}")
    arguments = parser.parse_args()
    return arguments.cache, arguments.out


def fetch(kind: str, name: str, cache: Path) -> Package:
    """Download a package once through its own client, unpack it under `cache`, and return it."""
    folder = cache / kind / name.replace("/", "__")
    if not folder.is_dir():
        partial = folder.with_name(folder.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        {"deb": _unpack_deb, "npm": _unpack_npm, "wheel": _unpack_wheel}[kind](name, partial)
        partial.rename(folder)
    return Package(kind=kind, name=name, version=_version(kind, folder), folder=folder)


def _unpack_deb(name: str, folder: Path) -> None:
    subprocess.run(["apt-get", "download", "-qq", name], cwd=folder, check=True)
    archive = next(folder.glob("*.deb"))
    subprocess.run(["dpkg-deb", "--extract", archive.name, "."], cwd=folder, check=True)
    version = subprocess.check_output(["dpkg-deb", "-f", archive.name, "Version"], cwd=folder)
    (folder / "VERSION").write_bytes(version)
    archive.unlink()


def _unpack_npm(name: str, folder: Path) -> None:
    subprocess.run(["npm", "pack", "--silent", name], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    archive = next(folder.glob("*.tgz"))
    subprocess.run(["tar", "xzf", archive.name, "--strip-components=1"], cwd=folder, check=True)
    archive.unlink()


def _unpack_wheel(name: str, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", name]
    subprocess.run(command, cwd=folder, check=True)
    wheel = next(folder.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    (folder / "VERSION").write_text(wheel.name.split("-")[1], encoding="utf-8")
    wheel.unlink()


def _version(kind: str, folder: Path) -> str:
    if kind == "npm":
        return str(json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"])
    return (folder / "VERSION").read_text(encoding="utf-8").strip()
