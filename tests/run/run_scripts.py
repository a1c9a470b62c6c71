"""Workers without processes, on a clock that only they move: costs are known.

A cost is a function of (process, calls so far, random) to the time of one call (ns);
the scripted workers sample it as real ones do, labels included, and a second of the
scripted world takes microseconds.
"""

import contextlib
import random
from dataclasses import replace

from making import environment, experiment, sampling

from xpcs_bench.config import KernelChoice, Matrix
from xpcs_bench.errors import WorkerCrashed
from xpcs_bench.records import Device, Observation, Samples, Status
from xpcs_bench.run.execute import execute
from xpcs_bench.run.journal import Journal, read_journal
from xpcs_bench.run.plan import make_plan
from xpcs_bench.run.store import begin, compose
from xpcs_bench.run.twins import against_baseline
from xpcs_bench.run.wire import (
    Availability,
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
from xpcs_bench.run.worker import Limits

HERE = Availability(
    available=True,
    reason="",
    version="1",
    devices=(Device(platform="cpu", index=0, name="cpu", memory_bytes=None),),
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
        Name of a kernel, or (kernel, backend), to its cost; of a part of a control,
        (kernel, backend, part); of one of two revisions, where it has a cost of its
        own, (kernel, backend, revision). A cost may be :class:`Sized`.
    broken : collection of str, or callable
        Names of kernels whose workers crash, or from a case to whether its does.
    known : float or None
        The half-width that every worker claims; None: none, so that it is sampled for
        as long as it may be.
    """

    def __init__(self, world, costs, *, seed=0, broken=(), known=0.0):
        self.world = world
        self.known = known
        for cost in costs.values():
            if isinstance(cost, Moving):
                cost.world = world
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

    def settle(self):
        pass

    def take(self, case, job, cache=None):
        self.taken.append((case.id, job.process))
        variant = (case.kernel, case.variant.backend)
        part = case.variant.control
        if part:
            cost = self.costs[*variant, part]
        else:
            own = self.costs.get((*variant, case.variant.revision))
            cost = own or self.costs.get(variant) or self.costs[case.kernel]
        if isinstance(cost, Sized):
            cost = cost.of(case)
        broken = self.broken
        lost = broken(case) if callable(broken) else case.kernel in broken
        return Worker(self, cost, job.process, broken=lost)


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
                found = Taken(per_call_ns=per_call, half_width=self.stock.known)
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


class Sized:
    """A cost that depends on a parameter of the case, by its value."""

    def __init__(self, axis, cost):
        self.axis = axis
        self.cost = cost
        self.made = {}

    def of(self, case):
        size = case.params[self.axis]
        if size not in self.made:
            self.made[size] = self.cost(size)
        return self.made[size]


class Moving:
    """A cost on a machine that is faster or slower as time goes on."""

    def __init__(self, cost, factor):
        self.cost = cost
        self.factor = factor
        self.world = None

    def __call__(self, process, calls, rng):
        return self.cost(process, calls, rng) * self.factor(self.world.now_s)


def linear(a_ns, b_ns, n):
    """What a call on n elements costs: a + b n, the one part that has a size."""
    return a_ns + b_ns * n


def restless(now_s):
    """A machine that becomes slower all the time, and is twice as slow in bursts."""
    return (1 + 0.02 * now_s) * (2.0 if now_s % 1.5 < 0.7 else 1.0)


def trio(call_ns, between=0.0, *, again=1.0, slowed=1.15):
    """Costs of the parts of both backends' controls, each with a scatter of its own."""
    factors = {"first": 1.0, "again": again, "slowed": slowed}
    return {
        ("g2_model", backend, part): steady(call_ns * factor, between)
        for backend in ("numpy", "jax")
        for part, factor in factors.items()
    }


class Listener:
    """Counts what is to come; interrupts as Ctrl-C does after so many measurements."""

    def __init__(self, stop_after=None):
        self.total = 0
        self.stop_after = stop_after
        self.seen = 0

    def started(self, total):
        self.total += total

    def extended(self, count):
        self.total += count

    def working(self, case, process):
        pass

    def measured(self, case, measurement):
        self.seen += 1
        if self.seen == self.stop_after:
            raise KeyboardInterrupt


def carry_out(
    costs,
    folder,
    *,
    measure=("steady_state",),
    broken=(),
    seed=0,
    controls=False,
    turns=True,
    known=0.0,
    search=None,
    gate=None,
    stop_after=None,
    **changes,
):
    """Carry out a plan of kernels with known costs; return record, stock, world.

    With ``gate`` every case is of two revisions. With ``stop_after`` it is interrupted
    after so many measurements, and resumed.
    """
    keys = [(key,) if isinstance(key, str) else key for key in costs]
    # a key of three is a part of a control, which the plan adds by itself
    names = dict.fromkeys(key[0] for key in keys if len(key) < 3)
    params = {search.axis: search.sizes} if search else {}
    values = {"max_time_s": 0.3, "processes": 3, "precision": 0.02} | changes
    plan = make_plan(
        experiment(
            kernels=tuple(KernelChoice(name=name, params=params) for name in names),
            crossover=search,
            gate=gate,
            matrix=Matrix(
                backend=("numpy", "jax"), device=("cpu",), dtype=("float64",)
            ),
            measure=measure,
            sampling=sampling(**values),
            controls=controls,
            seed=seed,
        ),
        {"numpy": HERE, "jax": HERE},
        2**40,
    )
    if gate:
        plan = against_baseline(plan, "0" * 40, dict.fromkeys(names, "1"))
    if not turns:
        # no two cases fit into memory together
        alone = dict.fromkeys(plan.memory_bytes, 2**40 - 1)
        plan = replace(plan, memory_bytes=alone)
    world = World()
    stock = Stock(world, costs, seed=seed, broken=broken, known=known)
    folder, header = begin(
        plan, folder / str(seed), ["test"], ("x", "0" * 64), environment()
    )
    with Journal(folder) as journal:
        journal.header(header)

    def session(listener):
        with Journal(folder) as journal:
            execute(
                plan,
                read_journal(folder),
                journal,
                Limits(60.0, 2**40),
                listener,
                stock=stock,
                monotonic=world.monotonic,
            )

    listener = Listener(stop_after)
    if stop_after is None:
        session(listener)
        assert listener.seen == listener.total
    else:
        with contextlib.suppress(KeyboardInterrupt):
            session(listener)
        session(Listener())
    record = compose(read_journal(folder), interrupted=False)
    return record, stock, world
