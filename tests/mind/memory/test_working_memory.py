"""The id of a session."""

from __future__ import annotations

import uuid

from companion.mind.memory.working_memory import session_id


def test_the_session_is_the_same_for_the_same_and_another_for_all_others() -> None:
    ids = [
        session_id("unit", "Momo"),
        session_id("unit2", "Momo"),
        session_id("unit", "Mimi"),
        session_id("unit", "Momo", "Ana"),
        session_id("unit", "Momo", "Ana", 1),
        session_id("unit", "MomoAna"),
    ]
    assert len(set(ids)) == len(ids)
    assert session_id("unit", "Momo") == ids[0]
    assert {uuid.UUID(one).version for one in ids} == {5}
