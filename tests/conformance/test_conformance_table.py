"""The table says what the record holds, and the record holds nobody's address."""

import numpy as np
import pytest
from scripted_backend import NUMPY, PROBE, Scripted, after, shifted

from xpcs_bench.conformance import (
    Circumstances,
    Difference,
    Report,
    examine,
)
from xpcs_bench.conformance.table import cell, format_ulp, markdown, summary

ROW = Difference(
    name="two-off",
    methods=("floor",),
    dtypes=("float64",),
    inputs=(),
    aspects=("value", "pattern"),
    reason="It is written | down.",
    source="here",
)


def report(**replaced):
    probes = {"any": [PROBE["floor"], PROBE["arctan"], PROBE["logical_not"]]}
    return Report(
        schema_version=1,
        xpcs_bench="0",
        circumstances=Circumstances(
            cpu="abacus",
            cpu_features=("beads",),
            system="wood",
            python="3",
            packages={"numpy": "2"},
            variables={"XLA_FLAGS": "--quick"},
        ),
        examination=examine(
            NUMPY, Scripted(**replaced), probes=probes, differences=[ROW]
        ),
    )


def by_method(made):
    return {(f.method, f.dtype): f for f in made.examination.findings}


def test_a_cell_gives_distance_nearer_and_known_rows():
    numbers = {"two-off": 7}
    assert cell(None, numbers) == ""
    same = by_method(report())
    assert cell(same["arctan", "float64"], numbers) == "0"
    assert cell(same["logical_not", "bool"], numbers) == "="
    off = by_method(report(arctan=after("arctan", lambda y: shifted_floats(y, 2))))
    assert cell(off["arctan", "float64"], numbers) == "2 numpy"
    known = report(floor=after("floor", lambda y: shifted_floats(y, 9)))
    assert cell(by_method(known)["floor", "float64"], numbers).endswith("[7]")
    assert cell(by_method(known)["floor", "float32"], numbers) == "FAIL"


def shifted_floats(y, ulp):
    return shifted(y, ulp) if np.asarray(y).dtype.kind == "f" else y


def test_the_page_shows_failures_known_rows_and_circumstances():
    page = markdown(report(floor=after("floor", lambda y: shifted_floats(y, 9))))
    assert "## Unexplained differences" in page
    assert "- `floor` float32: " in page
    assert "It is written \\| down." in page
    assert "| `arctan` | 0 |" in page
    assert "abacus" in page
    assert "`XLA_FLAGS=--quick`" in page
    heads = {
        line.count("|") for line in page.splitlines() if line.startswith("| `arctan`")
    }
    assert len(heads) == 2, "one row in the table by dtype, two with errors"


def test_the_page_says_what_was_not_seen():
    page = markdown(report())
    assert "- two-off: `floor`" in page
    assert "Unexplained" not in page


def test_the_summary_counts():
    line = summary(report().examination)
    found = len(report().examination.findings)
    assert line.startswith(f"3 methods, {found} pairs")
    assert f"{found} agree, 0 differ as known, 0 differ without" in line


@pytest.mark.parametrize(
    ("ulp", "text"), [(0, "0"), (0.512, "0.51"), (3, "3"), (122.4, "122")]
)
def test_distances_are_short(ulp, text):
    assert format_ulp(ulp) == text


def test_a_record_reads_back():
    made = report(arctan=after("arctan", lambda y: np.full_like(y, np.nan)))
    again = Report.model_validate_json(made.model_dump_json())
    assert again == made
