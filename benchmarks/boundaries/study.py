"""What becomes of JAX arrays at boundaries: ``python benchmarks/boundaries/study.py``.

Puts each statement of the architecture document about h5py, PyQtGraph and Matplotlib,
and each risk that remains, to the libraries that are installed: one probe, one fresh
process, in which Qt may crash. A statement holds, does not hold, or cannot be tested
here; the exact outcome and the versions stand beside it. Writes
``reports/boundaries/claims.json`` and ``claims.md``, and prints the table.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from claims import CLAIMS, Claim, Outcome, judge
from probes import Absent

from xpcs_bench.measure.environment import versions

RECORD = Path(__file__).resolve().parents[2] / "reports" / "boundaries"
PACKAGES = (
    "jax",
    "jaxlib",
    "numpy",
    "h5py",
    "matplotlib",
    "pyqtgraph",
    "PySide6_Essentials",
)
TIMEOUT_S = 300


def observe(probe: Callable[[], dict[str, Any]]) -> Outcome:
    """Run a probe in this process."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            observed = probe()
        except Absent as error:
            return Outcome("absent", message=str(error))
        except Exception as error:  # noqa: BLE001 - what is raised is the outcome
            names = [kind.__name__ for kind in type(error).__mro__[:-2]]
            # the first line: some go on with arrays and places in memory
            return Outcome("raised", tuple(names), str(error).partition("\n")[0])
    texts = {f"{one.category.__name__}: {one.message}" for one in caught}
    return Outcome("returned", observed=observed, warnings=tuple(sorted(texts)))


def in_fresh_process(claim: Claim) -> Outcome:
    """Run a claim's probe where it can end nothing but itself."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603 (this very file)
            [sys.executable, __file__, "--probe", claim.id],
            env=os.environ
            | {"QT_QPA_PLATFORM": "offscreen", "MPLBACKEND": "agg", "HOME": folder},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    return read_outcome(done.returncode, done.stdout)


def read_outcome(returncode: int, stdout: str) -> Outcome:
    """Return what a probe's process said, or that it died before it could."""
    if returncode:
        how = f"signal {-returncode}" if returncode < 0 else f"exit code {returncode}"
        return Outcome("died", message=f"the process ended with {how}")
    fields = json.loads(stdout.splitlines()[-1])
    return Outcome(
        kind=fields["kind"],
        exceptions=tuple(fields["exceptions"]),
        message=fields["message"],
        observed=fields["observed"],
        warnings=tuple(fields["warnings"]),
    )


def markdown(rows: Iterable[dict[str, Any]], of: dict[str, str]) -> str:
    """Write the record for a reader."""
    lines = ["# JAX arrays at the boundaries", ""]
    lines += ["Made by `python benchmarks/boundaries/study.py` with"]
    lines += [", ".join(f"{name} {version}" for name, version in of.items()) + "."]
    part = ""
    for row in rows:
        if row["part"] != part:
            part = row["part"]
            lines += ["", f"## {part}", "", "| statement | probe | verdict | outcome |"]
            lines += ["|---|---|---|---|"]
        outcome = row["outcome"].replace("|", "\\|")
        cells = (row["says"], f"`{row['id']}`", row["verdict"], outcome)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Probe everything, write the record, print it."""
    claims = {claim.id: claim for part in CLAIMS.values() for claim in part}
    if sys.argv[1:2] == ["--probe"]:
        print(json.dumps(asdict(observe(claims[sys.argv[2]].probe))))
        return
    rows: list[dict[str, Any]] = []
    for part, members in CLAIMS.items():
        for claim in members:
            outcome = in_fresh_process(claim)
            verdict = judge(claim, outcome)
            rows.append(
                {
                    "id": claim.id,
                    "part": part,
                    "says": claim.says,
                    "verdict": verdict,
                    "outcome": str(outcome),
                    "details": asdict(outcome),
                }
            )
            print(f"{verdict:22} {claim.id:24} {outcome}", flush=True)
    RECORD.mkdir(parents=True, exist_ok=True)
    record = {"schema_version": 1, "versions": versions(*PACKAGES), "claims": rows}
    (RECORD / "claims.json").write_text(json.dumps(record, indent=1) + "\n")
    (RECORD / "claims.md").write_text(markdown(rows, record["versions"]))


if __name__ == "__main__":
    main()
