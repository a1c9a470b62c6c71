import re
from xml.etree import ElementTree as ET

import pytest
from report_scripts import (
    JAX,
    JAX32,
    NUMPY,
    SCRIPTS,
    Script,
    detector,
    estimate,
    speed,
)

from xpcs_bench.records import Judgement
from xpcs_bench.report.drawing import draw, drawable, tick
from xpcs_bench.report.figures import calls, conversions, crossover, speedup
from xpcs_bench.report.figures.crossover import MOST_PANELS
from xpcs_bench.report.figures.frame import LARGEST
from xpcs_bench.report.figures.rows import MOST_ROWS
from xpcs_bench.report.plots import PLOTS
from xpcs_bench.report.standing import Evidence
from xpcs_bench.report.tables import describe
from xpcs_bench.units import format_bytes, format_duration, format_ratio

DRAWN = {
    "small": {"speedup_by_size", "first_and_cached"},
    "complete": set(PLOTS),
    "parity_failed": {"first_and_cached"},
    "failures": set(),
    "skips_only": set(),
    "hostile": set(PLOTS),
    "many": {"speedup_by_size", "first_and_cached"},
    "efficient": {"first_and_cached"},
    "controlled": {"speedup_by_size", "first_and_cached"},
    # a speedup that a failing control has made worthless is not drawn
    "doubted": {"first_and_cached"},
    "claimed": {"first_and_cached"},
    "searched": {"ratio_by_size"},
    "gated": {"first_and_cached"},
    "nothing": set(),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_figure_without_data_is_a_sentence(name, record_of, monkeypatch):
    # which figures there are does not depend on how they are drawn
    for figures in calls, conversions, crossover, speedup:
        monkeypatch.setattr(figures, "draw", lambda *_: "<svg/>")
    evidence = Evidence(record_of(name))
    made = {plot: make(evidence) for plot, make in PLOTS.items()}
    assert {plot for plot, each in made.items() if each.svg} == DRAWN[name]
    for each in made.values():
        assert each.alt.endswith(".")
        if not each.svg:
            assert each.note.endswith(".")


def test_sections_ask_for_every_figure_once(record_of):
    asked = [name for each in describe(record_of("nothing")) for name in each.plots]
    assert sorted(asked) == sorted(PLOTS)


@pytest.mark.parametrize("plot", PLOTS)
def test_figures_are_well_formed_paths_of_this_figure_alone(plot, record_of):
    svg = PLOTS[plot](Evidence(record_of("complete"))).svg
    standalone = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    root = ET.fromstring(standalone)
    texts = [each for each in root.iter() if each.tag.endswith("}text")]
    assert not texts
    ids = re.findall(r'\bid="([^"]+)"', svg)
    prefix = ids[0].split("-figure")[0]
    assert all(each.startswith(f"{prefix}-") for each in ids)
    assert len(ids) == len(set(ids))


def test_what_has_no_place_on_the_axis_is_left_out():
    script = Script()
    case = script.case(on=detector("d", 8, 8))
    script.conclude(case, "steady_state", estimate(LARGEST * 10))
    plot = PLOTS["first_and_cached"](Evidence(script.record()))
    assert plot.svg is None


def test_too_many_rows_are_cut_and_said(record_of):
    plot = PLOTS["first_and_cached"](Evidence(record_of("many")))
    assert "the table has all" in plot.note
    complete = PLOTS["first_and_cached"](Evidence(record_of("complete")))
    assert not complete.note
    assert 18 < MOST_ROWS < 150


@pytest.mark.parametrize(
    ("labels", "kernel"),
    [
        ([{"delays": 16}, {"delays": 64}], "numbers"),
        ([{"model": "single"}, {"model": "double"}], "names"),
        ([{"delays": 16, "bins": 2}, {"delays": 64, "bins": 4}], "ambiguous"),
        ([{}, {"delays": 64}], "default"),
    ],
)
def test_speedup_is_drawn_over_a_size_or_else_over_names(labels, kernel):
    script = Script()
    for label in labels:
        base = script.case(NUMPY, kernel=kernel, labels=label)
        for variant in JAX, JAX32:
            case = script.case(variant, kernel=kernel, labels=label)
            script.compare(base, case, estimate(0.5, "x"), Judgement.FASTER)
    plot = PLOTS["speedup_by_size"](Evidence(script.record()))
    assert plot.svg
    # along sizes where there are several, else one row a candidate
    assert plot.title.endswith("by size") == (kernel == "numbers")


@pytest.mark.parametrize("n_sizes", [1, 2])
def test_conversions_are_drawn_over_sizes_only_if_there_are_several(n_sizes):
    script = Script()
    for index in range(n_sizes):
        case = script.case(
            JAX,
            "conversion",
            on=detector(f"d{index}", 8 << index, 8),
            boundary="view",
            input_bytes=512 << index,
        )
        script.conclude(case, "conversion", estimate(1e-6))
    plot = PLOTS["conversion_by_size"](Evidence(script.record()))
    assert plot.svg
    assert plot.title.endswith("and size") == (n_sizes > 1)


def test_a_caller_s_style_changes_nothing(record_of):
    import matplotlib as mpl

    plot, evidence = PLOTS["first_and_cached"], Evidence(record_of("small"))
    plain = plot(evidence).svg
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "axes.grid": False}):
        assert plot(evidence).svg == plain
        assert mpl.rcParams["font.size"] == 30


def test_wrong_values_are_not_drawn():
    script = Script()
    speed(script, detector("d", 8, 8), {NUMPY: (1.0, 1.0)}, {})
    right = PLOTS["first_and_cached"](Evidence(script.record())).svg
    wrong = SCRIPTS["parity_failed"]().record()
    svg = PLOTS["first_and_cached"](Evidence(wrong)).svg
    # one variant is left, as many rows as the record with one variant
    assert svg.count("ytick") == right.count("ytick")


@pytest.mark.parametrize(
    ("value", "shown", "text"),
    [
        (5e-3, format_duration, "5 ms"),
        (0.5, format_ratio, "0.5x"),
        (10e-3, format_duration, "10 ms"),
        (12.5e-3, format_duration, "12.5 ms"),
        (100.0, format_duration, "100 s"),
        (4 * 2**20, format_bytes, "4 MiB"),
        (0.0, format_duration, "0"),
    ],
)
def test_ticks_are_round(value, shown, text):
    assert tick(value, shown) == text


def test_names_are_drawn_as_far_as_the_font_goes():
    assert drawable("πλ-Größe") == "πλ-Größe"
    assert drawable("検\x1b出") == "□□□"
    short = drawable("abcdefghij" * 10, 20)
    assert len(short) == 20
    assert "…" in short


def test_drawing_needs_no_name_of_the_day():
    def paint(figure):
        figure.add_subplot().plot([1, 2])

    assert draw("a", (2, 2), paint) == draw("a", (2, 2), paint)


def test_a_search_shades_its_brackets_and_marks_lost_sizes(record_of):
    make = PLOTS["ratio_by_size"]
    plot = make(Evidence(record_of("searched")))
    assert "Crosses: sizes that could not be compared." in plot.note
    whole = plot.svg
    script = SCRIPTS["searched"]()
    script.crossovers = [
        each.model_copy(update={"turns": (), "unclear": (), "lost": ()})
        for each in script.crossovers
    ]
    bare = make(Evidence(script.record()))
    assert "Crosses" not in bare.note
    # brackets: one of the first panel, its unclear sizes, and two open ones
    shaded = [re.findall(r"opacity: 0\.(?:22|08)", svg) for svg in (whole, bare.svg)]
    assert len(shaded[0]) == 4
    assert not shaded[1]


def test_more_panels_than_a_figure_has_are_said():
    script = SCRIPTS["searched"]()
    script.crossovers = [
        script.crossovers[0].model_copy(update={"problem": f"p{index}"})
        for index in range(MOST_PANELS + 1)
    ]
    plot = PLOTS["ratio_by_size"](Evidence(script.record()))
    assert "Further problems are in the table." in plot.note
