"""Sample jobs with the profiles they run under, and the children that the operator makes of them.

tests/golden/SAMPLE/profile.yaml, job.yaml    what comes in; without a job.yaml, examples/SAMPLE/job.yaml
tests/golden/SAMPLE/NAME.yaml                 what comes out, one file a child
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from trimtab_api.control import Control
from trimtab_api.manifest import parse_job, parse_profile, read_stream
from trimtab_operator.names import owner_of
from trimtab_operator.profiles import plan_for
from trimtab_operator.resources import Defaults, Start

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
SAMPLES = tuple(sorted(path.name for path in GOLDEN.iterdir()))
INPUTS = {"profile.yaml", "job.yaml"}
DEFAULTS = Defaults(worker_image="registry.example.org/trimtab:0.1.0", kuberay_namespace="kuberay-system")
UID = "6f1b2c3d-0000-4000-8000-00000000abcd"
Document = dict[str, Any]


@cache
def sample_job(sample: str) -> Document:
    """The job of a sample as the API server would give it."""
    given, example = GOLDEN / sample / "job.yaml", ROOT / "examples" / sample / "job.yaml"
    document = read_stream((given if given.exists() else example).read_text()).job
    assert document is not None
    return {**document, "metadata": {"namespace": "default", **document["metadata"], "uid": UID}}


@cache
def sample_profile(sample: str) -> Document:
    """The profile of a sample."""
    document = read_stream((GOLDEN / sample / "profile.yaml").read_text()).profile
    assert document is not None
    return dict(document)


@cache
def starts(sample: str) -> tuple[Start, ...]:
    """The first attempt of each segment of a sample."""
    job, profile = parse_job(sample_job(sample)), parse_profile(sample_profile(sample))
    plan = plan_for(job, profile, None)
    return tuple(
        Start(owner_of(sample_job(sample)), plan, profile.spec, segment, 1, Control(), DEFAULTS)
        for segment in range(len(plan.segments))
    )


def rendered(child: Document) -> str:
    """A child as YAML to read: in the order of its builder, JSON inside it in lines."""
    if child["kind"] == "ConfigMap" and "data" in child:
        inner = {key: json.dumps(json.loads(text), indent=1) for key, text in child["data"].items()}
        child = {**child, "data": inner}
    return yaml.dump(child, Dumper=_Dumper, sort_keys=False, width=110)


class _Dumper(yaml.SafeDumper):
    """Lists indented as people write them, text of several lines in blocks, and nothing by reference."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
