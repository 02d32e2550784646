"""Whose a store is: one job's, from one state of its code; another job or other code is refused."""

from pydantic import ValidationError

from trimtab_api.edits import forbidden_edits
from trimtab_api.plan import Plan
from trimtab_api.report import Report
from trimtab_jobs.errors import JobError, RefusedError
from trimtab_jobs.store import ExistsError, MissingError, Store

PLAN_KEY = "plan.json"
CODE_KEY = "code.sha256"
RESULT_KEY = "result.json"


def begin(store: Store, plan: Plan) -> None:
    """Make the store this job's; RefusedError names what differs when it is another job's already.

    A manifest may be mended for as long as nothing was recorded: there is nothing that an edit could mix.
    """
    body = plan.model_dump_json(by_alias=True, exclude_none=True, indent=1).encode()
    try:
        store.create(PLAN_KEY, body)
    except ExistsError:
        if _check_same(store, plan):
            store.put(PLAN_KEY, body)


def _check_same(store: Store, plan: Plan) -> bool:
    """Whether the plan there is another state of this job, of which nothing was recorded."""
    advice = "choose another --output, or remove it"
    try:
        owner = Plan.model_validate_json(store.get(PLAN_KEY), extra="ignore")  # a later version's
    except ValidationError:
        raise RefusedError(
            f"{store.uri}/{PLAN_KEY} cannot be read as a plan of this version; {advice}"
        ) from None
    if owner.name != plan.name:
        raise RefusedError(f"{store.uri} holds the job {owner.name}, not {plan.name}; {advice}")
    if owner.identity == plan.identity:
        return False
    if any(map(store.get, store.list("journal"))):  # empty entries only say which driver it was
        edits = forbidden_edits(owner.spec, plan.spec)
        fields = ", ".join(dict.fromkeys(edit.field for edit in edits)) or "spec"
        raise RefusedError(f"{store.uri} holds {owner.name} with another {fields}; put it back, or {advice}")
    return True


def earlier_report(store: Store) -> Report | None:
    """What an earlier run had written last; None when there is nothing that can be read."""
    try:
        return Report.model_validate_json(store.get(RESULT_KEY), extra="ignore")
    except (MissingError, ValidationError):
        return None


def used_seconds(earlier: Report | None) -> float:
    """Time of earlier drivers, as their report says."""
    return earlier.cost.seconds or 0.0 if earlier is not None else 0.0


def refuse_other_code(store: Store, earlier: Report | None, code_sha256: str) -> None:
    """RefusedError when a model was published here from other code: its trials are of that code."""
    if earlier is None or earlier.phase != "Succeeded":
        return
    if (earlier.environment.code_sha256 or "") != code_sha256:
        raise RefusedError(
            f"{store.uri} holds a model made from other code; put the code back, or choose another --output"
        )


def pin_code(store: Store, code_sha256: str, has_results: bool) -> None:
    """Bind later attempts to this state of the code; JobError when trials have results of another.

    Code that changed between two attempts would mix trials of both, and nobody would have looked at it. While
    no trial has a result there is nothing to mix, and code that failed may be mended.
    """
    try:
        store.create(CODE_KEY, code_sha256.encode())
    except ExistsError:
        pinned = store.get(CODE_KEY).decode()
        if pinned == code_sha256:
            return
        if has_results:
            raise JobError(
                "Configuration",
                f"spec.task.code: the code has changed since trials ran: its SHA-256 was {pinned or 'none'}, "
                f"and is {code_sha256 or 'none'}; put it back and raise spec.retry, or make a new job",
            ) from None
        store.put(CODE_KEY, code_sha256.encode())
