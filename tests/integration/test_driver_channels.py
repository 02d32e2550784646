"""The driver's two channels on a real API server, with the rights of a job's service account, no others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cluster import ApiServer
from tests.support.driver_account import DriverAccount
from tests.support.driver_stand_in import DriverStandIn
from tests.support.driving import MANIFEST, SEARCH
from tests.support.jobs import job
from trimtab_api.control import Control
from trimtab_api.plan import Plan, resolve
from trimtab_api.profile import LOCAL_PROFILE
from trimtab_jobs.config_maps import ApiError, ConfigMaps
from trimtab_jobs.settings import Settings


def plan_of(**changes) -> Plan:
    plan = resolve(job(**MANIFEST | changes), LOCAL_PROFILE)
    return plan.model_copy(update={"namespace": "driver-channels"})


@pytest.fixture
def account(api_server: ApiServer, tmp_path: Path) -> DriverAccount:
    return DriverAccount(api_server, plan_of(), tmp_path).make()


@pytest.fixture
def settings(account: DriverAccount) -> Settings:
    return Settings.read(account.environment("/store", attempt=2))


@pytest.fixture
def driver(settings: Settings) -> Iterator[DriverStandIn]:
    with DriverStandIn(settings) as driver:
        yield driver


def test_reports_arrive_with_attempt_and_segment(account: DriverAccount, driver: DriverStandIn):
    driver.searching(2, running=1)
    driver.succeed()

    reported, report = account.reported(), account.report()
    assert (reported["attempt"], reported["segment"]) == ("2", "search")
    assert (report.phase, report.trials.completed, report.trials.total) == ("Succeeded", 2, 3)


def test_edits_of_the_plan_arrive(account: DriverAccount, driver: DriverStandIn):
    edited = plan_of(search=SEARCH | {"trials": 50})
    account.server.apply(account.plan_map(edited, Control(stop_search="cost")))

    account.server.wait_until("the edit arrives", lambda: driver.orders.plan == edited)
    assert driver.orders.control.stop_search == "cost"


def test_another_jobs_plan_is_refused_and_told_once(account: DriverAccount, driver: DriverStandIn):
    account.server.apply(account.plan_map(plan_of(search=SEARCH | {"seed": 8})))

    account.server.wait_until("the driver says so", lambda: bool(driver.told))
    assert driver.told == ["the plan of digits has become another job's; this run keeps to its own"]
    assert driver.orders.plan == account.plan


def test_a_deleted_report_is_written_again_once_it_is_back(account: DriverAccount, driver: DriverStandIn):
    account.server.delete(account.report_map())
    driver.unreliable()
    driver.searching(1)
    account.server.wait_until("the driver notices", lambda: bool(driver.told))

    account.server.apply(account.report_map())

    assert driver.finish()
    assert account.report().trials.completed == 1
    assert driver.told == [
        "the report does not get through, and is tried again: PATCH ConfigMap digits-report: 404 "
        'configmaps "digits-report" not found'
    ]


def test_a_renewed_token_is_used(account: DriverAccount, driver: DriverStandIn):
    account.token_file.write_text("expired")
    driver.unreliable()
    driver.searching(1)
    account.server.wait_until("the driver is refused", lambda: "401" in str(driver.told))

    account.token_file.write_text(account.server.token_of(account.plan.namespace, account.account))

    assert driver.finish()


@pytest.mark.parametrize("name", ["digits-plan", "other-report", "digits-report-2"])
def test_the_token_patches_its_report_only(settings: Settings, name: str):
    maps = ConfigMaps.of(settings)

    with pytest.raises(ApiError, match=f'configmaps "{name}" is forbidden') as refused:
        maps.patch(name, {"report.json": "{}"})
    assert refused.value.code == 403
    maps.close()


@pytest.mark.parametrize(
    "path",
    [
        "namespaces/driver-channels/secrets",
        "namespaces/driver-channels/configmaps",
        "namespaces/driver-channels/configmaps/other-plan",
        "namespaces/default/configmaps/digits-plan",
        "namespaces/driver-channels/pods",
    ],
)
def test_the_token_reads_its_two_config_maps_only(settings: Settings, path: str):
    maps = ConfigMaps.of(settings)

    answer = maps._client.get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {maps._token()}"})

    assert answer.status_code == 403
    maps.close()
