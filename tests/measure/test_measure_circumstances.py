import gc
import sys

import pytest
from measure_scripts import Clock, instruments

from xpcs_bench.measure.circumstances import Instruments, observed, read_counters


def test_a_block_records_what_grew_between_its_ends():
    clock, blocks = Clock(), []
    clock.spend(500)
    read = instruments((100, 10, 1, 1000), (190, 40, 3, 1500))
    with observed(clock, blocks, read):
        clock.spend(77)
    (block,) = blocks
    assert block.started_ns == 500
    assert block.wall_ns == 77
    assert block.cpu_ns == 90
    assert block.run_delay_ns == 30
    assert block.involuntary_switches == 2
    assert block.minor_faults == 500


UNKNOWN_ROW = (1, None, None, None)


def test_what_the_platform_does_not_count_stays_unknown():
    blocks = []
    with observed(Clock(), blocks, instruments(UNKNOWN_ROW, UNKNOWN_ROW)):
        pass
    assert blocks[0].run_delay_ns is None
    assert blocks[0].involuntary_switches is None
    assert blocks[0].minor_faults is None


def test_the_cheapest_reading_is_the_innermost():
    events = []
    rows = instruments(UNKNOWN_ROW, UNKNOWN_ROW, events=events)
    with observed(Clock(events), [], rows):
        events.append("body")
    around = ["counters", "cpu", "clock"]
    assert events == [*around, "body", *reversed(around)]


@pytest.mark.parametrize("collecting", [True, False])
def test_garbage_collection_is_off_inside_and_as_before_afterwards(collecting):
    before = gc.isenabled()
    (gc.enable if collecting else gc.disable)()
    try:
        with observed(Clock(), [], Instruments()):
            assert not gc.isenabled()
            assert gc.get_freeze_count() > 0
        assert gc.isenabled() is collecting
        assert gc.get_freeze_count() == 0
    finally:
        (gc.enable if before else gc.disable)()


def test_a_body_that_raises_leaves_no_block_and_collection_on():
    blocks = []
    with pytest.raises(ZeroDivisionError), observed(Clock(), blocks, Instruments()):
        raise ZeroDivisionError
    assert blocks == []
    assert gc.isenabled()


@pytest.mark.skipif(sys.platform != "linux", reason="what Linux counts")
def test_linux_counts_all_of_them_and_they_only_grow():
    cpu_ns = Instruments().cpu_ns()
    before = read_counters()
    touched = bytearray(64 * 2**20)
    after = read_counters()
    assert touched
    assert Instruments().cpu_ns() > cpu_ns
    assert after.minor_faults > before.minor_faults
    assert after.involuntary_switches >= before.involuntary_switches
    if before.run_delay_ns is not None:
        assert after.run_delay_ns >= before.run_delay_ns
