"""The search for turns, answered from costs that are known."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpcs_bench.analysis.course import LOOKS, Course
from xpcs_bench.analysis.crossover import conclude, wanted
from xpcs_bench.analysis.estimate import prior_for, scatter, trimmed_ratio
from xpcs_bench.analysis.pairs import Pairs
from xpcs_bench.config import CrossoverSearch
from xpcs_bench.config.crossover import lattice

NAMES = ("made", "steady_state", "numpy", "jax")
PROCESSES = 3
PRIOR = prior_for("steady_state", [])


def search(first=16, last=4096, width=0.1):
    sizes = lattice(first, last, width)
    return CrossoverSearch(axis="n", sizes=sizes, width=width, confidence=0.95)


class Script:
    """Answers a search from a ratio that is known, and remembers what it asked."""

    def __init__(self, ratio, noise=0.0, lost=(), skipped=(), asked=None, seed=0):
        self.ratio = ratio
        self.noise = noise
        self.lost = lost
        self.skipped = frozenset(skipped)
        self.search = asked or search()
        self.random = random.Random(seed)  # noqa: S311 (a script)
        self.ratios = {}
        self.batches = []

    def course(self):
        tried = {size: len(rows) for size, rows in self.ratios.items()}
        failed = dict.fromkeys((size for size in tried if size in self.lost), "slow.")
        return Course(
            pairs={
                size: Pairs((1.0,) * len(rows), tuple(rows), PRIOR, len(rows))
                for size, rows in self.ratios.items()
                if size not in failed
            },
            lost={**dict.fromkeys(self.skipped, "memory."), **failed},
            skipped=self.skipped,
            taken=tried,
        )

    def run(self):
        while asked := wanted(self.search, [self.course()], PROCESSES):
            self.batches.append(asked)
            for size, count in asked.items():
                rows = self.ratios.setdefault(size, [])
                assert count > len(rows)
                while len(rows) < count:
                    factor = self.random.lognormvariate(0, self.noise)
                    rows.append(self.ratio(size) * factor)
        return self.conclude()

    def conclude(self, doubt=""):
        return conclude(self.search, self.course(), NAMES, PROCESSES, doubt)


def falling(at, steepness=0.5):
    """A ratio that becomes smaller with the size, and is 1 at one of them."""
    return lambda size: (at / size) ** steepness


def inside(turn, at):
    return turn.lower <= at <= turn.upper


@given(st.floats(60, 3500), st.sampled_from([0.3, 0.5, 1.0]))
def test_a_turn_lies_in_its_bracket_which_is_as_narrow_as_asked(at, steepness):
    found = Script(falling(at, steepness)).run()
    assert found.answer == "crosses"
    (turn,) = found.turns
    assert inside(turn, at)
    assert turn.becomes == "faster"
    assert turn.resolved
    assert turn.upper <= turn.lower * 1.1 + 1e-9 or turn.upper == turn.lower + 1
    assert turn.lower <= turn.size <= turn.upper
    assert found.wins_above == turn.upper
    assert found.n_measured <= found.n_grid // 2


@pytest.mark.parametrize(
    ("ratio", "answer", "wins_above"), [(0.7, "always", 16), (1.4, "never", None)]
)
def test_who_is_ahead_at_both_ends_and_all_along_always_is(ratio, answer, wins_above):
    found = Script(lambda _: ratio, noise=0.01).run()
    assert (found.answer, found.turns, found.wins_above) == (answer, (), wins_above)
    # nothing suspicious, so the scan is all
    assert found.n_measured < found.n_grid / 4


def test_every_turn_is_found_where_a_bisection_finds_one():
    def ratio(size):
        # slower, faster, slower again, and faster for good
        return math.exp(0.6 * math.cos(math.log(size / 16) * 2.0))

    found = Script(ratio, noise=0.003).run()
    truth = [16 * math.exp((0.25 + 0.5 * k) * math.pi) for k in range(4)]
    truth = [at for at in truth if at < 4096]
    assert len(found.turns) == len(truth)
    assert all(inside(*both) for both in zip(found.turns, truth, strict=True))
    ways = [turn.becomes for turn in found.turns]
    assert ways == ["faster", "slower", "faster", "slower"][: len(truth)]


def test_the_last_turn_decides_who_wins_for_good():
    def ratio(size):
        return 0.5 if 100 < size < 300 or size > 1000 else 2.0

    found = Script(ratio).run()
    assert [turn.becomes for turn in found.turns] == ["faster", "slower", "faster"]
    assert found.wins_above == found.turns[-1].upper


def test_a_turn_at_the_border_is_open_towards_it():
    found = Script(falling(16.5, 0.2), noise=0.02).run()
    (turn,) = found.turns
    assert turn.lower is None
    assert turn.size is None
    assert turn.becomes == "faster"
    assert found.wins_above == turn.upper
    above = Script(falling(4000, 0.2), noise=0.02).run()
    assert above.turns[-1].upper is None
    assert above.wins_above is None


def test_what_is_the_same_everywhere_cannot_be_told():
    found = Script(lambda _: 1.0, noise=0.01).run()
    assert found.answer == "cannot_tell"
    assert found.turns == ()
    assert found.reason == "at no size is the order certain."


def test_a_bracket_that_noise_keeps_wide_holds_the_turn_and_says_so():
    script = Script(falling(500, 0.1), noise=0.05)
    found = script.run()
    (turn,) = found.turns
    assert not turn.resolved
    assert inside(turn, 500)
    assert "wider than asked" in found.reason
    # and it has cost no more than a fixed grid would have
    assert sum(map(len, script.ratios.values())) <= PROCESSES * found.n_grid


def test_agreeing_neighbours_with_doubt_between_them_are_named():
    found = Script(lambda size: 1.0 if 200 < size < 320 else 0.6, noise=0.01).run()
    assert found.answer == "always"
    assert found.unclear
    assert all(span.lower < 320 and span.upper > 200 for span in found.unclear)
    assert found.wins_above == found.unclear[-1].upper


def test_sizes_that_cannot_run_are_walked_around():
    sizes = search().sizes
    too_large = [size for size in sizes if size > 1500]
    script = Script(falling(200), lost=too_large)
    found = script.run()
    (turn,) = found.turns
    assert inside(turn, 200)
    # the end of what runs is halved towards, and not walked to
    tried = [size for size in script.ratios if size in too_large]
    assert len(tried) <= 6
    assert {row.size for row in found.lost} == set(tried)
    assert max(point.size for point in found.points) > 1200


def test_what_the_plan_skips_is_never_asked_for():
    sizes = search().sizes
    skipped = [size for size in sizes if size > 1000]
    script = Script(falling(200), skipped=skipped)
    found = script.run()
    assert not set(script.ratios) & set(skipped)
    assert inside(found.turns[0], 200)
    assert len(found.lost) == len(skipped)


def test_nothing_is_asked_where_nothing_can_run():
    script = Script(falling(200), skipped=search().sizes)
    assert script.run().answer == "cannot_tell"
    assert script.batches == []
    assert script.conclude().reason == "no size was compared."


def test_a_search_that_is_interrupted_goes_on_where_it_was():
    whole = Script(falling(321))
    found = whole.run()
    again = Script(falling(321))
    for asked in whole.batches[:2]:
        for size, count in asked.items():
            again.ratios[size] = [again.ratio(size)] * count
    assert again.run() == found


def test_a_size_against_all_its_neighbours_is_looked_at_twice():
    script = Script(lambda _: 0.8)
    scan = next(iter([wanted(script.search, [script.course()], PROCESSES)]))
    odd = sorted(scan)[3]
    for size, count in scan.items():
        script.ratios[size] = [1.5 if size == odd else 0.8] * count
    assert wanted(script.search, [script.course()], PROCESSES) == {odd: 2 * PROCESSES}
    # the burst has passed: three of six processes do not make it slower
    script.ratios[odd] += [0.8] * PROCESSES
    assert script.run().answer == "always"


def test_what_one_candidate_needs_is_measured_for_all():
    near, far = Script(falling(60)), Script(falling(2000))
    while True:
        courses = [near.course(), far.course()]
        asked = wanted(near.search, courses, PROCESSES)
        if not asked:
            break
        for size, count in asked.items():
            for script in near, far:
                script.ratios[size] = [script.ratio(size)] * count
    for script, at in ((near, 60), (far, 2000)):
        (turn,) = script.conclude().turns
        assert inside(turn, at)
        assert turn.resolved
    assert len(near.ratios) <= 0.75 * near.search.n_grid


def test_a_failing_control_takes_the_answer_and_leaves_the_points():
    script = Script(falling(200))
    script.run()
    found = script.conclude("a control failed.")
    assert (found.answer, found.turns, found.wins_above) == ("cannot_tell", (), None)
    assert found.reason == "a control failed."
    assert found.points


@given(st.integers(1, 60), st.integers(1, 60))
def test_short_ranges_end(first, more):
    found = Script(falling(first + more / 2), asked=search(first, first + more)).run()
    assert found.n_measured <= max(6, found.n_grid // 2 + 1)
    assert all(inside(turn, first + more / 2) for turn in found.turns if turn.size)


def test_looks_are_never_more_than_the_last_one():
    script = Script(falling(500, 0.05), noise=0.03)
    script.run()
    assert max(map(len, script.ratios.values())) <= LOOKS[-1] * PROCESSES


def test_one_process_far_off_does_not_move_a_trimmed_ratio():
    sound = [0.9, 0.91, 0.89, 0.9, 0.905, 0.895]
    burst = [*sound[:5], 1.8]
    plain, odd = (
        trimmed_ratio([1.0] * 6, values, PRIOR, 6, 0.95) for values in (sound, burst)
    )
    assert odd.point == pytest.approx(plain.point, rel=0.01)
    assert odd.upper < 1
    # of three none is left out: a fifth of them is less than one
    three = trimmed_ratio([1.0] * 3, [0.9, 0.9, 1.8], PRIOR, 3, 0.95)
    assert three.upper > 1


def test_trimming_few_values_changes_no_variance():
    values = [0.1, 0.2, 0.4, 0.1]
    mean = sum(values) / 4
    squares = sum((value - mean) ** 2 for value in values)
    assert scatter(values) == (pytest.approx(squares / 3), 3)
