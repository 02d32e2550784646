"""One look at one job: the whole story of what the operator does.

    observe ─ reconcile ─┬─ nothing to make, delete or settle ──────┐
                         └─ observe live ─ reconcile ─ perform ─────┴─ write the status, once and last

What was told of may be old, so that whatever creates, deletes or settles something is decided again on what
the API server says now. A status is written only for the version of the job that it was decided on; how a run
ended is written before its RayJob is deleted.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from trimtab_api.conditions import Condition, set_condition
from trimtab_api.status import JobStatus
from trimtab_operator.cluster import Cluster
from trimtab_operator.errors import (
    ConflictError,
    GoneError,
    InvalidError,
    NotServedError,
    RefusedError,
    TransientError,
)
from trimtab_operator.fold import unreported
from trimtab_operator.kinds import JOB, RAY_JOB
from trimtab_operator.manifests import mapping_at
from trimtab_operator.observe import Observer
from trimtab_operator.perform import about, perform
from trimtab_operator.reading import status_of
from trimtab_operator.telling import events_of
from trimtab_operator.texts import cut
from trimtab_operator.trim import plain_json, trimmed
from trimtab_operator.view import View
from trimtab_operator.world import Action, Apply, Create, Decision, Delete, Emit, Key, Manifest, Observed

logger = logging.getLogger(__name__)
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
    may_act: Callable[[], bool] = lambda: True
    """Whether this operator is the one that acts; asked before every write, as a look may take minutes."""

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
        if decision.status_first:
            await self._write(seen, decision.status)
        try:
            for together in in_steps(decision.actions):
                await self._perform_all(seen, together)
        except RefusedError as error:
            status = refused(seen, error)
            await self._write(seen, plain_json(status))
            for event in events_of(status_of(seen.job), status):
                await self._perform(seen, event)
            raise
        if not decision.status_first:
            await self._write(seen, decision.status)
        return decision.requeue_after_seconds

    async def _perform_all(self, seen: Observed, actions: Sequence[Action]) -> None:
        """Do what does not depend on each other at the same time; then raise the first error, if any."""
        if len(actions) == 1:
            await self._perform(seen, actions[0])
            return
        doing = (self._perform(seen, action) for action in actions)
        for outcome in await asyncio.gather(*doing, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _perform(self, seen: Observed, action: Action) -> None:
        self._check_lease()
        try:
            await perform(self.cluster, self.view, seen, action)
        except NotServedError:
            if not isinstance(action, Emit) and action.manifest["kind"] == RAY_JOB.name:
                self.view.has_kuberay = False
            raise

    async def _write(self, seen: Observed, status: Manifest) -> None:
        self._check_lease()
        try:
            job = await self._written(seen, status)
        except GoneError:  # deleted meanwhile, and its children with it
            return
        if job is not seen.job:
            self.view.take(JOB, job)
            self.on_status(seen.job, job)

    async def _written(self, seen: Observed, status: Manifest) -> Manifest:
        """Return the job with its status; without what the driver says, should that be what is not taken."""
        try:
            return await self.cluster.write_status(seen.job, status)
        except InvalidError as error:
            logger.error("%s", error, extra=about(seen))
            before = mapping_at(seen.job, "status")
            return await self.cluster.write_status(seen.job, unreported(before, status, str(error)))

    def _check_lease(self) -> None:
        if not self.may_act():
            raise TransientError("the Lease has run out")


def in_steps(actions: Sequence[Action]) -> Iterator[Sequence[Action]]:
    """Yield actions in their order: those that only apply children together, any other by itself.

    A RoleBinding is not taken before its Role is there, so that it stands by itself as well.
    """
    for is_independent, group in itertools.groupby(actions, _is_independent):
        together = list(group)
        yield from [together] if is_independent else ([action] for action in together)


def _is_independent(action: Action) -> bool:
    return isinstance(action, Apply) and action.manifest["kind"] != "RoleBinding"


def needs_second_look(decision: Decision) -> bool:
    """Whether a decision makes, deletes or settles something, so that it must not rest on an old view."""
    return decision.look_first or any(isinstance(action, Create | Delete) for action in decision.actions)


def refused(seen: Observed, error: RefusedError) -> JobStatus:
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
    return trimmed(status.model_copy(update={"conditions": conditions}))
