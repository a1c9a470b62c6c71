"""Workers without processes, on a clock that only they move: costs are known.

A cost is a function of (process, calls so far, random) to the time of one call (ns);
the scripted workers sample it as real ones do, labels included, and a second of the
scripted world takes microseconds.
"""

import random

from making import environment

from xpcs_bench.errors import WorkerCrashed
from xpcs_bench.records import Observation, Samples, Status
from xpcs_bench.run.wire import (
    Finish,
    Load,
    Loaded,
    Measure,
    Observed,
    Prepare,
    Ready,
    Take,
    Taken,
)

STARTUP_S = 0.4
CALLS_OF_A_SAMPLE = 10


class World:
    """Time, and how much of it went where."""

    def __init__(self):
        self.now_s = 0.0

    def monotonic(self):
        return self.now_s


class Stock:
    """Hands out scripted workers.

    Parameters
    ----------
    costs : mapping
        Name of a kernel, or (kernel, backend), to its cost.
    """

    def __init__(self, world, costs, *, seed=0, broken=()):
        self.world = world
        self.costs = costs
        self.random = random.Random(seed)  # noqa: S311 (a script)
        self.broken = broken
        self.taken = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def lay_in(self, job):
        pass

    def take(self, case, job, cache=None):
        self.taken.append((case.id, job.process))
        variant = (case.kernel, case.variant.backend)
        cost = self.costs.get(variant) or self.costs[case.kernel]
        return Worker(self, cost, job.process, broken=case.kernel in self.broken)


class Worker:
    def __init__(self, stock, cost, process, *, broken):
        self.stock = stock
        self.cost = cost
        self.process = process
        self.broken = broken
        self.calls = 0
        self.elapsed_ns = []
        self.waited_s = STARTUP_S
        self.start = "spawned"
        stock.world.now_s += STARTUP_S

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def come_up(self):
        pass

    def close(self):
        pass

    def log(self):
        return ""

    def call_ns(self):
        self.calls += 1
        took = self.cost(self.process, self.calls, self.stock.random)
        self.stock.world.now_s += took * 1e-9
        return took

    def tell(self, request):
        if self.broken:
            msg = "as the script says"
            raise WorkerCrashed(msg, "")
        self.told = request

    def ask(self, request, answer):
        self.tell(request)
        return self.hear(answer)

    def hear(self, answer):
        match request := self.told:
            case Load():
                found = Loaded()
            case Prepare():
                took = round(self.call_ns())
                found = Ready(inner_loops=CALLS_OF_A_SAMPLE, call_ns=took)
            case Take():
                block = [
                    round(sum(self.call_ns() for _ in range(CALLS_OF_A_SAMPLE)))
                    for _ in range(request.count)
                ]
                self.elapsed_ns += block
                per_call = tuple(x / CALLS_OF_A_SAMPLE for x in block)
                found = Taken(per_call_ns=per_call, half_width=0.0)
            case Finish():
                n = len(self.elapsed_ns)
                samples = Samples(
                    elapsed_ns=tuple(self.elapsed_ns),
                    inner_loops=(CALLS_OF_A_SAMPLE,) * n,
                    block=(0,) * n,
                )
                found = observed(samples=samples)
            case Measure():
                found = observed(value=self.call_ns() * 1e-9)
        assert isinstance(found, answer)
        return found


def observed(**fields):
    observation = Observation(status=Status.OK, reason="", **fields)
    return Observed(observation=observation, environment=environment())


def steady(call_ns, between=0.0, within=0.0):
    """A cost with a spread between processes and one within (sd of the logarithm)."""
    of_process = {}

    def cost(process, _calls, rng):
        if process not in of_process:
            of_process[process] = rng.lognormvariate(0, between) if between else 1.0
        noise = rng.lognormvariate(0, within) if within else 1.0
        return call_ns * of_process[process] * noise

    return cost
