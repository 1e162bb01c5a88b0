"""Words in single stars inside a sentence: what is stressed is said, what is done is acted."""

from __future__ import annotations

import pytest

from companion.events import Cue
from companion.languages.understood import understood
from companion.voice.stage.stage import Stage


def shown(text: str, code: str) -> tuple[str, list[str]]:
    """What is spoken and acted, the same however the answer is cut."""
    both = []
    for deltas in ([text], list(text)):
        stage = Stage("Momo", understood(code))
        pieces = [piece for delta in deltas for piece in stage.feed(delta)] + stage.close()
        spoken = "".join(one for one in pieces if isinstance(one, str))
        both.append((spoken, [one.gesture or one.emotion or "" for one in pieces if isinstance(one, Cue)]))
    assert both[0] == both[1]
    return both[0]


@pytest.mark.parametrize(
    ("code", "text", "spoken"),
    [
        ("en", "The stove is *not* a toy, and it *is* hot.", "The stove is not a toy, and it is hot."),
        ("en", "I *love* honey!", "I love honey!"),
        ("en", "I'm *so happy* today.", "I'm so happy today."),
        ("en", "You can *dance* with me.", "You can dance with me."),
        ("en", "My favourite book is *The Red Bear*.", "My favourite book is The Red Bear."),
        ("en", "The *big bad wolf* came.", "The big bad wolf came."),
        ("en", "*Never* touch it.", "Never touch it."),
        ("fr", "*Non* ! Ne touche pas.", "Non ! Ne touche pas."),
        ("de", "*Nein*! Nicht anfassen.", "Nein! Nicht anfassen."),
        ("en", "*What a day!* I am tired.", "What a day! I am tired."),
        ("en", "*Never ever?* Oh no.", "Never ever? Oh no."),
        ("en", '"*Stop*," it says.', '"Stop," it says.'),
        ("en", "You are ***so*** brave.", "You are so brave."),
        ("en", "To *be* or *not* to be", "To be or not to be"),
        ("de", "Der Herd ist *kein* Spielzeug.", "Der Herd ist kein Spielzeug."),
        ("de", "Das ist *sehr* wichtig.", "Das ist sehr wichtig."),
        ("de", "Mein Lieblingsbuch ist *Der rote Bär*.", "Mein Lieblingsbuch ist Der rote Bär."),
        ("es", "Esto *no* es un juguete.", "Esto no es un juguete."),
        ("fr", "Je t'aime *beaucoup*.", "Je t'aime beaucoup."),
        ("pt", "Eu gosto *muito* de você.", "Eu gosto muito de você."),
        ("id", "Itu *bukan* mainan.", "Itu bukan mainan."),
        ("ko", "너는 *최고*야!", "너는 최고야!"),
        ("zh", "炉子*不是*玩具。", "炉子不是玩具。"),
        ("en", "***Wow!*** That is great.", "Wow! That is great."),
        ("en", "***Surprise!***", "Surprise!"),
        ("en", "***Happy birthday!*** Come in.", "Happy birthday! Come in."),
        ("en", "*Wow!* Look.", "Wow! Look."),
        ("zh", "***哇！***好。", "哇！好。"),
        ("ja", "***すごい！***うん。", "すごい！うん。"),
        ("id", "***Wah!*** Ya.", "Wah! Ya."),
        ("de", "***Super!*** Ja.", "Super! Ja."),
        ("es", "***¡Guau!*** Sí.", "¡Guau! Sí."),
        ("fr", "***Génial !*** Oui.", "Génial ! Oui."),
        ("ko", "***와!*** 좋아.", "와! 좋아."),
        ("pt", "***Nossa!*** Sim.", "Nossa! Sim."),
        ("en", "*Once upon a time* there was a bear.", "Once upon a time there was a bear."),
        ("en", "*Every morning before breakfast* we sing.", "Every morning before breakfast we sing."),
        ("zh", "*很久很久以前*有一只熊。", "很久很久以前有一只熊。"),
        ("ja", "*むかしむかし*あるところに。", "むかしむかしあるところに。"),
        ("id", "*Pada suatu hari* ada beruang.", "Pada suatu hari ada beruang."),
        ("de", "*Es war einmal* ein Bär.", "Es war einmal ein Bär."),
        ("es", "*Había una vez* un oso.", "Había una vez un oso."),
        ("fr", "*Il était une fois* un ours.", "Il était une fois un ours."),
        ("ko", "*옛날 옛적에* 곰이 살았어요.", "옛날 옛적에 곰이 살았어요."),
        ("pt", "*Era uma vez* um urso.", "Era uma vez um urso."),
        ("ja", "これは*絶対*だめ。", "これは絶対だめ。"),
    ],
)
def test_a_stressed_word_keeps_its_place(code: str, text: str, spoken: str) -> None:
    assert shown(text, code) == (spoken, [])


@pytest.mark.parametrize(
    ("code", "text", "spoken", "acts"),
    [
        ("en", "Hello *waves* my friend.", "Hello my friend.", ["wave"]),
        ("en", "Oh my friend *laughing* come in.", "Oh my friend come in.", ["amused"]),
        ("en", "Oh *sigh* I know.", "Oh I know.", ["disappointed"]),
        ("en", "*Giggles!* You are funny.", "You are funny.", ["amused"]),
        ("en", "*Jumps up and down!* We won.", "We won.", ["jump"]),
        ("en", "Well, *sits* okay.", "Well, okay.", []),
        ("en", "Well *opens the door* come in.", "Well come in.", []),
        ("en", "I see *promptly* yes.", "I see yes.", []),
        ("en", "Oh *to the girl* come in.", "Oh come in.", []),
        ("en", "He said *To Eliza* no.", "He said no.", []),
        ("en", "*smiles* hello", "hello", ["happy"]),
        ("en", "*Nods*, yes.", "Yes.", ["nod"]),
        ("en", "Hey *He sits* so.", "Hey so.", []),
        ("en", "Hm *pause* so.", "Hm so.", []),
        ("en", "Okay *laughs softly* fine.", "Okay fine.", ["amused"]),
        ("en", "***waves*** hello", "hello", ["wave"]),
        ("en", "***Giggles!*** Hi.", "Hi.", ["amused"]),
        ("en", "***Gasp!*** No.", "No.", ["surprised"]),
        ("zh", "***挥手！***好。", "好。", ["wave"]),
        ("en", "*A soft wind blows through the room* hello", "hello", []),
        ("en", "*With a big warm smile* hello you", "hello you", ["affectionate"]),
        ("fr", "*Regarde par la fenêtre ouverte* oh oui", "oh oui", []),
        ("en", "-- wags tail -- Hello.", "Hello.", ["happy"]),
        ("en", "Hello. — wags tail — Bye.", "Hello. Bye.", ["happy"]),
        ("en", "-- jumps up and down --\nHi.", "Hi.", ["jump"]),
        ("en", "~ wags tail ~ Hello.", "Hello.", ["happy"]),
        ("en", "-- no way -- I say", "-- no way -- I say", []),
        ("en", "I -- well -- no", "I -- well -- no", []),
        ("de", "Na *lacht* gut.", "Na gut.", ["amused"]),
        ("es", "Bueno *ríe* vale.", "Bueno vale.", ["amused"]),
        ("zh", "嗯*点头*好。", "嗯好。", ["nod"]),
        ("zh", "好*递茶*来。", "好来。", []),
        ("ja", "やあ*手を振る*元気？", "やあ元気？", ["wave"]),
    ],
)
def test_what_is_done_is_not_said(code: str, text: str, spoken: str, acts: list[str]) -> None:
    said, cues = shown(text, code)
    assert (said.casefold(), cues) == (spoken.casefold(), acts)
