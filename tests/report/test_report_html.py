import json
import math
import re

import pytest
from report_page import FREE_NUMBER, Page, as_json, number_at, text_at
from report_scripts import JAX, SCRIPTS, Script, detector, estimate

from xpcs_bench.records import RunRecord
from xpcs_bench.report.drawing import GRID, INK, MUTED, SERIES
from xpcs_bench.report.exporters import export
from xpcs_bench.report.plots import PLOTS

every_page = pytest.mark.parametrize("name", SCRIPTS)


@every_page
def test_every_number_is_in_the_record(records, pages, name):
    record, page = records[name], pages[name]
    document = as_json(record)
    for element in page.numbers:
        shown = json.loads(element.attributes["value"])
        expected = number_at(document, element)
        assert shown == expected or (math.isnan(shown) and math.isnan(expected))
        assert element.text.strip()


def test_the_pages_together_show_every_kind_of_number(pages):
    # else the test above could pass on pages without numbers
    kinds = {
        element.attributes.get("data-as")
        for page in pages.values()
        for element in page.numbers
    }
    assert kinds == {None, "count", "inverse", "quotient"}
    page = pages["complete"]
    assert len(page.numbers) > 500


@every_page
def test_text_of_the_record_is_shown_letter_by_letter(records, pages, name):
    record, page = records[name], pages[name]
    document = as_json(record)
    for element in page.names:
        shown = element.text
        if element.tag == "pre":
            # a browser drops the first line break inside pre
            assert shown.startswith("\n")
            shown = shown[1:]
        assert shown == text_at(document, element)


@every_page
def test_no_number_stands_outside_its_element(pages, name):
    page = pages[name]
    outside = " ".join(page.outside)
    assert not FREE_NUMBER.search(outside), FREE_NUMBER.search(outside)


def test_a_free_number_would_be_found():
    page = Page("<p>took 12 ms on float64</p>")
    assert FREE_NUMBER.search(" ".join(page.outside))
    assert not FREE_NUMBER.search("float64 is x64")


@every_page
def test_the_page_needs_nothing_else(pages, name):
    page = pages[name]
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base"}
    for tag, attributes in page.tags:
        for attribute, value in attributes.items():
            if attribute in {"href", "xlink:href", "src", "action"}:
                assert value.startswith("#"), f"<{tag} {attribute}={value!r}>"
            assert not attribute.startswith("on"), f"<{tag} {attribute}>"


@every_page
def test_ids_are_unique_and_links_lead_somewhere(pages, name):
    page = pages[name]
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {
        reference
        for _, attributes in page.tags
        for attribute, value in attributes.items()
        if attribute in {"href", "xlink:href", "clip-path", "aria-labelledby"}
        for reference in re.findall(r"^#?([\w.-]+)$|url\(#([^)]+)\)", value)
    }
    assert {one or other for one, other in links} <= set(ids)


@every_page
def test_tables_have_captions_and_scopes(pages, name):
    page = pages[name]
    tags = [tag for tag, _ in page.tags]
    assert tags.count("table") == tags.count("caption")
    for tag, attributes in page.tags:
        if tag == "th":
            assert attributes["scope"] in {"col", "row", "rowgroup"}
        if attributes.get("class") == "plot":
            assert len(attributes["aria-label"]) > 40


@pytest.mark.parametrize("name", ["small", "hostile", "failures"])
def test_the_same_record_gives_the_same_bytes(records, pages, name):
    record, page = records[name], pages[name]
    again = RunRecord.model_validate_json(record.model_dump_json())
    assert export(again, "html") == page.html


def test_hostile_names_stay_text(pages):
    page = pages["hostile"]
    assert "<script" not in page.html
    assert "<img" not in page.html
    assert not re.search("[\x00\x07\x1b\u202e]", page.html)


def test_a_variant_with_wrong_values_gets_no_time(records, pages):
    record, page = records["parity_failed"], pages["parity_failed"]
    by_case = {
        f"/summary/estimates/{at}": each.case
        for at, each in enumerate(record.summary.estimates)
    }
    shown = {
        by_case["/".join(pointer.split("/")[:4])]
        for element in page.numbers
        for pointer in element.sources
        if pointer.startswith("/summary/estimates/")
    }
    assert shown
    assert not any(JAX.id in case for case in shown)
    assert not any(
        pointer.startswith("/summary/comparisons")
        for element in page.numbers
        for pointer in element.sources
    )


def test_dark_and_light_colours_reach_into_the_figures(pages):
    page = pages["complete"]
    svgs = re.findall(r"<svg.*?</svg>", page.html, re.DOTALL)
    assert len(svgs) == len(PLOTS)
    for svg in svgs:
        assert "var(--ink)" in svg or "var(--muted)" in svg
        # no stand-in colour is left over
        assert not set(re.findall("#[0-9a-f]{6}", svg)) & {INK, MUTED, GRID, *SERIES}


def test_a_long_name_can_break_without_a_letter_more():
    script = Script()
    long = "a/b" * 40
    case = script.case(on=detector(long, 4, 4))
    script.conclude(case, "steady_state", estimate(1.0))
    page = Page(export(script.record(), "html"))
    assert "a/<wbr>b" in page.html
    assert any(long in element.text for element in page.names)
