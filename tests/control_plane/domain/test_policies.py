"""What a job's owner may ask of the scheduler."""

import math

import pytest

from control_plane.domain.errors import FieldInvalid
from control_plane.domain.policies import Policy


@pytest.mark.parametrize("field", ["not_before", "lost_after", "priority", "time_limit"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300, -1.0e300])
def test_what_is_no_usable_number_is_refused_by_its_name(field: str, value: float) -> None:
    with pytest.raises(FieldInvalid) as refused:
        Policy(**{field: value}).check()  # type: ignore[arg-type]
    assert refused.value.params["field"] == field


@pytest.mark.parametrize(
    "policy",
    [
        Policy(),
        Policy(priority=-100),
        Policy(not_before=4_000_000_000.0),
        Policy(lost_after=30.0),
        Policy(time_limit=1.0),
    ],
)
def test_what_makes_sense_is_taken(policy: Policy) -> None:
    policy.check()
