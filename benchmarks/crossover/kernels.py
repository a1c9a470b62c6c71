"""From which size on JAX is faster: ``python benchmarks/crossover/kernels.py``.

Runs ``xpcs-bench crossover`` with every experiment of ``configs/crossover/``, and keeps
of each the summary and the figure of its ratios in ``reports/crossover/``. The records
are too large to keep: 4 to 9 MB. With folders of runs as arguments it keeps those, and
measures nothing. Takes 16 minutes on two cores; what a budget ended says so.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from xpcs_bench.errors import ExitCode
from xpcs_bench.report import export
from xpcs_bench.report.plots import PLOTS
from xpcs_bench.report.standing import Evidence
from xpcs_bench.run.store import load

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted((ROOT / "configs" / "crossover").glob("*.yaml"))
RECORD = ROOT / "reports" / "crossover"
FIGURE = "ratio_by_size"
DECIDED = (ExitCode.PASS, ExitCode.INCONCLUSIVE)


def measured(out: Path) -> Iterator[Path]:
    """Run every search and yield the folder of each."""
    program = shutil.which("xpcs-bench", path=str(Path(sys.executable).parent))
    for config in CONFIGS:
        command = [program or "xpcs-bench", "crossover", str(config.relative_to(ROOT))]
        done = subprocess.run(  # noqa: S603 (our own command)
            [*command, "--out", str(out), "--json"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode not in DECIDED:
            sys.exit(f"{config.name}: the search ended with {done.returncode}")
        yield Path(json.loads(done.stdout)["record"]).parent


def standalone(svg: str) -> str:
    """Give a figure of the page the colours that the page would give it."""
    style = files("xpcs_bench.report").joinpath("templates", "report.css").read_text()
    # the first of each is that of the light page
    light = style.partition("@media")[0]
    colours = re.findall(r"(--[\w-]+):\s*(#\w+);", light)
    rules = "".join(f"{name}:{value};" for name, value in colours)
    head = (
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'style="{rules}background:var(--paper)" '
    )
    return svg.replace("<svg ", head, 1)


def keep(run: Path) -> None:
    """Write what is kept of a run."""
    _, record = load(run)
    name = record.header.name.removeprefix("crossover-")
    RECORD.mkdir(parents=True, exist_ok=True)
    figure = PLOTS[FIGURE](Evidence(record))
    svg = RECORD / f"{name}.svg"
    svg.write_text(standalone(figure.svg or ""), encoding="utf-8", newline="\n")
    summary = export(record, "markdown")
    heading, _, rest = summary.partition("\n")
    (RECORD / f"{name}.md").write_text(
        f"{heading}\n\n![{figure.title}]({svg.name})\n{rest}", encoding="utf-8"
    )


def main() -> None:
    """Keep the runs that are named, or measure all and keep them."""
    if sys.argv[1:]:
        for run in sys.argv[1:]:
            keep(Path(run))
        return
    with tempfile.TemporaryDirectory() as out:
        for run in measured(Path(out)):
            keep(run)


if __name__ == "__main__":
    main()
