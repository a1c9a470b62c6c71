"""Are the claims quotations?  ``python benchmarks/claims/quotes.py DOCUMENT``.

Looks in the document for what each claim of ``configs/claims/seed.yaml`` says, and for
each row of ``docs/claims.md``: spaces and line breaks count alike, ``...`` stands for
anything. Prints what is not there, and exits with 1 if there is any.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from xpcs_bench.config.load import load_experiment
from xpcs_bench.run.prepare import catalogue

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "configs" / "claims" / "seed.yaml"
TABLE = ROOT / "docs" / "claims.md"


def plain(text: str) -> str:
    """Return the words of a text with one space between them, without markup."""
    return " ".join(re.sub(r"[*`\\]", "", text).split())


def occurs(quotation: str, text: str) -> bool:
    """Whether the parts of a quotation occur in a text, one after the other."""
    place = 0
    for part in quotation.split("..."):
        found = plain(text).find(plain(part), place)
        if found < 0:
            return False
        place = found + len(plain(part))
    return True


def table_rows(text: str) -> list[tuple[str, tuple[str, ...], str]]:
    """Return sentence, claim ids and reason of each row of ``docs/claims.md``."""
    rows = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 3 and cells[0] not in {"sentence", "---"}:
            ids = tuple(re.findall(r"`([^`]+)`", cells[1]))
            rows.append((cells[0], ids, cells[2]))
    return rows


def main() -> int:
    """Look for everything in the document that is named."""
    if len(sys.argv) != 2:
        print(f"usage: {sys.argv[0]} DOCUMENT")
        return 2
    document = Path(sys.argv[1]).read_text(encoding="utf-8")
    claims = load_experiment(CONFIG, catalogue=catalogue()).experiment.claims
    said = {claim.id: claim.says for claim in claims}
    said |= {row[0]: row[0] for row in table_rows(TABLE.read_text(encoding="utf-8"))}
    missing = [name for name, words in said.items() if not occurs(words, document)]
    for name in missing:
        print(f"not in the document: {name}")
    print(f"{len(said) - len(missing)} of {len(said)} quotations are there")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
