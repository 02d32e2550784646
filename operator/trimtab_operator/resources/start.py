"""Start: all that the children of one start of a job follow from."""

from dataclasses import dataclass

from trimtab_api.control import Control
from trimtab_api.plan import Plan, Segment
from trimtab_api.profile import ProfileSpec
from trimtab_operator.names import Owner, Run, ray_job_name, run_labels
from trimtab_operator.resources.defaults import Defaults


@dataclass(frozen=True, slots=True)
class Start:
    """One segment of a job's plan, to be carried out for the attempt-th time."""

    owner: Owner
    plan: Plan
    profile: ProfileSpec
    """As it was when the job was admitted."""
    segment: int
    """Which of the plan's segments, from 0."""
    attempt: int
    control: Control
    defaults: Defaults

    @property
    def shape(self) -> Segment:
        """The segment itself: its stages and its worker groups."""
        return self.plan.segments[self.segment]

    @property
    def ray_job(self) -> str:
        """Name of the RayJob."""
        return ray_job_name(self.owner.name, self.owner.uid, self.segment, self.attempt)

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the RayJob and of its pods."""
        run = Run(self.plan.profile, self.shape.name, self.attempt)
        return run_labels(self.owner, run, self.defaults.cost_labels)
