"""What is left of a job that has ended: its children until their time has come, itself for good."""

from tests.support.operated import Site


def test_children_go_when_their_time_has_come_and_the_job_stays(site: Site) -> None:
    job = site.apply(ttlSecondsAfterFinished=3600)
    ended = job.succeed()
    kept = set(job.left())
    assert {"ConfigMap", "RayJob", "Role", "RoleBinding", "ServiceAccount", "NetworkPolicy"} <= kept

    job.edit(ttlSecondsAfterFinished=0)
    job.wait_until_nothing_is_left()

    after = job.now()
    any_time = {"observedGeneration": 1, "conditions": [], "cleared": True}
    assert after["status"] | any_time == ended["status"] | any_time
    assert after["metadata"]["uid"] == ended["metadata"]["uid"]


def test_children_of_a_failed_job_go_as_well_and_it_can_be_tried_again(site: Site) -> None:
    job = site.apply(ttlSecondsAfterFinished=0)
    job.fail("GuardrailNotMet")
    job.wait_until_nothing_is_left()

    job.edit(retry=1)
    job.runs(attempt=2)

    assert job.succeed()["status"]["attempt"] == 2
