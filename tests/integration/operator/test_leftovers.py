"""What is left of a job that has ended: its children until their time has come, itself for good."""

from tests.support.operated import Document, Site


def test_children_go_when_their_time_has_come_and_the_job_stays(site: Site) -> None:
    job = site.apply(ttlSecondsAfterFinished=3600)
    ended = job.succeed()
    kept = set(job.left())
    assert {"ConfigMap", "RayJob", "Role", "RoleBinding", "ServiceAccount", "NetworkPolicy"} <= kept

    job.edit(ttlSecondsAfterFinished=0)
    job.wait_until_nothing_is_left()

    after = job.until("told", lambda found: "cleared" in found["status"])
    changed = {"observedGeneration", "conditions", "cleared"}
    assert without(after["status"], changed) == without(ended["status"], changed)
    assert after["metadata"]["uid"] == ended["metadata"]["uid"]


def test_children_of_a_failed_job_go_as_well_and_it_can_be_tried_again(site: Site) -> None:
    job = site.apply(ttlSecondsAfterFinished=0)
    job.fail("GuardrailNotMet")
    job.wait_until_nothing_is_left()

    job.edit(retry=1)
    job.runs(attempt=2)

    assert job.succeed()["status"]["attempt"] == 2


def without(status: Document, names: set[str]) -> Document:
    return {key: value for key, value in status.items() if key not in names}
