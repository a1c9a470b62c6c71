"""What of the seed document is true here: ``python benchmarks/claims/study.py``.

Runs ``configs/claims/seed.yaml`` and keeps the run in ``reports/claims/``: the ledger
``claims.md``, the page, the summary and ``run.json``, which holds the evidence. Some
sentences are false today, and the run says so with exit code 1; this exits with 0 as
long as every claim was decided or skipped, and with that of the run otherwise.
Arguments are handed on to the run: ``--set sampling.processes=2``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from xpcs_bench.errors import ExitCode

ROOT = Path(__file__).resolve().parents[2]
CONFIG = "configs/claims/seed.yaml"
RECORD = ROOT / "reports" / "claims"
KEPT = ("claims.md", "report.html", "summary.md", "run.json")
DECIDED = (ExitCode.PASS, ExitCode.FAIL, ExitCode.INCONCLUSIVE)


def command(arguments: list[str]) -> list[str]:
    """Return the command, by the name that a reader would type."""
    program = shutil.which("xpcs-bench", path=str(Path(sys.executable).parent))
    if program is None:
        program = "xpcs-bench"
    return [program, "run", CONFIG, "--json", *arguments]


def keep(run: Path, record: Path) -> None:
    """Move what is kept of a run's folder, and remove the rest of it."""
    record.mkdir(parents=True, exist_ok=True)
    for name in KEPT:
        shutil.move(run / name, record / name)
    shutil.rmtree(run)


def main() -> int:
    """Run, keep, and say how many claims became what."""
    # in place, so that the record names no folder of this machine
    done = subprocess.run(  # noqa: S603 (our own command)
        command(sys.argv[1:]), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode not in DECIDED:
        print(f"the run ended with {done.returncode}; nothing is kept of it")
        return done.returncode
    said = json.loads(done.stdout)
    keep(ROOT / Path(said["record"]).parent, RECORD)
    for claim in said["summary"]["claims"]:
        print(f"{claim['outcome']:13} {claim['id']:36} {claim['reason']}")
    lost = [row["id"] for row in said["summary"]["claims"] if row["outcome"] == "error"]
    return ExitCode.COULD_NOT_MEASURE if lost else ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
