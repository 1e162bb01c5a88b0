"""The ban lists: what each tier holds, and that no tier lets through what it says it bans."""

from __future__ import annotations

import json
from typing import Any

import pytest

from companion.mind.api.capabilities import ban_list, smaller_tier
from tests.support.paths import SHARED

ANALYSIS = SHARED / "reference" / "bracket_tokens.json"


@pytest.fixture(scope="module")
def analysis() -> dict[str, Any]:
    if not ANALYSIS.exists():
        pytest.skip("needs ../shared/reference/bracket_tokens.json, which is not here")
    content: dict[str, Any] = json.loads(ANALYSIS.read_text())
    return content


def test_the_tiers_have_their_documented_sizes_and_ban() -> None:
    assert [len(ban_list(tier)) for tier in ("documented", "prose", "complete")] == [10, 182, 3025]
    assert set(ban_list("prose").values()) == {-100}
    assert {"7", "320", "9909"} <= ban_list("documented").keys()


def test_a_direction_that_gets_through_can_close() -> None:
    assert not {"8", "873", "7552"} & (ban_list("documented").keys() | ban_list("prose", asterisks=True).keys())


def test_asterisks_come_on_top_of_all_but_the_documented_list() -> None:
    assert ban_list("documented", asterisks=True) == ban_list("documented")
    for tier in ("prose", "complete"):
        assert ban_list(tier).keys() < ban_list(tier, asterisks=True).keys()
        assert {"9", "353", "334"} <= ban_list(tier, asterisks=True).keys()


def test_each_tier_gives_way_to_a_smaller_one_and_the_smallest_to_none() -> None:
    assert [smaller_tier("complete"), smaller_tier("prose"), smaller_tier("documented")] == [
        "prose",
        "documented",
        None,
    ]


def test_every_token_that_prose_opens_a_bracket_with_is_in_the_prose_tier(analysis: dict[str, Any]) -> None:
    tiers = analysis["opening_paren_tiers"]
    wanted = {token for name, ids in tiers.items() if name[:2] in ("T1", "T2", "T3") for token in ids}
    assert ban_list("prose").keys() == wanted


def test_the_complete_tier_leaves_no_token_with_a_bracket(analysis: dict[str, Any]) -> None:
    classes = analysis["classes"]
    assert ban_list("complete").keys() >= classes["paren_open_half ("].keys() | classes["paren_open_full （"].keys()
    starred = ban_list("complete", asterisks=True).keys()
    assert starred >= classes["asterisk *"].keys() | classes["asterisk_full ＊"].keys()
