"""Operators and drivers of neighbouring versions read each other."""

import pytest
from pydantic import BaseModel, ValidationError

from tests.support.jobs import job
from trimtab_api.plan import Plan, resolve
from trimtab_api.profile import LOCAL_PROFILE
from trimtab_api.report import Report
from trimtab_api.versions import SCHEMA_VERSION

MODELS = [
    pytest.param(resolve(job(), LOCAL_PROFILE), id="plan"),
    pytest.param(Report(name="digits"), id="report"),
]
OTHERS = {"the version before": -1, "this version": 0, "the version after": 1}


@pytest.mark.parametrize("difference", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("model", MODELS)
def test_neighbouring_version_is_read(model: Plan | Report, difference: int) -> None:
    assert read(model, difference) == model.model_copy(update={"schema_version": SCHEMA_VERSION + difference})


@pytest.mark.parametrize("difference", [-2, 2])
@pytest.mark.parametrize("model", MODELS)
def test_version_further_away_is_refused_by_name(model: Plan | Report, difference: int) -> None:
    with pytest.raises(ValidationError, match="schemaVersion"):
        read(model, difference)


def read(model: Plan | Report, difference: int) -> BaseModel:
    content = model.model_dump(mode="json", by_alias=True, exclude_none=True)
    return type(model).model_validate(content | {"schemaVersion": SCHEMA_VERSION + difference})
