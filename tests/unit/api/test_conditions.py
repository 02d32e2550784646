"""Conditions: one of each type, and a time that only a change of status moves."""

from datetime import UTC, datetime

from trimtab_api.conditions import Condition, set_condition

EARLY, LATE = datetime(2026, 11, 24, 8, tzinfo=UTC), datetime(2026, 11, 24, 9, tzinfo=UTC)
READY = Condition(
    type="Ready", status="False", reason="Searching", last_transition_time=EARLY, observed_generation=1
)
STALLED = Condition(type="Stalled", status="False", reason="Fine", last_transition_time=EARLY)


def test_new_type_is_added_with_the_time() -> None:
    added = set_condition((STALLED,), READY, LATE)

    assert added == (STALLED, READY.model_copy(update={"last_transition_time": LATE}))


def test_same_status_keeps_the_time_and_generation() -> None:
    new = Condition(type="Ready", status="False", reason="Compressing", message="almost")

    replaced = set_condition((READY, STALLED), new, LATE)

    times = {"last_transition_time": EARLY, "observed_generation": 1}
    assert replaced == (new.model_copy(update=times), STALLED)


def test_other_status_moves_the_time() -> None:
    new = Condition(type="Ready", status="True", reason="Done", observed_generation=2)

    replaced = set_condition((READY, STALLED), new, LATE)

    assert replaced == (new.model_copy(update={"last_transition_time": LATE}), STALLED)
