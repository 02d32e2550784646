"""Observe: what the world around one job is like, from the view or live from the API server.

Live, the RayJobs are read before the report: the driver writes its last report before its RayJob ends, so a
RayJob that has ended is never paired with an older report.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from trimtab_operator import names
from trimtab_operator.cluster import Cluster, Selection, items_of
from trimtab_operator.errors import ClusterError, ForbiddenError, NotServedError
from trimtab_operator.kinds import CONFIG_MAP, EVENT, JOB, NAMESPACE, POD, RAY_JOB, controller_of
from trimtab_operator.manifests import at, is_going, items_at, text_at, time_at, whole_at
from trimtab_operator.ray_jobs import is_over
from trimtab_operator.slim import slim
from trimtab_operator.view import View, key_of
from trimtab_operator.world import Key, Manifest, Observed

logger = logging.getLogger(__name__)
QUIET = timedelta(seconds=20)
"""How long a RayJob may be without its pods before warnings are looked for."""
WARNINGS_SECONDS = 30.0
"""How long warnings are good that were read: one list serves all jobs of a namespace."""
_WARNED = ("RayJob", "RayCluster")


class Observer:
    """Reads the world around jobs."""

    def __init__(self, cluster: Cluster, view: View, now: Callable[[], datetime]) -> None:
        self._cluster = cluster
        self._view = view
        self._now = now
        self._namespaces: dict[str, Manifest | None] = {}
        self._warnings: dict[str, tuple[float, tuple[Manifest, ...]]] = {}

    def is_new(self, key: Key) -> bool:
        """Whether nobody has written a job's status yet."""
        return bool(at(self._view.job(key), "status", "observedGeneration") == -1)

    async def observe(self, key: Key) -> Observed | None:
        """Return the world as far as it was told of; None when there is no such job."""
        job = self._view.job(key)
        if job is None:
            return None
        ray_jobs = self._view.children(RAY_JOB, key)
        report = self._view.get(CONFIG_MAP, key.namespace, names.report_name(key.name))
        plan = self._view.get(CONFIG_MAP, key.namespace, names.plan_name(key.name))
        return await self._around(job, ray_jobs, report, plan)

    async def observe_live(self, key: Key) -> Observed | None:
        """Return the world as the API server has it now, and let the view know; None without the job."""
        job = await self._cluster.get(JOB, key.name, key.namespace)
        if job is None:
            return None
        self._view.take(JOB, job)
        if self._is_untouched(job):
            return await self._around(job, (), None, None)
        ray_jobs = await self._ray_jobs(job)
        report = await self._config_map(names.report_name(key.name), key.namespace)
        plan = await self._config_map(names.plan_name(key.name), key.namespace)
        return await self._around(job, ray_jobs, report, plan)

    def forget(self) -> None:
        """Read anew what was kept: the namespaces, and the warnings in them."""
        self._namespaces.clear()
        self._warnings.clear()

    async def _around(
        self, job: Manifest, ray_jobs: tuple[Manifest, ...], report: Manifest | None, plan: Manifest | None
    ) -> Observed:
        """Return the world around a job, of whose ConfigMaps only its own count."""
        key, uid = key_of(JOB, job), job["metadata"]["uid"]
        pods = self._view.children(POD, key)
        return Observed(
            now=self._now(),
            job=job,
            profiles=self._view.profiles(),
            namespace=await self._namespace(key.namespace),
            plan=plan if plan and controller_of(plan) == uid else None,
            report=report if report and controller_of(report) == uid else None,
            ray_jobs=ray_jobs if self._view.has_kuberay else (),
            pods=pods,
            events=await self._events(ray_jobs, pods),
            has_kuberay=self._view.has_kuberay,
        )

    def _is_untouched(self, job: Manifest) -> bool:
        """Whether a job has no children: none were told of, and its status, written after them, knows none.

        Children that were made all the same, by an operator that ended before it wrote that, have the names
        of those that will be made, which are then found.
        """
        key = key_of(JOB, job)
        has_children = any(self._view.children(kind, key) for kind in (RAY_JOB, CONFIG_MAP))
        return not has_children and not at(job, "status", "planDigest") and not at(job, "status", "runs")

    async def _ray_jobs(self, job: Manifest) -> tuple[Manifest, ...]:
        """Return a job's RayJobs, read by name: a list would have the server go through everybody's.

        They are those that were told of and those that should run by the job's status.
        """
        key = key_of(JOB, job)
        known = {text_at(each, "metadata", "name"): each for each in self._view.children(RAY_JOB, key)}
        runs = items_at(job, "status", "runs")
        running = [text_at(run, "name") for run in runs if at(run, "outcome") == "Running"]
        found = [
            await self._ray_job(name, key.namespace, known.get(name)) for name in sorted({*known, *running})
        ]
        return tuple(slim(RAY_JOB, each) for each in found if each)

    async def _ray_job(self, name: str, namespace: str, known: Manifest | None) -> Manifest | None:
        try:
            found = await self._cluster.get(RAY_JOB, name, namespace)
        except NotServedError:
            found, self._view.has_kuberay = None, False
        if found:
            self._view.take(RAY_JOB, found)
        elif known:  # its end was missed
            self._view.lose(RAY_JOB, known)
        return found

    async def _config_map(self, name: str, namespace: str) -> Manifest | None:
        found = await self._cluster.get(CONFIG_MAP, name, namespace)
        if found and text_at(found, "metadata", "labels", names.JOB):
            self._view.take(CONFIG_MAP, found)
        return found and slim(CONFIG_MAP, found)

    async def _namespace(self, name: str) -> Manifest | None:
        """Return a namespace, kept until all is read anew; None where reading it is not allowed."""
        if name not in self._namespaces:
            try:
                self._namespaces[name] = await self._cluster.get(NAMESPACE, name)
            except ForbiddenError:
                self._namespaces[name] = None
        return self._namespaces[name]

    async def _events(
        self, ray_jobs: tuple[Manifest, ...], pods: tuple[Manifest, ...]
    ) -> tuple[Manifest, ...]:
        """Return warnings about RayJobs whose pods do not come."""
        silent = [each for each in ray_jobs if self._is_silent(each, pods)]
        if not silent:
            return ()
        found = await self._warnings_in(text_at(silent[0], "metadata", "namespace"))
        stems = tuple(text_at(each, "metadata", "name") for each in silent)
        return tuple(each for each in found if text_at(each, "involvedObject", "name").startswith(stems))

    def _is_silent(self, ray_job: Manifest, pods: tuple[Manifest, ...]) -> bool:
        """Whether a RayJob should have its pods by now and has not: head, and the workers of each group."""
        created = time_at(ray_job, "metadata", "creationTimestamp")
        if is_over(ray_job) or is_going(ray_job) or created is None or self._now() - created < QUIET:
            return False
        groups = items_at(ray_job, "spec", "rayClusterSpec", "workerGroupSpecs")
        return len(pods) < 1 + sum(whole_at(group, "replicas") for group in groups)

    async def _warnings_in(self, namespace: str) -> tuple[Manifest, ...]:
        time = asyncio.get_running_loop().time()
        read, found = self._warnings.get(namespace, (time - WARNINGS_SECONDS, ()))
        if time - read >= WARNINGS_SECONDS:
            selection = Selection(namespace, fields="type=Warning")
            try:
                every = await items_of(self._cluster, EVENT, selection)
                found = tuple(each for each in every if text_at(each, "involvedObject", "kind") in _WARNED)
            except ClusterError as error:  # they only explain: nothing is decided by them
                logger.warning("warnings cannot be read: %s", error, extra={"namespace": namespace})
            self._warnings[namespace] = time, found
        return found
