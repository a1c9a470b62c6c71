"""Whether the tests notice: ``python benchmarks/mutants/study.py``.

Applies the mutants of ``mutants.py`` one at a time to a private copy of the project and
runs the tests that ought to notice; all of these must pass without one. Every answer
is written to ``reports/mutation/study.json`` as it comes. Run again, the command asks
about what is missing and what has changed since; with ``--again`` also about survivors,
with ``--anew`` about all, as when tests were taken away. Prints the score and the
survivors; exits with 1 below 95 %.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from mutants import MUTANTS, SUBJECTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
RECORD = ROOT / "reports" / "mutation"
COPIED = ("xpcs_bench", "tests", "configs", "pyproject.toml")
LEAST_SCORE = 0.95
TIMEOUT_S = 600
"""A mutant that never ends is noticed too, by whoever waits for the tests."""

Outcome = Literal["killed", "survived", "timeout", "no tests"]
_OUTCOMES: dict[int, Outcome] = {0: "survived", 1: "killed", 2: "killed", 5: "no tests"}
"""By exit code of pytest; 2 is an import that fails, with ``-x``."""


@dataclass(frozen=True)
class Answer:
    """What the tests said of one mutant."""

    id: str
    wrong: str
    outcome: Outcome
    evidence: str
    """The first test that failed."""
    reason: str
    """Why it survived, where that is known."""
    fingerprint: str
    """Of the mutated file: the answer is about this one."""


def fingerprint(mutant: Mutant, root: Path = ROOT) -> str:
    """Digest the file with the mutant in it."""
    source = (root / SUBJECTS[mutant.subject].file).read_text()
    return hashlib.sha256(mutant.applied(source).encode()).hexdigest()[:16]


def unmutated(name: str) -> str:
    """Digest a subject and its tests as they are."""
    subject, digest = SUBJECTS[name], hashlib.sha256()
    for file in (subject.file, *subject.tests):
        digest.update((ROOT / file).read_bytes())
    return digest.hexdigest()[:16]


def run_tests(root: Path, tests: Sequence[str], near: str = "") -> tuple[Outcome, str]:
    """Run tests in a copy of the project, and on that copy alone."""
    environ = os.environ | {
        "PYTHONPATH": str(root),
        "PYTHONDONTWRITEBYTECODE": "1",
        "JAX_PLATFORMS": "cpu",
    }
    options = ["-x", "-q", "-p", "no:cacheprovider", "--no-header", "--tb=no"]
    try:
        done = subprocess.run(  # noqa: S603 (our own tests)
            [sys.executable, "-m", "pytest", *options, *tests, "-k", near],
            cwd=root,
            env=environ,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "timeout", f"no end within {TIMEOUT_S} s"
    if done.returncode not in _OUTCOMES:
        msg = f"pytest exits with {done.returncode} for {tests}:\n{done.stdout}"
        raise RuntimeError(msg)
    failed = [
        line.partition(" - ")[0]
        for line in done.stdout.splitlines()
        if line.startswith(("FAILED", "ERROR"))
    ]
    return _OUTCOMES[done.returncode], failed[0] if failed else ""


@contextmanager
def copies(count: int) -> Iterator[queue.Queue[Path]]:
    """Make private copies of the project, to be taken and given back."""
    free: queue.Queue[Path] = queue.Queue()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        for number in range(count):
            root = Path(folder) / str(number)
            root.mkdir()
            for name in COPIED:
                source = ROOT / name
                if source.is_dir():
                    ignored = shutil.ignore_patterns("__pycache__")
                    shutil.copytree(source, root / name, ignore=ignored)
                else:
                    shutil.copy(source, root / name)
            free.put(root)
        yield free


def ask(mutant: Mutant, free: queue.Queue[Path]) -> Answer:
    """Apply one mutant to a copy, run its tests, and put the copy right again."""
    subject = SUBJECTS[mutant.subject]
    root = free.get()
    file = root / subject.file
    source, asked = file.read_text(), fingerprint(mutant, root)
    try:
        file.write_text(mutant.applied(source))
        outcome, evidence = run_tests(root, subject.tests, mutant.near)
        if mutant.near and outcome in {"survived", "no tests"}:
            outcome, evidence = run_tests(root, subject.tests)
    finally:
        file.write_text(source)
        free.put(root)
    return Answer(
        id=mutant.id,
        wrong=mutant.wrong,
        outcome=outcome,
        evidence=evidence,
        reason=mutant.equivalent if outcome == "survived" else "",
        fingerprint=asked,
    )


def require_green(free: queue.Queue[Path], subjects: set[str]) -> None:
    """Run the tests of subjects on the project as it is.

    Raises
    ------
    SystemExit
        If they fail: nothing could be said of any mutant.
    """
    tests = dict.fromkeys(
        test for name in sorted(subjects) for test in SUBJECTS[name].tests
    )
    root = free.get()
    outcome, evidence = run_tests(root, tuple(tests))
    free.put(root)
    if outcome != "survived":
        msg = f"The tests do not pass without a mutant ({evidence}). Repair them first."
        raise SystemExit(msg)


def is_caught(answer: Answer) -> bool:
    """Whether somebody who runs the tests would have noticed."""
    return answer.outcome in {"killed", "timeout"}


def score(answers: Sequence[Answer]) -> float:
    """Share of the mutants that are caught; those that change nothing are not asked."""
    asked = [answer for answer in answers if is_caught(answer) or not answer.reason]
    return sum(map(is_caught, asked)) / len(asked) if asked else 0.0


Green = dict[str, str]
"""By subject: the digest of what its tests passed on without a mutant."""


def read_record() -> tuple[dict[str, Answer], Green]:
    """Return the answers so far by id, and what is known to be green."""
    path = RECORD / "study.json"
    if not path.exists():
        return {}, {}
    record = json.loads(path.read_text())
    return {row["id"]: Answer(**row) for row in record["answers"]}, record["green"]


def write_record(answers: dict[str, Answer], green: Green) -> None:
    """Write the answers, in the order of the list, as JSON and as a table."""
    rows = [answers[mutant.id] for mutant in MUTANTS if mutant.id in answers]
    RECORD.mkdir(parents=True, exist_ok=True)
    record = {
        "schema_version": 1,
        "mutants": len(MUTANTS),
        "outcomes": dict(Counter(row.outcome for row in rows)),
        "score": round(score(rows), 4),
        "green": green,
        "answers": list(map(asdict, rows)),
    }
    partial = RECORD / "study.json.partial"
    partial.write_text(json.dumps(record, indent=1) + "\n")
    partial.replace(RECORD / "study.json")
    (RECORD / "study.md").write_text(markdown(rows))


def markdown(rows: Sequence[Answer]) -> str:
    """Write what was found for a reader."""
    caught = sum(map(is_caught, rows))
    lines = [
        "# Mutation study",
        "",
        f"{caught} of {len(rows)} mutants were caught by the tests,",
        f"{score(rows):.1%} of those that change behaviour. Made by",
        "`python benchmarks/mutants/study.py`, which takes up where it ended.",
        "",
        "## Not caught",
        "",
    ]
    survivors = [row for row in rows if not is_caught(row)]
    lines += [
        f"- `{row.id}` ({row.outcome}): {row.wrong}. {row.reason}".rstrip()
        for row in survivors
    ] or ["None."]
    lines += ["", "## All", "", "| mutant | what is wrong | outcome | noticed by |"]
    lines += ["|---|---|---|---|"]
    lines += [
        f"| `{row.id}` | {row.wrong} | {row.outcome} | {_test(row.evidence)} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def _test(evidence: str) -> str:
    name = evidence.partition("::")[2] or evidence
    return f"`{name.partition('[')[0]}`" if name else ""


def main() -> int:
    """Run what is missing, write the record, print the score."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("-k", default="", help="only mutants whose id contains this")
    parser.add_argument("--jobs", type=int, default=1, help="copies at work at once")
    parser.add_argument(
        "--again", action="store_true", help="ask again about those that survived"
    )
    parser.add_argument("--anew", action="store_true", help="forget all answers")
    options = parser.parse_args()

    known = {mutant.id for mutant in MUTANTS}
    before, green = ({}, {}) if options.anew else read_record()
    answers = {name: row for name, row in before.items() if name in known}
    missing = [
        mutant
        for mutant in MUTANTS
        if options.k in mutant.id
        and (
            mutant.id not in answers
            or answers[mutant.id].fingerprint != fingerprint(mutant)
            or (options.again and not is_caught(answers[mutant.id]))
        )
    ]
    if missing:
        with copies(options.jobs) as free, ThreadPoolExecutor(options.jobs) as pool:
            now = {mutant.subject: unmutated(mutant.subject) for mutant in missing}
            if not now.items() <= green.items():
                require_green(free, set(now))
                green |= now
            asked = [pool.submit(ask, mutant, free) for mutant in missing]
            for future in as_completed(asked):
                answer = future.result()
                answers[answer.id] = answer
                write_record(answers, green)
                print(f"{answer.outcome:9}{answer.id}", flush=True)
    write_record(answers, green)
    rows = list(answers.values())
    for row in rows:
        if not is_caught(row):
            print(f"{row.outcome}: {row.id}: {row.wrong}. {row.reason}".rstrip())
    caught = sum(map(is_caught, rows))
    print(f"{caught} of {len(rows)} caught, score {score(rows):.1%}")
    return 0 if len(rows) == len(MUTANTS) and score(rows) >= LEAST_SCORE else 1


if __name__ == "__main__":
    sys.exit(main())
