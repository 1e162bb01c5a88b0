"""French: what its files make of directions, feelings, facts, names, private things, commands and whole answers."""

from __future__ import annotations

from datetime import datetime

import pytest

from companion.config.persona import load_persona
from companion.events import Cue
from companion.languages.check import missing
from companion.languages.understood import understood
from companion.mind.memory.facts import find_facts
from companion.mind.memory.index_words import index_words
from companion.mind.memory.introductions import introduced_name
from companion.mind.memory.utterance import is_private, is_question
from companion.voice.stage.inference import infer_cues
from companion.voice.stage.meaning import read_direction
from companion.voice.stage.stage import Stage
from tests.support.paths import CONFIGS

FRENCH = understood("fr")
NOW = datetime(2026, 11, 28)
PISTACHE = load_persona(CONFIGS / "personas" / "pistache.toml")


def shown(cues: tuple[Cue, ...] | list[Cue]) -> list[str]:
    return [one for cue in cues for one in (cue.emotion, cue.gesture) if one]


@pytest.mark.parametrize(
    ("text", "emotion", "gesture"),
    [
        ("sourit", "happy", None),
        ("souriant jusqu'aux oreilles", "happy", None),
        ("avec un grand sourire", "happy", None),
        ("les yeux brillants", "happy", None),
        ("remue la queue", "happy", None),
        ("rit doucement", "amused", None),
        ("éclate de rire", "amused", None),
        ("glousse", "amused", None),
        ("fait un clin d'œil", "amused", None),
        ("ne peut s'empêcher de rire", "amused", None),
        ("sourit tristement", "sad", None),
        ("essuie une larme", "sad", None),
        ("pleure", "sad", None),
        ("pleure de joie", "happy", None),
        ("soupire", "disappointed", None),
        ("lève les yeux au ciel", "disappointed", None),
        ("soupire de soulagement", "relaxed", None),
        ("tape du pied", "angry", None),
        ("croise les bras, fâchée", "angry", None),
        ("d'un ton froid", "angry", None),
        ("tremble de peur", "afraid", None),
        ("se cache derrière un nénuphar", "afraid", None),
        ("fronce les sourcils, inquiète", "worried", None),
        ("se mord la lèvre", "worried", None),
        ("ouvre grand les yeux", "surprised", None),
        ("bouche bée", "surprised", None),
        ("se gratte la tête", "confused", None),
        ("se gratte le menton", "thoughtful", None),
        ("réfléchit", "thoughtful", None),
        ("tend l'oreille", "interested", None),
        ("curieuse", "interested", None),
        ("se frotte les mains", "excited", None),
        ("enthousiaste", "excited", None),
        ("toute joyeuse", "happy", None),
        ("se frotte le ventre", "pleased", None),
        ("bombe le torse", "confident", None),
        ("fièrement", "confident", None),
        ("rougit", "embarrassed", None),
        ("timidement", "embarrassed", None),
        ("d'une voix douce", "affectionate", None),
        ("te prend la main", "affectionate", None),
        ("t'envoie un baiser", "loving", None),
        ("s'étire", "relaxed", None),
        ("inspire profondément", "relaxed", None),
        ("bâille", "sleepy", None),
        ("s'endort", "sleepy", "sleep"),
        ("fait la grimace", "disgusted", None),
        ("s'ennuie", "bored", None),
        ("agite la patte", None, "wave"),
        ("fait un signe de la main", None, "wave"),
        ("hoche la tête", None, "nod"),
        ("acquiesce", None, "nod"),
        ("secoue la tête", None, "shake_head"),
        ("penche la tête", None, "tilt_head"),
        ("regarde à gauche", None, "look_left"),
        ("regarde autour d'elle", None, "look_left"),
        ("regarde à droite", None, "look_right"),
        ("regarde le ciel", None, "look_up"),
        ("baisse les yeux", None, "look_down"),
        ("se penche vers toi", None, "lean_in"),
        ("s’approche", None, "lean_in"),
        ("bondit", None, "jump"),
        ("saute de joie", "happy", "jump"),
        ("tourne sur elle-même", None, "dance"),
        ("hausse les épaules", None, "shrug"),
        ("tape des mains", None, "clap"),
        ("te serre dans ses bras", "affectionate", "hug"),
        ("ouvre grand les bras", "affectionate", "hug"),
    ],
)
def test_directions(text: str, emotion: str | None, gesture: str | None) -> None:
    direction = read_direction(text, "Pistache", FRENCH)
    assert direction is not None
    assert (direction.emotion, direction.gesture) == (emotion, gesture)


@pytest.mark.parametrize(
    "text",
    [
        *("ne sourit pas", "sans sourire", "ne rit jamais", "arrête de rire", "au lieu de pleurer"),
        *("ta maman rit", "les enfants rient", "tout le monde applaudit", "ton beau sourire", "tu souris"),
        *("te fait rire", "te regarde pleurer", "en te voyant triste", "pour que tu souries"),
        *("chuchote", "ouvre la porte", "prend un livre", "la musique s'arrête", "on entend des rires"),
    ],
)
def test_what_is_denied_done_by_others_or_business_is_no_cue(text: str) -> None:
    assert read_direction(text, "Pistache", FRENCH) is None


def test_degrees() -> None:
    faint, plain, strong = (
        read_direction(text, languages=FRENCH) for text in ("sourit un peu", "sourit", "sourit largement")
    )
    assert faint
    assert plain
    assert strong
    assert faint.intensity < plain.intensity < strong.intensity


@pytest.mark.parametrize(
    ("answer", "spoken", "cues"),
    [
        ("*sourit gentiment* Coucou !", "Coucou !", ["affectionate"]),
        ("(saute sur place) Hop ! (applaudit) Bravo !", "Hop ! Bravo !", ["jump", "clap"]),
        ("*Pistache bâille et s'étire* J'ai sommeil.", "J'ai sommeil.", ["sleepy"]),
        ("_hausse les épaules_ Je ne sais pas.", "Je ne sais pas.", ["shrug"]),
        ("**sourit** Coucou", "Coucou", ["happy"]),
        ("C'est _vraiment_ bien.", "C'est vraiment bien.", []),
        ("Je suis **très** contente.", "Je suis très contente.", []),
        ("[soupire] Bon.", "Bon.", ["disappointed"]),
        ("Pistache : Coucou !", "Coucou !", []),
        ("😊 Te voilà !", "Te voilà !", ["happy"]),
        ("Il y a M. Dupont, p. ex. demain.", "Il y a M. Dupont, p. ex. demain.", []),
        ("<geste>salue</geste> Bonjour.", "Bonjour.", ["wave"]),
    ],
)
def test_answers(answer: str, spoken: str, cues: list[str]) -> None:
    for pieces in ([answer], list(answer)):
        stage = Stage("Pistache", FRENCH)
        out = [one for piece in pieces for one in stage.feed(piece)] + stage.close()
        assert "".join(one for one in out if isinstance(one, str)) == spoken
        assert shown([one for one in out if isinstance(one, Cue)]) == cues


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        ("Je suis si contente !", ["happy"]),
        ("Oh non, quelle catastrophe !", ["worried"]),
        ("Bravo, tu as réussi !", ["excited", "clap"]),
        ("Je suis triste.", ["sad"]),
        ("Tu me manques.", ["sad"]),
        ("J'ai peur.", ["afraid"]),
        ("J’ai sommeil.", ["sleepy"]),
        ("Beurk, c'est dégoûtant !", ["disgusted"]),
        ("Bonjour mon ami !", ["wave"]),
        ("Au revoir !", ["wave"]),
        ("Oui, bien sûr.", ["nod"]),
        ("Non, pas du tout.", ["shake_head"]),
        ("Je ne sais pas.", ["shrug"]),
        ("Hmm, voyons voir.", ["thoughtful"]),
        ("Je t'aime.", ["loving"]),
        ("Oups !", ["embarrassed"]),
        ("Merci beaucoup.", ["pleased"]),
        ("Youpi !", ["excited"]),
        ("Je suis fâchée.", ["angry"]),
        ("Oh là là !", ["surprised"]),
        ("Je ne suis pas triste.", []),
        ("Si je suis contente, je chante.", []),
        ("Il est content.", []),
        ("Je n'ai pas peur.", []),
        ("Le chat dort.", []),
    ],
)
def test_feelings(text: str, cues: list[str]) -> None:
    assert shown(infer_cues(text, FRENCH)) == cues


@pytest.mark.parametrize(
    ("said", "facts"),
    [
        ("je m'appelle mia", ["name::Mia"]),
        ("je m appelle mia et j ai six ans", ["name::Mia", "age::six"]),
        ("j'ai 6 ans", ["age::6"]),
        ("mon chien s'appelle rex", ["has:chien:Rex"]),
        ("j'ai un chien qui s'appelle rex", ["has:chien:Rex"]),
        ("on a un lapin nommé fifi", ["has:lapin:Fifi"]),
        ("j'ai un petit frère", ["has:frère:"]),
        ("mon meilleur ami s'appelle tom", ["has:meilleur ami:Tom"]),
        ("mon frère s'appelle léo et il a trois ans", ["has:frère:Léo"]),
        ("j'aime les dinosaures", ["likes:dinosaures:dinosaures"]),
        ("j'aime trop le chocolat et les fraises", ["likes:chocolat:chocolat", "likes:fraises:fraises"]),
        ("j'adore manger des crêpes", ["likes:crêpes:crêpes"]),
        ("le chocolat j'adore", ["likes:chocolat:chocolat"]),
        ("j'aime pas les épinards", ["dislikes:épinards:épinards"]),
        ("je n'aime pas les araignées", ["dislikes:araignées:araignées"]),
        ("je déteste le brocoli", ["dislikes:brocoli:brocoli"]),
        ("ma couleur préférée c'est le bleu", ["favourite:couleur:bleu"]),
        ("j'habite à lyon", ["lives::lyon"]),
        ("je viens de marseille", ["lives::marseille"]),
        ("je suis né le trois mai", ["birthday::trois mai"]),
        ("mon anniversaire c'est le 12 mars", ["birthday::12 mars"]),
        ("je suis en cp", ["grade::cp"]),
        ("mon métier c'est boulanger", ["job::boulanger"]),
        ("je te promets de ranger ma chambre", ["promise:ranger ma chambre:ranger ma chambre"]),
        ("souviens-toi que maman rentre mardi", ["remember:maman rentre mardi:maman rentre mardi"]),
    ],
)
def test_facts_are_found(said: str, facts: list[str]) -> None:
    found = find_facts(said, NOW, FRENCH).facts
    assert sorted(f"{one.kind}:{one.subject}:{one.value}" for one in found) == sorted(facts)
    assert all(one.language == "fr" for one in found)


@pytest.mark.parametrize(
    "said",
    [
        *("est-ce que j'aime les chats", "comment je m'appelle", "où j'habite", "j'ai quel âge", "tu aimes les chats"),
        *("je voudrais un chien", "si j'avais un chien", "si j'ai un chien je le promène", "on joue à j'ai un dragon"),
        *("je rêve que j'ai un chien", "j'ai un chien en peluche", "j'ai un chien dans mon rêve", "j'ai faim"),
        *("ma sœur aime les poneys", "papa dit j'aime le vin", "mon frère a trois ans", "mon cousin habite à lille"),
        *("j'ai pas de chien", "je n'ai pas six ans", "je m'appelle pas tom", "j'aime bien quand tu chantes"),
        *("je t'aime", "j'habite dans une grande maison", "je viens de manger", "je suis de retour", "j'aime ça"),
        *("j'habite 12 rue des lilas et j'ai un chien", "je suis allergique et j'aime le pain"),
    ],
)
def test_what_tells_nothing_is_no_fact(said: str) -> None:
    assert find_facts(said, NOW, FRENCH).facts == ()


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("je m'appelle mia", "Mia"),
        ("bonjour je m appelle tom", "Tom"),
        ("moi c'est zoé", "Zoé"),
        ("mon nom est zubaida", "Zubaida"),
        ("je suis zoé", "Zoé"),
        ("c'est moi léa", "Léa"),
        ("coucou c'est hugo", "Hugo"),
        ("appelle-moi max", "Max"),
        ("tu peux m'appeler lulu", "Lulu"),
        *((said, None) for said in ("je suis fatigué", "je suis content", "je suis un garçon", "je suis là")),
        *((said, None) for said in ("je suis batman", "on m'appelle le clown", "c'est chouette", "c'est ana ma sœur")),
        *((said, None) for said in ("appelle moi plus tard", "je ne suis pas ana", "je m'appelle pas tom")),
        *((said, None) for said in ("comment je m'appelle", "voici emma", "je suis rose de honte", "c'est bon")),
        *((said, None) for said in ("ici il fait froid", "je suis en colère", "je suis heureux", "c'est fini")),
    ],
)
def test_introductions(said: str, name: str | None) -> None:
    assert introduced_name(said, FRENCH, (), ("Pistache",)) == name


@pytest.mark.parametrize(
    "said",
    [
        *("j'habite 12 rue des lilas", "mon adresse c'est", "mon numéro de téléphone", "le mot de passe c'est"),
        *("je vais à l'école jules ferry", "mon école s'appelle", "le code secret", "mon nom de famille"),
        *(
            "j'ai de la fièvre",
            "j'ai mal au ventre",
            "le docteur a dit",
            "je suis malade",
            "je suis allergique aux noix",
        ),
    ],
)
def test_private(said: str) -> None:
    assert is_private(said, FRENCH)


@pytest.mark.parametrize(
    "said",
    [
        *("je vais à l'école", "je vais à l'école demain", "j'aime l'école", "j'habite à lyon", "j'ai un secret"),
        *("je joue dans la rue", "on va à la place", "j'aime le sirop", "maman travaille", "une carte postale"),
    ],
)
def test_not_private(said: str) -> None:
    assert not is_private(said, FRENCH)


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        *((said, True) for said in ("comment tu t'appelles", "tu aimes les chats", "est-ce que tu dors")),
        *((said, True) for said in ("où est maman", "j'habite où", "c'est quoi ton nom", "raconte-moi une histoire")),
        *((said, True) for said in ("tu te souviens de mon chien", "mon chien il s'appelle comment", "on joue à quoi")),
        *((said, True) for said in ("qu'est-ce que j'aime", "pourquoi", "peux-tu chanter", "il y a quoi")),
        *((said, False) for said in ("j'aime les chats", "il y a un chat", "je sais pas quoi faire")),
        *((said, False) for said in ("mon chien s'appelle rex", "j'ai six ans", "demain on va à la mer")),
    ],
)
def test_questions(said: str, asked: bool) -> None:
    assert is_question(said, FRENCH) == asked


@pytest.mark.parametrize(
    "forms",
    [
        *(
            "chien chiens",
            "chat chatte",
            "dors dort",
            "l'école école",
            "j'aime aimes",
            "cheval chevaux",
        ),
        *("jouer joue", "nager nage", "mangé manger"),
    ],
)
def test_forms_of_a_word_meet(forms: str) -> None:
    one, other = forms.split()
    assert index_words(one, FRENCH) == index_words(other, FRENCH)


@pytest.mark.parametrize(
    ("said", "command"),
    [
        ("au revoir", "goodbye"),
        ("au revoir pistache", "goodbye"),
        ("bonne nuit pistache", "goodbye"),
        ("à demain", "goodbye"),
        ("bye bye", "goodbye"),
        ("arrête", "stop"),
        ("tais-toi s'il te plaît", "stop"),
        ("chut", "stop"),
        ("dis-le autrement", "again"),
        ("je suis une invitée", "guest"),
        ("salut", None),
        ("dis au revoir à mamie", None),
    ],
)
def test_commands(said: str, command: str | None) -> None:
    assert PISTACHE.spoken_command(said) == command


def test_dates() -> None:
    assert FRENCH.own.date(NOW) == "28 novembre 2026"


def test_nothing_is_missing_and_the_lines_of_the_persona_are_spoken_whole() -> None:
    assert not missing("fr")
    for line in (PISTACHE.opening, *(one for lines in PISTACHE.lines.model_dump().values() for one in lines or ())):
        stage = Stage("Pistache", FRENCH)
        out = stage.feed(line) + stage.close()
        assert "".join(one for one in out if isinstance(one, str)) == line
