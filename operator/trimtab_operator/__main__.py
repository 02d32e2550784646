"""Start the operator: python -m trimtab_operator, told everything by the environment (see `settings`)."""

import asyncio
import logging
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial

from trimtab_operator.cluster import Cluster, KubeCluster, load_configuration
from trimtab_operator.counting import count_end
from trimtab_operator.handlers import handlers
from trimtab_operator.health import Reply, Routes, readiness, serve
from trimtab_operator.lease import Elector
from trimtab_operator.lists import Lists
from trimtab_operator.logs import start_logs
from trimtab_operator.metrics import CONTENT_TYPE, Metrics
from trimtab_operator.observe import Observer
from trimtab_operator.operator import LostError, Operator
from trimtab_operator.queue import WorkQueue
from trimtab_operator.reconcile import reconcile
from trimtab_operator.settings import Settings, SettingsError, read_settings
from trimtab_operator.tick import Tick
from trimtab_operator.view import View
from trimtab_operator.watch import watch
from trimtab_operator.work import Work
from trimtab_operator.world import Key

logger = logging.getLogger("trimtab_operator")


def assemble(settings: Settings, cluster: Cluster, metrics: Metrics) -> Operator:
    """Return an operator for a cluster, made of its parts."""
    view, queue = View(), WorkQueue[Key](settings.backoff)
    observer, elector = Observer(cluster, view, utc_now), Elector(cluster, settings.lease, utc_now)

    def may_act() -> bool:
        return elector.holds

    decide, count = partial(reconcile, defaults=settings.defaults), partial(count_end, metrics)
    return Operator(
        settings=settings,
        view=view,
        queue=queue,
        lists=Lists(cluster, view, settings.namespaces),
        observer=observer,
        elector=elector,
        work=Work(queue, Tick(cluster, view, observer, decide, count, may_act), may_act, metrics),
        metrics=metrics,
    )


def health_routes(operator: Operator) -> Routes:
    """Return what the kubelet may ask: whether this lives, and whether it has read what is there."""
    missing = "a first list of everything"
    return {
        "/healthz": operator.heartbeats.health,
        "/readyz": lambda: readiness(None if operator.is_filled.is_set() else missing),
    }


def metrics_routes(operator: Operator) -> Routes:
    """Return what Prometheus may ask."""

    def answer() -> Reply:
        operator.metrics.queue_depth(len(operator.queue))
        operator.metrics.jobs(operator.view.phases())
        return Reply(200, operator.metrics.text(), CONTENT_TYPE)

    return {"/metrics": answer}


async def run(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM; LostError when the Lease is lost."""
    metrics, configuration = Metrics(), await load_configuration(settings.kubeconfig)
    cluster = KubeCluster(configuration, metrics.requested, settings.request_timeout_seconds)
    operator = assemble(settings, cluster, metrics)
    registry = handlers(operator.view, operator.queue, cluster.connection)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(cluster.close)
        stack.push_async_callback(operator.elector.release)
        await stack.enter_async_context(serve(settings.health_port, health_routes(operator)))
        await stack.enter_async_context(serve(settings.metrics_port, metrics_routes(operator)))
        await operator.run(partial(watch, registry, settings.namespaces))


def main() -> int:
    """Return the exit code: 0 when told to end, 1 when the Lease is lost, 2 for settings that are wrong."""
    try:
        settings = read_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    start_logs(settings.log_format, settings.log_level)
    try:
        asyncio.run(run(settings))
    except LostError as error:
        logger.error("%s", error)
        return 1
    return 0


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


if __name__ == "__main__":
    sys.exit(main())
