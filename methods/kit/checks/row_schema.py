"""The answer is JSON that follows the schema of its row, with something for each key that is right."""

import json
from functools import lru_cache

from kit.checking import Case, Check, Found
from kit.checks import json_schema
from kit.events import fail


def make(strict: bool = False) -> Check:
    """As `json_schema`, with the schema of each row. Refuses `row_schema_missing`, `schema_invalid`."""

    @lru_cache(256)  # many rows have the same, and each is asked about several times
    def of(schema: str) -> Check:
        return json_schema.make(json.loads(schema), strict)

    def check(answer: str, case: Case) -> Found:
        if not case.schema:
            fail("row_schema_missing", "The rows have no schema that answers could follow: take data with one.")
        return of(case.schema)(answer, case)

    return check
