"""The children of a job, as manifests. Pure: a builder is one literal in the order of the YAML.

Start ─ children ─┬─ plan, report            ConfigMaps between operator and driver
                  ├─ service account, role   what the driver may do
                  ├─ network policy          who may reach the Ray cluster
                  └─ RayJob ─ pods           of one segment: placed by groups, with store and code as parts
"""

from trimtab_operator.resources.defaults import Defaults
from trimtab_operator.resources.groups import Pods, pods_of
from trimtab_operator.resources.plan_config_map import build_plan_config_map
from trimtab_operator.resources.start import Start
from trimtab_operator.resources.writes import children

__all__ = ["Defaults", "Pods", "Start", "build_plan_config_map", "children", "pods_of"]
