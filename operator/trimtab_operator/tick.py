"""One look at one job: the whole story of what the operator does.

    observe ─ reconcile ─┬─ nothing to make, delete or settle ──────┐
                         └─ observe live ─ reconcile ─ perform ─────┴─ write the status, once and last

What was told of may be old, so that whatever creates, deletes or settles something is decided again on what
the API server says now. A status is written only for the version of the job that it was decided on.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from trimtab_api.conditions import Condition, set_condition
from trimtab_operator.cluster import Cluster
from trimtab_operator.errors import ConflictError, GoneError, NotServedError, RefusedError
from trimtab_operator.kinds import JOB
from trimtab_operator.observe import Observer
from trimtab_operator.perform import perform
from trimtab_operator.reading import status_of
from trimtab_operator.texts import cut
from trimtab_operator.trim import plain_json, trimmed
from trimtab_operator.view import View
from trimtab_operator.world import Create, Decision, Delete, Key, Manifest, Observed

_MESSAGE_BYTES = 400


@dataclass(frozen=True, slots=True)
class Tick:
    """Looks at a job whenever it is called."""

    cluster: Cluster
    view: View
    observer: Observer
    reconcile: Callable[[Observed], Decision]
    on_status: Callable[[Manifest, Manifest], None] = lambda before, after: None
    """Told of every status written: the job before and after."""

    async def __call__(self, key: Key) -> float | None:
        """Return in how many seconds to look again even if nothing happens; a ClusterError: not done."""
        if not self.observer.is_new(key):  # a new job is about to get its children
            seen = await self.observer.observe(key)
            if seen is None:
                return None
            decision = self.reconcile(seen)
            if not needs_second_look(decision):
                with contextlib.suppress(ConflictError):  # what was told of is behind
                    return await self._carry_out(seen, decision)
        seen = await self.observer.observe_live(key)
        return await self._carry_out(seen, self.reconcile(seen)) if seen else None

    async def _carry_out(self, seen: Observed, decision: Decision) -> float | None:
        try:
            for action in decision.actions:
                await perform(self.cluster, self.view, seen, action)
        except RefusedError as error:
            await self._write(seen, refused(seen, error))
            raise
        except NotServedError:
            self.view.has_kuberay = False
            raise
        await self._write(seen, decision.status)
        return decision.requeue_after_seconds

    async def _write(self, seen: Observed, status: Manifest) -> None:
        try:
            job = await self.cluster.write_status(seen.job, status)
        except GoneError:  # deleted meanwhile, and its children with it
            return
        if job is not seen.job:
            self.view.take(JOB, job)
            self.on_status(seen.job, job)


def needs_second_look(decision: Decision) -> bool:
    """Whether a decision makes, deletes or settles something, so that it must not rest on an old view."""
    return decision.look_first or any(isinstance(action, Create | Delete) for action in decision.actions)


def refused(seen: Observed, error: RefusedError) -> Manifest:
    """Return the status as it was, and in it why the API server does not let the job go on."""
    status = status_of(seen.job)
    said = Condition(
        type="ClusterReady",
        status="False",
        reason=error.reason,
        message=cut(str(error), _MESSAGE_BYTES),
        observed_generation=seen.job["metadata"]["generation"],
    )
    conditions = set_condition(status.conditions, said, seen.now.replace(microsecond=0))
    return plain_json(trimmed(status.model_copy(update={"conditions": conditions})))
