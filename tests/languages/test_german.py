"""German: what a user of a German character would notice."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from companion.cli.chat import chat_command
from companion.cli.check import check
from companion.cli.memory import memory as memory_group
from companion.events import Cue
from companion.languages.commands import spoken_command
from companion.languages.language import language
from companion.languages.understood import understood
from companion.mind.memory.facts import find_facts
from companion.mind.memory.index_words import index_words
from companion.mind.memory.introductions import introduced_name
from companion.mind.memory.utterance import answers, is_about_character, is_about_self, is_private, is_question
from companion.voice.sentences import Sentences
from companion.voice.stage.inference import infer_cues
from companion.voice.stage.meaning import read_direction
from companion.voice.stage.stage import Stage
from tests.support.paths import CONFIGS

GERMAN = understood("de")
BRUNO = CONFIGS / "personas" / "bruno.toml"
TODAY = datetime(2026, 11, 28, 12, 0)


@pytest.mark.parametrize(
    ("text", "emotion", "gesture"),
    [
        ("lächelt freundlich", "happy", None),
        ("Lächelt", "happy", None),
        ("lächelnd", "happy", None),
        ("mit einem breiten Lächeln", "happy", None),
        ("laechelt", "happy", None),
        ("ich lächle", "happy", None),
        ("erwidert dein Lächeln", "happy", None),
        ("strahlt über das ganze Gesicht", "happy", None),
        ("wedelt mit dem Schwanz", "happy", None),
        ("Augen leuchten", "happy", None),
        ("pfeift ein Lied", "happy", None),
        ("freut sich riesig", "happy", None),
        ("kichert leise", "amused", None),
        ("lacht laut", "amused", None),
        ("kann sich ein Lachen nicht verkneifen", "amused", None),
        ("zwinkert dir zu", "amused", None),
        ("streckt die Zunge raus", "amused", None),
        ("weint leise", "sad", None),
        ("lässt die Ohren hängen", "sad", None),
        ("schaut dich traurig an", "sad", None),
        ("seufzt", "disappointed", None),
        ("stampft mit dem Fuß auf", "angry", None),
        ("verschränkt die Arme", "angry", None),
        ("zittert vor Angst", "afraid", None),
        ("kaut auf der Unterlippe und schaut besorgt", "worried", None),
        ("reißt die Augen auf", "surprised", None),
        ("macht große Augen", "surprised", None),
        ("kratzt sich am Kopf", "confused", None),
        ("runzelt die Stirn", "confused", None),
        ("denkt nach", "thoughtful", None),
        ("überlegt kurz", "thoughtful", None),
        ("spitzt die Ohren", "interested", None),
        ("schnuppert neugierig", "interested", None),
        ("jubelt", "excited", None),
        ("reibt sich die Pfoten", "excited", None),
        ("stemmt die Hände in die Hüften", "confident", None),
        ("wird rot", "embarrassed", None),
        ("streichelt dir über den Kopf", "affectionate", None),
        ("nimmt deine Hand", "affectionate", None),
        ("wirft dir einen Kuss zu", "loving", None),
        ("atmet erleichtert auf", "relaxed", None),
        ("gähnt", "sleepy", None),
        ("schläft ein", "sleepy", "sleep"),
        ("rümpft die Nase", "disgusted", None),
        ("brummt zufrieden", "content", None),
        ("gelangweilt", "bored", None),
        ("winkt mit der Pfote", None, "wave"),
        ("winkt dir zum Abschied zu", None, "wave"),
        ("nickt", None, "nod"),
        ("Bruno nickt", None, "nod"),
        ("schüttelt langsam den Kopf", None, "shake_head"),
        ("legt den Kopf schief", None, "tilt_head"),
        ("neigt den Kopf zur Seite", None, "tilt_head"),
        ("blickt nach links", None, "look_left"),
        ("schaut nach rechts", None, "look_right"),
        ("blickt zum Himmel", None, "look_up"),
        ("schaut zu Boden", None, "look_down"),
        ("beugt sich vor", None, "lean_in"),
        ("flüstert dir ins Ohr", None, "lean_in"),
        ("hüpft auf und ab", None, "jump"),
        ("dreht sich im Kreis", None, "dance"),
        ("zuckt mit den Schultern", None, "shrug"),
        ("klatscht in die Pfoten", None, "clap"),
        ("gibt dir eine Umarmung", "affectionate", "hug"),
        ("umarmt dich", "affectionate", "hug"),
        ("streckt die Arme aus", "affectionate", "hug"),
        ("lächelt und winkt", "happy", "wave"),
        ("nickt und lacht nicht", None, "nod"),
        ("während du lachst, nickt er", None, "nod"),
    ],
)
def test_directions(text: str, emotion: str | None, gesture: str | None) -> None:
    feeling = read_direction(text, "Bruno", languages=GERMAN)
    assert (feeling and feeling.emotion, feeling and feeling.gesture) == (emotion, gesture)


@pytest.mark.parametrize(
    "text",
    [
        *("lacht nicht", "lächelt dich nicht an", "ohne zu lächeln", "hört auf zu lachen", "ist nicht traurig"),
        *("du lachst", "dein Lächeln", "alle lachen", "das Kind lacht", "die Kinder klatschen", "Anna lacht"),
        *("bringt dich zum Lachen", "lässt dich lachen", "wünscht dir viel Glück", "Musik ertönt", "das Licht geht aus"),
        *("öffnet die Tür", "holt ein Buch", "gibt dir ein Buch", "setzt sich auf einen Stein", "trinkt einen Schluck Tee"),
        *("das Kind", "hell", "putzt sich die Nase", "die Kinder", "geht zum Apfelbaum", "baut ein Nest"),
    ],
)
def test_what_is_denied_done_by_others_or_only_business_gives_no_cue(text: str) -> None:
    assert read_direction(text, "Bruno", languages=GERMAN) is None


def test_degrees() -> None:
    weak, plain, strong = (
        read_direction(text, languages=GERMAN) for text in ("lächelt leicht", "lächelt", "lächelt breit")
    )
    assert weak is not None
    assert plain is not None
    assert strong is not None
    assert weak.intensity < plain.intensity < strong.intensity


@pytest.mark.parametrize(
    ("text", "emotion", "gesture"),
    [
        ("Hihi, das kitzelt.", "amused", None),
        ("Hallo Mia, schön dass du da bist.", None, "wave"),
        ("Tschüss, Mia!", None, "wave"),
        ("Gute Nacht, träum schön.", None, "wave"),
        ("Ja, das machen wir.", None, "nod"),
        ("Nein, das geht nicht.", None, "shake_head"),
        ("Wow, ein Regenbogen.", "surprised", None),
        ("Oh nein, der Kuchen.", "worried", None),
        ("Juhu, wir gehen raus.", "excited", None),
        ("Ich bin so gespannt.", "excited", None),
        ("Herzlichen Glückwunsch, Mia.", "excited", "clap"),
        ("Ich bin so glücklich.", "happy", None),
        ("Ich freue mich auf morgen.", "happy", None),
        ("Ich habe dich lieb.", "loving", None),
        ("Ich bin ein bisschen traurig.", "sad", None),
        ("Schade, dass es regnet.", "sad", None),
        ("Das tut mir leid.", "sad", None),
        ("Danke, das ist nett.", "pleased", None),
        ("Ich habe ein bisschen Angst.", "afraid", None),
        ("Ich bin wütend.", "angry", None),
        ("Ups, das war mein Fuß.", "embarrassed", None),
        ("Ich bin müde.", "sleepy", None),
        ("Igitt, eine Nacktschnecke.", "disgusted", None),
        ("Hmm, mal überlegen.", "thoughtful", None),
        ("Ich weiß nicht.", None, "shrug"),
    ],
)
def test_feelings(text: str, emotion: str | None, gesture: str | None) -> None:
    cues = infer_cues(text, GERMAN)
    assert next((cue.emotion for cue in cues if cue.emotion), None) == emotion
    assert next((cue.gesture for cue in cues if cue.gesture), None) == gesture


@pytest.mark.parametrize(
    "text",
    [
        *("Ich bin nicht glücklich.", "Ich habe keine Angst.", "Ich freue mich nicht.", "Ein glücklicher Igel."),
        *("Der Igel ist traurig.", "Um zwei gehe ich.", "Also gehen wir los.", "Kind, hell ist die Sonne.", "Er lacht nie."),
    ],
)
def test_no_feelings(text: str) -> None:
    assert infer_cues(text, GERMAN) == ()


@pytest.mark.parametrize(
    ("answer", "spoken", "cues"),
    [
        ("*lächelt freundlich* Hallo Mia!", "Hallo Mia!", ["happy"]),
        ("(winkt mit der Pfote) Schön, dich zu sehen.", "Schön, dich zu sehen.", ["wave"]),
        ("*wedelt mit dem Schwanz* Ich freue mich!", "Ich freue mich!", ["happy"]),
        ("Ja. *nickt* Das machen wir.", "Ja. Das machen wir.", ["nod"]),
        ("*kichert leise* Das kitzelt.", "Das kitzelt.", ["amused"]),
        ("(gibt dir eine Umarmung) Alles wird gut.", "Alles wird gut.", ["affectionate", "hug"]),
        ("*streckt die Arme aus* Komm her!", "Komm her!", ["affectionate", "hug"]),
        ("Na? *legt den Kopf schief* Wie geht es dir?", "Na? Wie geht es dir?", ["tilt_head"]),
        ("_lächelt_ Hallo!", "Hallo!", ["happy"]),
        ("**nickt** Ja, genau.", "Ja, genau.", ["nod"]),
        ("_Kichert leise._ Das ist lustig.", "Das ist lustig.", ["amused"]),
        ("**Bruno lächelt** Na, du?", "Na, du?", ["happy"]),
        ("Das ist _nicht_ gut.", "Das ist nicht gut.", []),
        ("Das ist **sehr** wichtig.", "Das ist sehr wichtig.", []),
        ("Ich bin _begeistert_ davon.", "Ich bin begeistert davon.", []),
        ("Ich **liebe** Apfelkuchen.", "Ich liebe Apfelkuchen.", []),
        ("Ich finde das _lustig_.", "Ich finde das lustig.", []),
        ("[kichert] Oh, ein Regenwurm.", "Oh, ein Regenwurm.", ["amused"]),
        ("Bruno: Hallo Mia.", "Hallo Mia.", []),
        ("Bruno (lächelt): Hallo Mia.", "Hallo Mia.", ["happy"]),
        ("<aktion>winkt</aktion> Da bist du ja.", "Da bist du ja.", ["wave"]),
        ("<gedanke>Sie ist traurig.</gedanke> Komm, wir summen.", "Komm, wir summen.", []),
        ("*öffnet die Tür* Komm herein.", "Komm herein.", []),
        ("*Anna lacht* Das war Anna.", "Das war Anna.", []),
        ("(freut sich) Am 3. Mai. Das merke ich mir.", "Am 3. Mai. Das merke ich mir.", ["happy"]),
        ("„Guten Morgen“, sagte der Igel. *schnuppert*", "„Guten Morgen“, sagte der Igel.", ["interested"]),
        ("*hüpft* *klatscht* Bravo.", "Bravo.", ["jump", "clap"]),
        ("*Bruno nickt und hüpft vor Freude* Los!", "Los!", ["happy", "nod"]),
        ("Achtung: Da ist eine Pfütze.", "Achtung: Da ist eine Pfütze.", []),
    ],
)
def test_directions_are_acted_and_never_spoken(answer: str, spoken: str, cues: list[str]) -> None:
    stage = Stage("Bruno", GERMAN)
    pieces = [piece for letter in answer for piece in stage.feed(letter)] + stage.close()
    told = [part for one in pieces if isinstance(one, Cue) for part in (one.emotion, one.gesture) if part]
    assert "".join(one for one in pieces if isinstance(one, str)).strip() == spoken
    assert told == cues


def test_sentences_end_where_they_end() -> None:
    reading = Sentences(first_clause=False, languages=GERMAN)
    text = "Am 3. Mai kommt z.B. Dr. Igel. „Ja!“ sagte er. Das dauert ca. 2 Tage usw. Gut."
    found = [one.text for one in reading.feed(text) + reading.close()]
    assert found == ["Am 3. Mai kommt z.B. Dr. Igel.", "„Ja!“", "sagte er.", "Das dauert ca. 2 Tage usw.", "Gut."]
