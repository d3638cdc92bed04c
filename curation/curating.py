"""From publishers' files to a mixture, stage by stage, each of which can be interrupted and gone on with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation import mixing
from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.files import read_json, whole_folder, write_json
from curation.core.fingerprint import git_commit, versions
from curation.core.lock import alone_at
from curation.core.recipe import resolved
from curation.core.shards import is_finished
from curation.core.text import aligned, counted
from curation.curate_recipe import CurationRecipe, PublishedSet, mix_recipe
from curation.decontaminate import decontaminate
from curation.dedupe import dedupe
from curation.filtering import filter_datasets
from curation.importing import Source, import_set
from curation.sources import sources_of

FORMAT = 1
RECORD = "curation.json"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One curation.

    Attributes:
        spec: The recipe.
        name: Its name, for messages.
        data: The folder of raw sets.
        out: Where all stages are written: ``sets/NAME``, ``tests/NAME``, ``filtered``, ``unique``, ``clean``,
            ``mixture`` and ``curation.json``.
        seed: Seed of the mixture and of caps.
        jobs: Worker processes.
        skip_absent: Whether sets that are not below ``data`` are passed over.
    """

    spec: CurationRecipe
    name: str
    data: Path
    out: Path
    seed: int = 0
    jobs: int = 1
    skip_absent: bool = False


def curate(job: Job, say: Callable[[str], object] = lambda text: None) -> dict[str, Any]:
    """Import, filter, deduplicate, decontaminate and mix what the recipe names.

    Finished stages are kept, and a rerun goes on after the last of them.

    Args:
        job: What to do.
        say: Called with a sentence about each stage as it ends.

    Returns:
        What ``curation.json`` holds: the recipe, and for each set how many of its words every stage left.

    Raises:
        UserError: sets are absent and may not be, ``out`` holds another curation, or a stage fails.
    """
    present, absent = look(job)
    record = {
        "recipe": resolved(job.spec),
        "seed": job.seed,
        "sets": [one.name for one in present],
        "versions": versions(),
    }
    with alone_at(job.out):
        _begin(job.out, record)
        folders = {one.name: _import(job, one, say) for one in present}
        named = _sources(job, folders)
        counts: dict[str, Counter[str]] = {}
        clean = _clean(job, [one for one in job.spec.sets if one.name in folders], folders, counts, say)
        left = next(reversed(counts.values()), Counter())
        there = {name: [source for source in names if left[source]] for name, names in named.items()}
        mixture = _mix(job, folders, clean, there, say)
        facts = {
            "format": FORMAT,
            "kind": "curation",
            **record,
            "absent": [one.name for one in absent],
            "funnel": _funnel(job, folders, named, counts, mixture),
            "git_commit": git_commit(),
        }
        write_json(job.out / RECORD, facts)
    return facts


def look(job: Job) -> tuple[list[PublishedSet], list[PublishedSet]]:
    """Tell which sets of the recipe lie below the folder of raw sets, and which do not.

    Raises:
        UserError: there is no such folder, sets are absent that may not be (the message lists them), one that
            is there lacks its annotations, or the mixture cannot do without one that is absent.
    """
    if not job.data.is_dir():
        raise UserError(f"folder {job.data} does not exist. Give the folder of raw sets with --data.")
    wanted = [*job.spec.sets, *job.spec.tests]
    absent = [one for one in wanted if not (job.data / one.path).exists()]
    if absent and not job.skip_absent:
        lines = "".join(
            f"\n  {one.name}: {job.data / one.path}  {one.importer(job.name).url}".rstrip() for one in absent
        )
        raise UserError(
            f"{len(absent)} of the {len(wanted)} sets of {job.name} are absent. "
            f"Put them where the recipe expects them, or leave them out with --skip-absent:{lines}"
        )
    present = [one for one in wanted if one not in absent]
    if not any(one in present for one in job.spec.sets):
        raise UserError(f"not one training set of {job.name} lies below {job.data}. Check --data.")
    _check(job, present, absent)
    return present, absent


def _check(job: Job, present: Sequence[PublishedSet], absent: Sequence[PublishedSet]) -> None:
    """Find out at once what would end the work after hours."""
    for one in present:
        one.importer(job.name).inputs(job.data / one.path, one.split)
    if job.spec.mix is not None and absent:
        there = {one.name: Path(one.name) for one in present if one in job.spec.sets}
        try:
            mix_recipe(job.spec, there, None, where=job.name)
        except UserError as error:
            names = ", ".join(one.name for one in absent)
            raise UserError(f"{error} The mixture cannot do without the absent sets: {names}.") from None


def _begin(out: Path, record: Mapping[str, Any]) -> None:
    """Note what ``out`` is for, or see that it is for the same."""
    note = out / ".curation.json"
    if not out.exists():
        with whole_folder(out) as draft:  # never without its note, so that it can always go on
            write_json(draft / note.name, record)
    elif not note.is_file():
        raise UserError(f"output {out} exists already and is no curation. Give another name with -o.")
    elif (found := read_json(note)) != record:
        keys = ", ".join(sorted(key for key in {*found, *record} if found.get(key) != record.get(key)))
        raise UserError(
            f"output {out} holds a curation that differs in: {keys}. "
            "Repeat the command it was begun with, or give another name with -o."
        )


def _import(job: Job, one: PublishedSet, say: Callable[[str], object]) -> Path:
    folder = job.out / ("tests" if one in job.spec.tests else "sets") / one.name
    importer = one.importer(job.name)
    source = Source(importer=importer, src=job.data / one.path, split=one.split, name=one.name)
    if is_finished(folder):
        found = Dataset.open(folder).manifest
        if found["inputs"] != importer.inputs(source.src, source.split):
            raise UserError(
                f"{source.src} has changed since {folder} was made of it. "
                f"Give another name with -o, or remove {job.out}."
            )
        return folder
    folder.parent.mkdir(exist_ok=True)
    manifest = import_set(source, folder, max_dropped=one.max_dropped, jobs=job.jobs)
    say(f"{one.name}: imported {manifest['n_rows']:,} of {manifest['found']:,} annotated words")
    for warning in manifest["warnings"]:
        say(f"warning: {one.name}: {warning}")
    return folder


def _sources(job: Job, folders: Mapping[str, Path]) -> dict[str, list[str]]:
    """What the rows of each set have in the column ``source``: its name, unless they were ours before.

    Raises:
        UserError: two of the sets that become one dataset have such a name in common.
    """
    spec = job.spec
    named = {name: sorted(_rows_by_source(folder)) for name, folder in folders.items()}
    if (spec.filter, spec.dedupe, spec.decontaminate) == (None, None, None):
        return named
    owner: dict[str, str] = {}
    for one in spec.sets:
        for source in named.get(one.name, []) if one.clean else ():
            if (other := owner.setdefault(source, one.name)) != one.name:
                raise UserError(
                    f"the sets {other!r} and {one.name!r} of {job.name} both have words of the source "
                    f"{source!r}, and could not be told apart. "
                    "Leave one out, or make one dataset of both first."
                )
    return named


def _clean(
    job: Job,
    sets: Sequence[PublishedSet],
    folders: Mapping[str, Path],
    counts: dict[str, Counter[str]],
    say: Callable[[str], object],
) -> Path | None:
    """Run the stages that the recipe names on all clean sets together; return the last one's dataset."""
    spec, jobs, now = job.spec, job.jobs, [folders[one.name] for one in sets if one.clean]
    tests = [Dataset.open(folders[one.name]) for one in spec.tests if one.name in folders]
    last = None
    for stage, wanted, work in (
        ("filtered", spec.filter, lambda d, out: filter_datasets(spec.filter, d, out, jobs=jobs)),
        ("unique", spec.dedupe, lambda d, out: dedupe(d, out, spec.dedupe, jobs=jobs)),
        (
            "clean",
            spec.decontaminate if tests else None,
            lambda d, out: decontaminate(d, tests, out, spec.decontaminate, jobs=jobs),
        ),
    ):
        if wanted is None or not now:
            continue
        last = job.out / stage
        if not is_finished(last):
            manifest = work([Dataset.open(path) for path in now], last)
            left_out = counted(manifest["rejected_by_reason"], none="nothing")
            say(f"{stage}: {manifest['n_rows']:,} words; left out: {left_out}")
        counts[stage] = _rows_by_source(last)
        now = [last]
    return last


def _mix(
    job: Job,
    folders: Mapping[str, Path],
    clean: Path | None,
    there: Mapping[str, Sequence[str]],
    say: Callable[[str], object],
) -> dict[str, Any] | None:
    if job.spec.mix is None:
        return None
    out = job.out / "mixture"
    if (out / "manifest.json").is_file():
        return dict(read_json(out / "manifest.json"))
    train = {one.name: folders[one.name] for one in job.spec.sets if one.name in folders}
    recipe = mix_recipe(job.spec, train, clean, where=job.name, there=there)
    manifest = mixing.mix(recipe, out, seed=job.seed)
    say(f"mixture: {manifest['n_positions']:,} positions, fingerprint {manifest['fingerprint'][:16]}")
    return manifest


def _rows_by_source(folder: Path) -> Counter[str]:
    """Count the rows of a dataset by their column ``source``."""
    counts: Counter[str] = Counter()
    for entry in sources_of(Dataset.open(folder)):
        counts[entry["name"]] += entry["rows"]
    return counts


def _funnel(
    job: Job,
    folders: Mapping[str, Path],
    named: Mapping[str, Sequence[str]],
    counts: Mapping[str, Counter[str]],
    mixture: Mapping[str, Any] | None,
) -> list[dict[str, Any]]:
    """For each training set: what was expected and annotated, what each stage left, and what is mixed."""
    mixed = {source["name"]: source for source in mixture["sources"]} if mixture else {}
    rows = []
    for one in job.spec.sets:
        row: dict[str, Any] = {"name": one.name, "group": one.group, "expected": one.expected}
        if one.name in folders:
            dataset = Dataset.open(folders[one.name])
            row |= {"annotated": dataset.manifest["found"], "imported": len(dataset)}
            for stage, left in counts.items() if one.clean else ():
                row[stage] = sum(left[source] for source in named[one.name])
            if one.name in mixed:
                row["mixed"] = mixed[one.name]["positions"]
        rows.append(row)
    return rows


def as_text(facts: Mapping[str, Any]) -> str:
    """Lay the funnel out as a table, and name the test sets whose words nobody looked for."""
    head = ["set", "group", "expected", "annotated", "imported", "filtered", "unique", "clean", "mixed"]
    keys = ["name", *head[1:]]
    used = [i for i, key in enumerate(keys) if any(row.get(key) not in (None, "") for row in facts["funnel"])]
    lines = [[head[i] for i in used]]
    for row in facts["funnel"]:
        if row["name"] in facts["absent"]:
            row = {**row, "annotated": "absent"}
        cells = [row.get(keys[i]) for i in used]
        lines.append([f"{c:,}" if isinstance(c, int) else (c or "-") for c in cells])
    tests = [one["name"] for one in facts["recipe"]["tests"] if one["name"] in facts["absent"]]
    note = f"\nabsent test sets, copies of whose words were not looked for: {', '.join(tests)}"
    texts = {at for at, i in enumerate(used) if keys[i] in ("name", "group")}
    table = "\n".join(aligned(lines, left=texts))
    return table + note if tests and facts["recipe"]["decontaminate"] is not None else table
