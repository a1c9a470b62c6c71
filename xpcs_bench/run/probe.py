"""What could run on this machine."""

from __future__ import annotations

from xpcs_bench.measure import environment
from xpcs_bench.run.wire import Availability, Probe, Probed
from xpcs_bench.run.worker import Limits, Worker, worker_variables

__all__ = ["probe"]


def probe(limits: Limits, backends: tuple[str, ...] = ()) -> dict[str, Availability]:
    """Ask a fresh worker what could run on this machine; none for NumPy alone.

    Parameters
    ----------
    backends : tuple of str
        Those that matter; empty: all that are registered.

    Raises
    ------
    WorkerFailure
        The worker did not answer: the installation itself is broken.
    """
    if backends == ("numpy",):
        # it is in this process already, and all it has is this machine
        (found,) = environment.probe(backends).values()
        return {"numpy": Availability.model_validate(vars(found))}
    with Worker("probe", limits, worker_variables(None, None)) as worker:
        return worker.ask(Probe(backends=backends), Probed).backends
