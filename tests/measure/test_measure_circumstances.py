import gc
import os
import sys
from pathlib import Path

import pytest
from measure_scripts import Clock, instruments

from xpcs_bench.measure import circumstances
from xpcs_bench.measure.circumstances import Gauges, Instruments, RunDelay, observed


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
    read = Gauges()
    before = read()
    touched = bytearray(64 * 2**20)
    after = read()
    assert touched
    assert Instruments().cpu_ns() > cpu_ns
    assert after.minor_faults > before.minor_faults
    assert after.involuntary_switches >= before.involuntary_switches
    # that it adds up what each thread says is tested on scripted threads below
    told = Path(f"/proc/self/task/{os.getpid()}/schedstat").exists()
    assert (after.run_delay_ns is not None) is told


@pytest.fixture
def tasks(tmp_path, monkeypatch):
    """Threads of a scripted kernel: name to what it says of each."""
    monkeypatch.setattr(circumstances, "_TASKS", str(tmp_path))

    def write(**delays_ns):
        for task, delay_ns in delays_ns.items():
            (tmp_path / task).mkdir(exist_ok=True)
            (tmp_path / task / "schedstat").write_text(f"900 {delay_ns} 12\n")

    return write


def test_the_delay_is_that_of_all_threads_that_were_noticed(tasks):
    tasks(t1=5, t2=70)
    delay = RunDelay()
    assert delay() is None  # nobody has looked yet
    delay.watch()
    assert delay() == 75
    tasks(t1=6, t3=1000)
    assert delay() == 76
    delay.watch()
    assert delay() == 1076
    delay.close()


def test_what_an_ended_thread_waited_is_not_forgotten(tasks, monkeypatch):
    tasks(t1=5, t2=70)
    delay = RunDelay()
    delay.watch()
    assert delay() == 75
    gone = delay._files["t2"]
    real = circumstances.os.pread

    def pread(file, *args):
        if file == gone:
            raise ProcessLookupError
        return real(file, *args)

    monkeypatch.setattr(circumstances.os, "pread", pread)
    tasks(t1=8)
    assert delay() == 78
    assert delay() == 78
    assert list(delay._files) == ["t1"]
    delay.close()


def test_without_such_statistics_the_delay_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr(circumstances, "_TASKS", str(tmp_path / "none"))
    delay = RunDelay()
    delay.watch()
    assert delay() is None
    assert Gauges()().run_delay_ns is None


def test_threads_that_start_later_are_watched_from_the_next_block_on(monkeypatch):
    looked = []
    read = Instruments()
    monkeypatch.setattr(read.counters, "watch", lambda: looked.append(True))
    with observed(Clock(), [], read):
        assert looked == [True]
    with observed(Clock(), [], instruments(UNKNOWN_ROW, UNKNOWN_ROW)):
        pass  # scripted counters have no threads to look for
    assert looked == [True]
