"""The CustomResourceDefinitions, made from the models.

`python -m trimtab_api.schema FOLDER` writes one file for each kind.
"""

import sys
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from trimtab_api.fields import LABEL
from trimtab_api.job import OptimizationJob
from trimtab_api.metadata import API_VERSION
from trimtab_api.profile import OptimizationProfile
from trimtab_api.status import JobStatus
from trimtab_api.structural import Json, structural

GROUP, VERSION = API_VERSION.split("/")
HEADER = "# Generated from trimtab_api by `make crd`: change the models, not this file.\n"


def crds() -> dict[str, Json]:
    """Return each CustomResourceDefinition by its file's name."""
    definitions = (job_crd(), profile_crd())
    return {f"{GROUP}_{each['spec']['names']['plural']}.yaml": each for each in definitions}


def job_crd() -> Json:
    """Return the definition of OptimizationJob."""
    schema = _document(OptimizationJob)
    # A fresh object is in progress, not done: kstatus compares this with the object's generation.
    schema["properties"]["status"] = structural(JobStatus) | {"default": {"observedGeneration": -1}}
    version = {
        "additionalPrinterColumns": [
            _column("Phase", ".status.phase"),
            _column("Stage", ".status.stage"),
            _column("Trials", ".status.summary.trials"),
            _column("Best", ".status.summary.best"),
            _column("Size", ".status.summary.size"),
            _column("Speedup", ".status.summary.speedup"),
            _column("Age", ".metadata.creationTimestamp", "date"),
        ],
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": schema},
    }
    return _definition("OptimizationJob", "optjob", "Namespaced", version)


def profile_crd() -> Json:
    """Return the definition of OptimizationProfile."""
    version = {
        "additionalPrinterColumns": [
            _column("Default", r".metadata.annotations.trimtab\.io/is-default-profile"),
            _column("Store", ".spec.store.uri"),
            _column("Age", ".metadata.creationTimestamp", "date"),
        ],
        "schema": {"openAPIV3Schema": _document(OptimizationProfile)},
    }
    return _definition("OptimizationProfile", "optprofile", "Cluster", version)


def _definition(kind: str, short: str, scope: str, version: Json) -> Json:
    singular = kind.lower()
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{singular}s.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": f"{singular}s",
                "singular": singular,
                "shortNames": [short],
            },
            "scope": scope,
            "versions": [{"name": VERSION, "served": True, "storage": True, **version}],
        },
    }


def _column(name: str, path: str, kind: str = "string") -> Json:
    return {"name": name, "type": kind, "jsonPath": path}


def _document(model: type[BaseModel]) -> Json:
    """Return the schema of a whole object; of its metadata only the name is ours to judge."""
    spec: Any = model.model_fields["spec"].annotation
    return {
        "description": (model.__doc__ or "").split("\n")[0],
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {
                "type": "object",
                "properties": {"name": {"type": "string", "pattern": LABEL, "maxLength": 63}},
            },
            "spec": structural(spec) | {"description": model.model_fields["spec"].description},
        },
    }


def main(folder: str) -> None:
    """Write the definitions into a folder."""
    for name, definition in crds().items():
        text = yaml.safe_dump(definition, sort_keys=False, width=110, allow_unicode=True)
        (Path(folder) / name).write_text(HEADER + text)


if __name__ == "__main__":
    main(sys.argv[1])
