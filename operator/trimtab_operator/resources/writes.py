"""The writes that start a segment: which children, in which order."""

from trimtab_operator.resources.network_policy import build_network_policy
from trimtab_operator.resources.plan_config_map import build_plan_config_map
from trimtab_operator.resources.ray_job import build_ray_job
from trimtab_operator.resources.report_config_map import build_report_config_map
from trimtab_operator.resources.role import build_role
from trimtab_operator.resources.role_binding import build_role_binding
from trimtab_operator.resources.service_account import build_service_account, store_account
from trimtab_operator.resources.start import Start
from trimtab_operator.world import Apply, Create


def children(start: Start) -> tuple[Apply | Create, ...]:
    """Return the writes of a start in their order: all that the RayJob's pods need is there before it.

    SpecError when the plan is too large to be kept.
    """
    owner, profile = start.owner, start.profile
    account = () if store_account(profile) else (Apply(build_service_account(owner)),)
    return (
        Apply(build_plan_config_map(owner, start.plan, profile, start.control)),
        Apply(build_report_config_map(owner)),
        *account,
        Apply(build_role(owner)),
        Apply(build_network_policy(owner, start.defaults)),
        Apply(build_role_binding(owner, profile)),
        Create(build_ray_job(start)),
    )
