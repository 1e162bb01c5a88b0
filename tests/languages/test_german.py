"""German: what a user of a German character would notice."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from companion.cli.chat import chat_command
from companion.cli.check import check
from companion.cli.memory import memory as memory_group
from companion.config.persona import load_persona
from companion.events import Cue
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
        *(
            "bringt dich zum Lachen",
            "lässt dich lachen",
            "wünscht dir viel Glück",
            "Musik ertönt",
            "das Licht geht aus",
        ),
        *(
            "öffnet die Tür",
            "holt ein Buch",
            "gibt dir ein Buch",
            "setzt sich auf einen Stein",
            "trinkt einen Schluck Tee",
        ),
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
        *(
            "Der Igel ist traurig.",
            "Um zwei gehe ich.",
            "Also gehen wir los.",
            "Kind, hell ist die Sonne.",
            "Er lacht nie.",
        ),
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


def facts(said: str) -> list[tuple[str, str, str]]:
    return sorted((one.kind, one.subject, one.value) for one in find_facts(said, TODAY, GERMAN).facts)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("ich heiße mia", [("name", "", "Mia")]),
        ("ich heisse mia und bin sechs jahre alt", [("age", "", "sechs"), ("name", "", "Mia")]),
        ("wie heißt du ich heiße mia", [("name", "", "Mia")]),
        ("mein name ist anna lena", [("name", "", "Anna Lena")]),
        ("du kannst mich max nennen", [("name", "", "Max")]),
        ("ich bin sechs jahre alt", [("age", "", "sechs")]),
        ("ich bin schon sechs", [("age", "", "sechs")]),
        ("ich bin gestern sieben geworden", [("age", "", "sieben")]),
        ("ich bin siebenundzwanzig jahre alt", [("age", "", "siebenundzwanzig")]),
        ("ich habe am dritten mai geburtstag", [("birthday", "", "am dritten mai")]),
        ("ich habe am 3. Mai Geburtstag", [("birthday", "", "am 3 Mai")]),
        ("mein geburtstag ist am zwölften märz", [("birthday", "", "am zwölften märz")]),
        ("ich bin im august geboren", [("birthday", "", "im august")]),
        ("morgen habe ich geburtstag", [("birthday", "", "29. November 2026")]),
        ("mein hund heißt bello", [("has", "hund", "Bello")]),
        ("mein hund der heißt bello", [("has", "hund", "Bello")]),
        ("ich hab nen hund der heißt bello", [("has", "hund", "Bello")]),
        ("ich habe einen hund", [("has", "hund", "")]),
        ("zu hause habe ich ein meerschweinchen das susi heißt", [("has", "meerschweinchen", "Susi")]),
        ("ich habe einen kleinen bruder namens tom", [("has", "bruder", "Tom")]),
        (
            "mein bruder heißt tom und meine schwester heißt lena",
            [("has", "bruder", "Tom"), ("has", "schwester", "Lena")],
        ),
        ("ich habe drei katzen", [("has", "katze", "")]),
        ("ich habe einen hund und eine katze", [("has", "hund", ""), ("has", "katze", "")]),
        ("ich mag schokolade mehr als vanille", [("likes", "schokolade", "schokolade")]),
        ("ich mag dinosaurier", [("likes", "dinosaurier", "dinosaurier")]),
        ("ich mag dinosaurier sehr gern", [("likes", "dinosaurier", "dinosaurier")]),
        ("ich mag pizza und eis", [("likes", "eis", "eis"), ("likes", "pizza", "pizza")]),
        ("am liebsten esse ich pommes", [("likes", "pommes", "pommes")]),
        ("ich schwimme gern", [("likes", "schwimmen", "schwimmen")]),
        ("pferde mag ich", [("likes", "pferde", "pferde")]),
        ("ich finde dinosaurier toll", [("likes", "dinosaurier", "dinosaurier")]),
        ("ich mag spinnen nicht", [("dislikes", "spinnen", "spinnen")]),
        ("ich mag spinnen auch nicht so gerne", [("dislikes", "spinnen", "spinnen")]),
        ("ich mag keine spinnen", [("dislikes", "spinnen", "spinnen")]),
        ("spinat mag ich gar nicht", [("dislikes", "spinat", "spinat")]),
        ("ich kann mücken nicht leiden", [("dislikes", "mücken", "mücken")]),
        ("ich mag hunde aber keine katzen", [("dislikes", "katzen", "katzen"), ("likes", "hunde", "hunde")]),
        ("meine lieblingsfarbe ist blau", [("favourite", "farbe", "blau")]),
        ("mein lieblings tier ist der elefant", [("favourite", "tier", "elefant")]),
        ("ich wohne in berlin mit meiner mama", [("lives", "", "berlin")]),
        ("ich komme aus österreich", [("lives", "", "österreich")]),
        ("ich gehe in die zweite klasse", [("grade", "", "zweite klasse")]),
        ("ich gehe in die 1. Klasse", [("grade", "", "1 Klasse")]),
        ("ich arbeite als bäcker", [("job", "", "bäcker")]),
        ("morgen werde ich schwimmen gehen", [("promise", *["morgen werde ich schwimmen gehen"] * 2)]),
        (
            "merk dir bitte dass der schlüssel unterm stein liegt",
            [("remember", *["der schlüssel unterm stein liegt"] * 2)],
        ),
        ("Ich heiße Mia. Ich habe einen Hund namens Bello.", [("has", "hund", "Bello"), ("name", "", "Mia")]),
    ],
)
def test_facts(said: str, expected: list[tuple[str, str, str]]) -> None:
    assert facts(said) == expected


@pytest.mark.parametrize(
    "said",
    [
        # Questions.
        *(
            "wie heißt mein hund",
            "magst du dinosaurier",
            "was mag ich",
            "habe ich einen hund",
            "wann habe ich geburtstag",
        ),
        *("was ist meine lieblingsfarbe", "Mag ich Hunde?", "wie alt bin ich", "wo wohne ich", "bist du sechs"),
        # Wishes and games.
        *("ich hätte gern einen hund", "ich will einen hund", "wenn ich einen hund habe", "ich wünsche mir eine katze"),
        *(
            "wir spielen ich heiße elsa",
            "ich habe geträumt ich bin zehn",
            "im spiel heiße ich elsa",
            "ich werde sieben",
        ),
        *(
            "stell dir vor ich habe einen drachen und einen hund",
            "ich heiße mia das war nur spaß",
            "ich bin fast sechs",
        ),
        # Somebody else.
        *("mama sagt ich mag spinat", "mein freund hat einen hund", "der hund von meiner oma heißt rex"),
        *("mein bruder hat am ersten märz geburtstag", "meine oma wohnt in hamburg", "mein bruder ist vier"),
        # Denied, past, or no fact at all.
        *("ich habe keinen hund", "ich heiße nicht tom", "meine lieblingsfarbe ist nicht blau", "ich hatte einen hund"),
        *("ich habe einen hund gesehen", "ich habe einen hund und eine katze gesehen", "ich habe eine maus gefangen"),
        *("ich habe eine stoff katze", "ich mag dich", "ich mag nicht mehr", "ich mag nach hause", "ich mag ein eis"),
        *("ich bin im garten", "ich bin drei meter groß", "ich wohne in einem haus", "ich komme aus der schule"),
        *("ich heiße wie mein opa", "merk dir das", "ich mag jetzt nicht schlafen", "ich habe dich lieb"),
        # Private.
        *("ich wohne in der lindenstraße in köln", "ich bin sechs und habe asthma", "ich mag mein passwort pizza"),
    ],
)
def test_no_facts(said: str) -> None:
    assert facts(said) == []


@pytest.mark.parametrize(
    ("said", "name"),
    [
        *(("ich heiße mia", "Mia"), ("hallo ich heisse zübeyde", "Zübeyde"), ("ich bin die mia", "Mia")),
        *(("hallo bruno ich bin lena", "Lena"), ("ich bin der tom", "Tom"), ("mein name ist anna lena", "Anna Lena")),
        *(("nenn mich bitte juli", "Juli"), ("du kannst mich max nennen", "Max"), ("hier ist jonas", "Jonas")),
        *(("ich bin es jonas", "Jonas"), ("ich bins die lea", "Lea"), ("ich heiße mia und bin sechs jahre alt", "Mia")),
        *(("my name is tom", "Tom"), ("hier spricht jörg", "Jörg"), ("du ich heiße übrigens finn", "Finn")),
        *(
            ("ich bin müde", None),
            ("ich bin ein bär", None),
            ("ich heiße nicht tom", None),
            ("mein name ist lang", None),
        ),
        *(("das ist mein bruder", None), ("das ist mia", None), ("das ist toll", None), ("nenn mich nicht so", None)),
        *(("du kannst mich hören", None), ("ich bin annas bruder", None), ("ich bin lukas bruder", None)),
        *(("wie heiße ich", None), ("heißt du mia", None), ("ich bin froh", None), ("ich bin ernst", None)),
        *(
            ("ich bin batman", None),
            ("ich bin sechs", None),
            ("ich heiße mia oder", None),
            ("jetzt bin ich dran", None),
        ),
        *(("ich heiße wie mein opa", None), ("ich mag anna", None), ("ich bin jünger als mia", None)),
        *(("ich heiße dich willkommen", None), ("ich bin bruno", None), ("ich bin im garten", None)),
        *(("ich bin ganz schön wütend", None), ("ich bin ein mädchen", None)),
    ],
)
def test_introductions(said: str, name: str | None) -> None:
    assert introduced_name(said, GERMAN, character=["Bruno"]) == name


def test_a_name_that_was_heard_before_is_known_again() -> None:
    assert introduced_name("ich bin zübeyde", GERMAN, known=["Zübeyde"]) == "Zübeyde"
    assert introduced_name("ich bin lukas bruder", GERMAN, known=["Lukas"]) is None


@pytest.mark.parametrize(
    "said",
    [
        *("ich wohne in der lindenstraße fünf", "ich wohne in der linden strasse", "ich wohne im kastanienweg"),
        *("wir wohnen in hamburg am marktplatz drei", "meine adresse ist geheim", "unsere hausnummer ist vier"),
        *(
            "meine schule heißt goetheschule",
            "ich gehe in die astrid lindgren schule",
            "ich gehe auf das schiller gymnasium",
        ),
        *(
            "ich gehe in die grundschule am see",
            "ich gehe in die kita regenbogen",
            "ich gehe in den kindergarten sonnenschein",
        ),
        *(
            "meine telefonnummer ist null eins",
            "mamas handynummer ist lang",
            "meine nummer ist",
            "meine mail ist mia at web",
        ),
        *("mein passwort ist pizza", "das kennwort ist bello", "die pin ist eins zwei", "papas kontonummer ist"),
        *(
            "ich habe asthma",
            "ich bin allergisch gegen nüsse",
            "ich war im krankenhaus",
            "ich bin krank",
            "mein papa hat krebs",
        ),
        *("ich muss medizin nehmen", "ich habe adhs", "mein zahnarzt heißt doktor müller", "ich muss zum arzt"),
        *("meine schwester ist schwanger", "ich nehme tabletten", "unsere straße heißt lindenweg"),
        *("null eins sieben sechs vier zwei drei", "ich gehe in die klasse drei b in der waldschule"),
    ],
)
def test_private(said: str) -> None:
    assert is_private(said, GERMAN)


@pytest.mark.parametrize(
    "said",
    [
        *("ich wohne in berlin", "ich wohne in der schweiz", "ich wohne am meer", "ich wohne in einem haus"),
        *(
            "ich gehe in die schule",
            "ich gehe in die zweite klasse",
            "ich gehe in den kindergarten",
            "ich habe einen ring",
        ),
        *("ich mag krebse", "ich mag krankenwagen", "ich fahre auf der straße fahrrad", "mein weg ist weit"),
        *(
            "ich gehe gern in die musikschule",
            "mein hund heißt bello",
            "i live in berlin",
            "wir spielen auf dem spielplatz",
        ),
    ],
)
def test_not_private(said: str) -> None:
    assert not is_private(said, GERMAN)


@pytest.mark.parametrize(
    "said",
    [
        *("wie heißt du", "wie alt bist du", "magst du dinosaurier", "was ist das", "weißt du noch wie ich heiße"),
        *("wann habe ich geburtstag", "kannst du tanzen", "erzähl mir eine geschichte", "und was isst du gern"),
        *("gibt es drachen", "darf ich dich was fragen", "hast du dir meinen namen gemerkt", "ist das dein hut"),
        *("warum ist der himmel blau", "du bist ein dachs oder"),
    ],
)
def test_questions(said: str) -> None:
    assert is_question(said, GERMAN)


@pytest.mark.parametrize(
    "said",
    [
        *("ich mag dinosaurier", "jetzt bin ich sechs", "mein hund heißt bello", "ich habe am dritten mai geburtstag"),
        *(
            "heute habe ich fußball gespielt",
            "so heißt mein hund",
            "ich weiß nicht",
            "das ist mein bruder",
            "hallo bruno",
        ),
        *("ich bin traurig weil mein hund weg ist", "dann gehe ich schlafen", "du kannst mich max nennen"),
    ],
)
def test_no_questions(said: str) -> None:
    assert not is_question(said, GERMAN)


def test_whom_an_utterance_is_about() -> None:
    assert is_about_self("wie heißt mein hund", GERMAN)
    assert not is_about_self("wie heißt dein hund", GERMAN)
    assert is_about_character("wie heißt dein hund", GERMAN)
    assert is_about_character("magst du hunde", GERMAN)
    assert not is_about_character("weißt du noch wie ich heiße", GERMAN)
    assert answers("wann gehen wir schwimmen", "am montag gehen wir schwimmen", GERMAN)
    assert not answers("wann gehen wir schwimmen", "wir gehen schwimmen", GERMAN)


@pytest.mark.parametrize(
    "said",
    ["mag meine hunde", "wie geht es dir", "ich bin sechs", "mein opa", "kann sie tanzen", "der ball ist rot"],
)
def test_german_is_told_from_english(said: str) -> None:
    assert GERMAN.of(said).code == "de"
    assert GERMAN.of("what is my name").code == "en"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("hunde", "hund"), ("mäuse", "maus"), ("maeuse", "maus"), ("häuser", "haus"), ("katzen", "kätzchen")),
        *(("gegangen", "gehen"), ("geschwommen", "schwimmst"), ("gespielt", "spielten"), ("groß", "gross")),
        *(("schildkröte", "schildkroete"), ("mama", "mutter"), ("brüder", "bruder"), ("dinosauriern", "dinosaurier")),
    ],
)
def test_forms_of_a_word_meet(one: str, other: str) -> None:
    assert index_words(one, GERMAN, GERMAN.own) == index_words(other, GERMAN, GERMAN.own) != ()


@pytest.mark.parametrize(
    ("said", "command"),
    [
        *(("tschüss bruno", "goodbye"), ("tschuess", "goodbye"), ("okay tschüß bruno", "goodbye")),
        *(("auf wiedersehen", "goodbye"), ("gute nacht lieber bruno", "goodbye"), ("bis morgen", "goodbye")),
        *(("tschüss mein freund bis morgen", "goodbye"), ("mach's gut", "goodbye"), ("bruno hör bitte auf", "stop")),
        *(
            ("stopp bruno", "stop"),
            ("hör auf", "stop"),
            ("sei bitte still", "stop"),
            ("sag das bitte noch mal anders", "again"),
        ),
        *(
            ("sag das nochmal anders bitte", "again"),
            ("ich bin ein gast", "guest"),
            ("heute nacht war es dunkel", None),
        ),
        *(("was heißt auf wiedersehen auf englisch", None), ("ich gehe morgen schwimmen", None)),
    ],
)
def test_commands(said: str, command: str | None) -> None:
    assert load_persona(BRUNO).spoken_command(said) == command


def test_dates() -> None:
    assert language("de").date(TODAY) == "28. November 2026"


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-german")
    return tmp_path


def chat(folder: Path, *lines: str, channel: str = "emoji") -> list[dict[str, Any]]:
    """A talk with Bruno on the emulator, one object a turn."""
    script = folder / "turns.txt"
    script.write_text("\n".join(lines) + "\n", encoding="utf-8")
    options = ["--script", str(script), "--json", "--seed", "7", "--device", str(CONFIGS / "devices" / "toy.toml")]
    for one in (
        f"persona={BRUNO}",
        "character.emulator=always",
        "character.requests_per_second=1000",
        f"cues.channel={channel}",
    ):
        options += ["--set", one]
    done = CliRunner().invoke(chat_command, options)
    assert done.exception is None, done.exception
    return [json.loads(line) for line in done.stdout.splitlines()]


def remembered(*names: str) -> str:
    """What the command line shows of what Bruno knows about a person."""
    options = ["show", "--set", f"persona={BRUNO}", "--person", *names, "--turns", "0"]
    done = CliRunner().invoke(memory_group, options)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_conversation_from_the_first_hello_to_goodbye(at_home: Path) -> None:
    turns = chat(
        at_home,
        *("hallo bruno", "ich heiße Mia", "ich bin sechs jahre alt", "mein hund heißt bello", "ich mag dinosaurier"),
        *(
            "ich habe am dritten mai geburtstag",
            "ich wohne in der lindenstraße fünf",
            "tschüss bruno",
            "nicht mehr gesagt",
        ),
    )
    assert [turn["error"] for turn in turns] == [None] * 8
    assert all(turn["spoken"] and turn["cues"] for turn in turns[:-1])
    assert turns[-1]["spoken"] in load_persona(BRUNO).lines.goodbye
    known = remembered("Mia")
    for part in (
        "heißt Mia",
        "sechs Jahre alt",
        "Name von hund der Person: Bello",
        "mag dinosaurier",
        "am dritten mai",
    ):
        assert part in known
    assert "linden" not in known


def test_another_person_has_memories_of_their_own(at_home: Path) -> None:
    chat(at_home, "ich heiße Mia", "mein hund heißt bello", "gute nacht")
    chat(at_home, "hallo ich bin der Tom", "ich mag spinnen nicht", "auf wiedersehen")
    assert "Bello" in remembered("Mia")
    assert "spinnen" not in remembered("Mia")
    assert "mag spinnen nicht" in remembered("Tom")


def test_a_fact_is_told_back_in_a_later_conversation(at_home: Path) -> None:
    chat(at_home, "ich heiße Mia", "mein hund heißt bello", "ich habe am dritten mai geburtstag", "bis morgen")
    _, dog, birthday, name, _ = chat(
        at_home, "hallo ich bin die Mia", "wie heißt mein hund", "wann habe ich geburtstag", "wie heiße ich", "tschüss"
    )
    assert "bello" in dog["spoken"].lower()
    assert "dritten mai" in birthday["spoken"]
    assert "Mia" in name["spoken"]


def test_directions_of_the_model_become_motion(at_home: Path) -> None:
    hello, joke, _ = chat(at_home, "hallo bruno", "erzähl mir einen witz", "auf wiedersehen", channel="directions")
    for turn in (hello, joke):
        assert turn["removed"]
        assert turn["cues"]
        assert "(" not in turn["spoken"]
    assert {cue["emotion"] for cue in joke["cues"]} >= {"amused"}


def test_check_finds_nothing_missing() -> None:
    done = CliRunner().invoke(check, [str(BRUNO)])
    assert done.exit_code == 0
    assert "note:" not in done.output
