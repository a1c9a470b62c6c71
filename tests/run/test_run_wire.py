import pytest

from xpcs_bench.run.wire import Taken, decode, encode


@pytest.mark.parametrize("half_width", [None, 0.0, 0.25])
def test_progress_comes_back_as_it_was_sent(half_width):
    taken = Taken(per_call_ns=(1.5, 2.0), half_width=half_width)
    assert decode(encode(taken).rstrip(b"\n")) == taken


def test_a_worker_of_the_version_before_says_nothing_of_its_progress():
    assert decode(b'{"type":"taken","per_call_ns":[1.0]}').half_width is None
