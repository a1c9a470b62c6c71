"""What an interval of a ratio between two runs allows to say."""

import pytest

from xpcs_bench.analysis.judgement import judge_stored_ratio
from xpcs_bench.records import Estimate, Judgement


def ratio(lower, point, upper):
    return Estimate(
        point=point,
        lower=lower,
        upper=upper,
        confidence=0.95,
        statistic="stated by the test",
        n_processes=6,
        n_samples=6,
        unit="x",
    )


@pytest.mark.parametrize(
    ("lower", "point", "upper", "judgement"),
    [
        (0.85, 1.0, 1.19, Judgement.SAME),
        # surely not 1, and no more than a day may do
        (1.01, 1.1, 1.19, Judgement.SAME),
        (1.01, 1.19, 1.4, Judgement.INCONCLUSIVE),
        (1.01, 1.21, 1.4, Judgement.SLOWER),
        (0.99, 1.3, 1.7, Judgement.INCONCLUSIVE),
        (0.7, 0.82, 0.99, Judgement.FASTER),
        (0.7, 0.84, 0.99, Judgement.INCONCLUSIVE),
        (float("nan"), float("nan"), float("nan"), Judgement.INCONCLUSIVE),
    ],
)
def test_a_ratio_of_stored_runs_is_judged(lower, point, upper, judgement):
    assert judge_stored_ratio(ratio(lower, point, upper)) is judgement


def test_a_margin_may_be_another():
    wide = ratio(1.01, 1.15, 1.3)
    assert judge_stored_ratio(wide) is Judgement.INCONCLUSIVE
    assert judge_stored_ratio(wide, 0.1) is Judgement.SLOWER
