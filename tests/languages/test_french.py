"""French: what its files make of directions, feelings, facts, names, private things, commands and whole answers."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from companion.cli.chat import chat_command
from companion.cli.check import check
from companion.config.persona import load_persona
from companion.events import Cue
from companion.languages.check import missing
from companion.languages.understood import understood
from companion.mind.memory.facts import find_facts
from companion.mind.memory.index_words import index_words
from companion.mind.memory.introductions import introduced_name
from companion.mind.memory.utterance import (
    answers,
    asks_why,
    is_about_character,
    is_about_self,
    is_private,
    is_question,
)
from companion.voice.sentences import Sentences
from companion.voice.stage.inference import infer_cues
from companion.voice.stage.meaning import read_direction
from companion.voice.stage.stage import Stage
from tests.support.paths import CONFIGS

FRENCH = understood("fr")
NOW = datetime(2026, 11, 28)
PISTACHE = CONFIGS / "personas" / "pistache.toml"


def shown(cues: tuple[Cue, ...] | list[Cue]) -> list[str]:
    return [one for cue in cues for one in (cue.emotion, cue.gesture) if one]


# What stage directions tell the body


@pytest.mark.parametrize(
    ("text", "emotion", "gesture"),
    [
        ("sourit", "happy", None),
        ("souriant", "happy", None),
        ("avec un grand sourire", "happy", None),
        ("un sourire jusqu'aux oreilles", "happy", None),
        ("sourit tristement", "sad", None),
        ("frétille de joie", "happy", None),
        ("les yeux brillants", "happy", None),
        ("les yeux pétillants de malice", "amused", None),
        ("rit", "amused", None),
        ("en riant", "amused", None),
        ("éclate de rire", "amused", None),
        ("rit aux éclats", "amused", None),
        ("glousse", "amused", None),
        ("pouffe de rire", "amused", None),
        ("pleure de rire", "amused", None),
        ("te fait un clin d'œil", "amused", None),
        ("clin d'oeil", "amused", None),
        ("tire la langue", "amused", None),
        ("d'un ton espiègle", "amused", None),
        ("d'un ton joyeux", "happy", None),
        ("sur un ton amusé", "amused", None),
        ("avec malice", "amused", None),
        ("ne peut s'empêcher de rire", "amused", None),
        ("ne peut pas s'empêcher de sourire", "happy", None),
        ("sans cesser de sourire", "happy", None),
        ("pleure", "sad", None),
        ("les larmes aux yeux", "sad", None),
        ("baisse la tête tristement", "sad", "look_down"),
        ("renifle", "sad", None),
        ("le cœur gros", "sad", None),
        ("soupire", "disappointed", None),
        ("pousse un soupir", "disappointed", None),
        ("soupire de soulagement", "relaxed", None),
        ("fait la moue", "disappointed", None),
        ("boude", "disappointed", None),
        ("lève les yeux au ciel", "disappointed", None),
        ("croise les bras", "angry", None),
        ("tape du pied", "angry", None),
        ("fronce les sourcils", "worried", None),
        ("en colère", "angry", None),
        ("furieuse", "angry", None),
        ("tremble de peur", "afraid", None),
        ("se cache derrière un nénuphar", "afraid", None),
        ("recule d'un pas", "afraid", None),
        ("fait un pas en arrière", "afraid", None),
        ("inquiète", "worried", None),
        ("se mord la lèvre", "worried", None),
        ("ouvre de grands yeux", "surprised", None),
        ("écarquille les yeux", "surprised", None),
        ("surprise", "surprised", None),
        ("bouche bée", "surprised", None),
        ("sursaute", "surprised", None),
        ("se gratte la tête", "confused", None),
        ("perplexe", "confused", None),
        ("se gratte le menton", "thoughtful", None),
        ("pensive", "thoughtful", None),
        ("réfléchit", "thoughtful", None),
        ("d'un air songeur", "thoughtful", None),
        ("tend l'oreille", "interested", None),
        ("dresse les oreilles", "interested", None),
        ("curieuse", "interested", None),
        ("saute de joie", "happy", "jump"),
        ("bondit", None, "jump"),
        ("d'un bond", None, "jump"),
        ("sautille", None, "jump"),
        ("toute excitée", "excited", None),
        ("avec enthousiasme", "excited", None),
        ("se frotte les mains", "excited", None),
        ("trépigne d'impatience", "excited", None),
        ("gonfle le torse", "confident", None),
        ("fièrement", "confident", None),
        ("rougit", "embarrassed", None),
        ("les joues rouges", "embarrassed", None),
        ("timidement", "embarrassed", None),
        ("toute gênée", "embarrassed", None),
        ("se cache le visage", "embarrassed", None),
        ("d'une voix douce", "affectionate", None),
        ("tendrement", "affectionate", None),
        ("essuie tes larmes", "affectionate", None),
        ("te prend la main", "affectionate", None),
        ("pose sa tête sur ton épaule", "affectionate", None),
        ("envoie un baiser", "loving", None),
        ("te fait un bisou", "loving", None),
        ("te serre dans ses bras", "affectionate", "hug"),
        ("te fait un gros câlin", "affectionate", "hug"),
        ("s'étire", "relaxed", None),
        ("respire profondément", "relaxed", None),
        ("pousse un soupir d'aise", "relaxed", None),
        ("bâille", "sleepy", None),
        ("se frotte les yeux", "sleepy", None),
        ("s'endort", "sleepy", "sleep"),
        ("ronfle doucement", "sleepy", "sleep"),
        ("plisse le nez", "disgusted", None),
        ("grimace", "disgusted", None),
        ("avec dégoût", "disgusted", None),
        ("s'ennuie", "bored", None),
        ("agite la main", None, "wave"),
        ("fait coucou de la main", None, "wave"),
        ("te salue", None, "wave"),
        ("fait un signe de la patte", None, "wave"),
        ("hoche la tête", None, "nod"),
        ("acquiesce", None, "nod"),
        ("fait oui de la tête", None, "nod"),
        ("s'incline", None, "nod"),
        ("fait une révérence", None, "nod"),
        ("secoue la tête", None, "shake_head"),
        ("fait non de la tête", None, "shake_head"),
        ("penche la tête sur le côté", None, "tilt_head"),
        ("incline la tête", None, "tilt_head"),
        ("regarde autour d'elle", None, "look_left"),
        ("tourne la tête vers la gauche", None, "look_left"),
        ("tourne la tête à droite", None, "look_right"),
        ("regarde le ciel", None, "look_up"),
        ("lève les yeux vers les étoiles", None, "look_up"),
        ("regarde en l'air", None, "look_up"),
        ("baisse les yeux", None, "look_down"),
        ("regarde ses pieds", None, "look_down"),
        ("se penche vers toi", None, "lean_in"),
        ("s'approche doucement", None, "lean_in"),
        ("te chuchote à l'oreille", None, "lean_in"),
        ("fait un pas vers toi", None, "lean_in"),
        ("danse", None, "dance"),
        ("tourne sur elle-même", None, "dance"),
        ("virevolte", None, "dance"),
        ("hausse les épaules", None, "shrug"),
        ("applaudit", None, "clap"),
        ("tape dans ses mains", None, "clap"),
        ("bat des mains", None, "clap"),
        ("La grenouille saute", None, "jump"),
        ("te sourit", "happy", None),
        ("je souris", "happy", None),
        ("tu ris et elle te serre dans ses bras", "affectionate", "hug"),
        ("en te voyant triste, te prend dans ses bras", "affectionate", "hug"),
        ("te rend ton sourire", "happy", None),
        ("les yeux au bord des larmes", "sad", None),
        ("sans s'arrêter de rire", "amused", None),
        ("d'un pas décidé", "confident", None),
        ("les yeux fermés", "relaxed", None),
        ("hoche doucement la tête", None, "nod"),
        ("l'air content", "happy", None),
        ("avec douceur", "affectionate", None),
        ("remue la queue", "happy", None),
        ("coasse joyeusement", "happy", None),
        ("saute dans une flaque", None, "jump"),
        ("ravie", "happy", None),
        ("émerveillée", "surprised", None),
        ("smiles", "happy", None),
        # Written after the files.
        ("s'étire en bâillant", "sleepy", None),
        ("ferme doucement les yeux et s'endort", "sleepy", "sleep"),
        ("essuie une larme", "sad", None),
        ("saute de nénuphar en nénuphar", None, "jump"),
        ("sautille d'impatience", "excited", "jump"),
        ("d'un ton rassurant", "affectionate", None),
        ("bombe le torse avec fierté", "confident", None),
        ("recule, effrayée", "afraid", None),
        ("tapote son menton du doigt", "thoughtful", None),
        ("une larme coule sur sa joue", "sad", None),
        ("tend les bras vers toi", "affectionate", "hug"),
        ("cligne des yeux, surprise", "surprised", None),
        ("opine du chef", None, "nod"),
        ("fait signe que oui", None, "nod"),
        ("fait signe que non", None, "shake_head"),
        ("d'une voix endormie", "sleepy", None),
        ("le visage radieux", "happy", None),
        ("l'air choqué", "surprised", None),
        ("jette un coup d'œil à droite", None, "look_right"),
        ("jette un coup d'œil à gauche", None, "look_left"),
    ],
)
def test_directions(text: str, emotion: str | None, gesture: str | None) -> None:
    feeling = read_direction(text, "Pistache", FRENCH)
    assert feeling is not None
    assert (feeling.emotion, feeling.gesture) == (emotion, gesture)


@pytest.mark.parametrize(
    "text",
    [
        *("ne sourit pas", "ne sourit plus", "sans sourire", "arrête de rire", "n'est pas triste"),
        *("ne pleure jamais", "refuse de danser", "au lieu de pleurer", "n'a pas peur", "sans peur"),
        *("pas content", "tu souris", "tu ris", "pendant que tu danses", "quand tu ris"),
        *("les enfants rient", "le public applaudit", "ma sœur rit", "te fait rire", "te voit pleurer"),
        *("ton rire", "ton joli sourire", "ta tristesse", "pour que tu souries", "pour te faire rire"),
        *(
            "on entend un rire",
            "des rires résonnent au loin",
            "Léa sourit",
            "tout le monde applaudit",
            "ouvre la porte",
        ),
        *("marche vers la fenêtre", "mange du pain", "mange une carotte", "joue de la guitare", "s'assied"),
        *("d'une voix grave", "pause", "court vers l'étang", "prend un livre", "lit une histoire triste"),
        *("un chat passe", "regarde la mouche", "regarde le furet", "mange sa soupe", "la souris passe"),
        *("rideau", "la lumière baisse", "boit de l'eau froide", "rien", "ouvre un livre"),
        *("papa rit", "maman sourit", "jette un coup d'œil"),
        *("compte sur ses doigts", "prend une grande feuille", "à table", "met ses lunettes", "au fond du jardin"),
    ],
)
def test_what_is_denied_done_by_others_or_business_is_no_cue(text: str) -> None:
    assert read_direction(text, "Pistache", FRENCH) is None


def test_degrees() -> None:
    plain, weak, strong = (
        read_direction(text, "Pistache", FRENCH) for text in ("sourit", "sourit un peu", "sourit largement")
    )
    assert plain
    assert weak
    assert strong
    assert weak.intensity < plain.intensity < strong.intensity


# What is spoken of a model's answer


@pytest.mark.parametrize(
    ("answer", "spoken", "cues"),
    [
        ("*sourit* Bonjour, Ana !", "Bonjour, Ana !", ["happy"]),
        ("_sourit_ Bonjour, Ana !", "Bonjour, Ana !", ["happy"]),
        ("**Sourit largement** Bonjour !", "Bonjour !", ["happy"]),
        ("**Éclate de rire.**\nOn joue ?", "On joue ?", ["amused"]),
        ("(rit tout bas) C'est drôle.", "C'est drôle.", ["amused"]),
        ("[saute de joie] Youpi !", "Youpi !", ["happy", "jump"]),
        ("Bonjour ! *agite la patte* Je suis Pistache.", "Bonjour ! Je suis Pistache.", ["wave"]),
        ("Bonjour ! _Saute de joie._ On joue ?", "Bonjour ! On joue ?", ["happy", "jump"]),
        ("Et toi ? _penche la tête_ Raconte.", "Et toi ? Raconte.", ["tilt_head"]),
        ("_avec un sourire_ Bien sûr.", "Bien sûr.", ["happy"]),
        ("_se gratte la tête_ Je ne sais pas.", "Je ne sais pas.", ["confused"]),
        ("_s'incline_ Bienvenue.", "Bienvenue.", ["nod"]),
        ("_s’approche_ Écoute.", "Écoute.", ["lean_in"]),
        ("_en riant_ Quelle idée !", "Quelle idée !", ["amused"]),
        ("_timidement_ Bonjour.", "Bonjour.", ["embarrassed"]),
        ("_te serre dans ses bras_ Ça va aller.", "Ça va aller.", ["affectionate", "hug"]),
        ("_La grenouille saute._ Regarde !", "Regarde !", ["jump"]),
        ("_Une longue pause._ Bon, je continue.", "Bon, je continue.", []),
        ("<action>saute</action> Hop !", "Hop !", ["jump"]),
        ("<pensée>Je dois être gentille</pensée> Bonjour.", "Bonjour.", []),
        ("Pistache : Bonjour !", "Bonjour !", []),
        # Emphasis is spoken.
        ("Ne touche *pas* au four.", "Ne touche pas au four.", []),
        ("Il ne faut *jamais* courir.", "Il ne faut jamais courir.", []),
        ("Il faut *toujours* tenir la main.", "Il faut toujours tenir la main.", []),
        ("*Jamais* de la vie !", "Jamais de la vie !", []),
        ("Je n'ai *rien* dit.", "Je n'ai rien dit.", []),
        ("C'est *toi* qui gagnes !", "C'est toi qui gagnes !", []),
        ("Tu peux *danser* avec moi.", "Tu peux danser avec moi.", []),
        ("Bon *soupire* on y va.", "Bon on y va.", ["disappointed"]),
        ("Attends *réfléchit* je sais !", "Attends je sais !", ["thoughtful"]),
        ("C'est _très_ important.", "C'est très important.", []),
        ("Je _t'aime_ beaucoup.", "Je t'aime beaucoup.", []),
        ("_Je t'aime_ beaucoup.", "Je t'aime beaucoup.", []),
        ("Il faut **sauter** très haut.", "Il faut sauter très haut.", []),
        ("**Joyeux anniversaire**, Ana.", "Joyeux anniversaire, Ana.", []),
        ("J'aime _danser_ avec toi.", "J'aime danser avec toi.", []),
        ("_J'aime_ le pain.", "J'aime le pain.", []),
        ("**Mais oui**, bien sûr.", "Mais oui, bien sûr.", []),
        ("Quand quelqu'un _pleure_, je le console.", "Quand quelqu'un pleure, je le console.", []),
        ("Un grand _sourire_ aide toujours.", "Un grand sourire aide toujours.", []),
        (
            "_La grenouille qui danse_ est mon histoire préférée.",
            "La grenouille qui danse est mon histoire préférée.",
            [],
        ),
        ("**D'abord** l'eau. **Ensuite** le pain.", "D'abord l'eau. Ensuite le pain.", []),
        ("**Allons-y !**", "Allons-y !", []),
        ("Note : ne cours pas.", "Note : ne cours pas.", []),
        ("Souviens-toi : il faut dormir.", "Souviens-toi : il faut dormir.", []),
        ("Attention : c'est chaud.", "Attention : c'est chaud.", []),
    ],
)
def test_answers(answer: str, spoken: str, cues: list[str]) -> None:
    # In whole and letter by letter: how an answer arrives changes nothing.
    for deltas in ([answer], list(answer)):
        stage = Stage("Pistache", FRENCH)
        pieces = [piece for delta in deltas for piece in stage.feed(delta)] + stage.close()
        assert "".join(one for one in pieces if isinstance(one, str)).strip() == spoken
        assert shown([one for one in pieces if isinstance(one, Cue)]) == cues


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("M. Dupont a un chien. Et toi ? Moi non !", ["M. Dupont a un chien.", "Et toi ?", "Moi non !"]),
        ("Le Dr. Martin arrive. Vite !", ["Le Dr. Martin arrive.", "Vite !"]),
        ("Il y a du pain, du lait, etc. Ensuite on joue.", ["Il y a du pain, du lait, etc.", "Ensuite on joue."]),
        ("Allons-y. Tu viens ?", ["Allons-y.", "Tu viens ?"]),
        ("« Coucou ! », dit-il. Puis il rit.", ["« Coucou ! », dit-il.", "Puis il rit."]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    reading = Sentences(first_clause=False, languages=FRENCH)
    assert [one.text for one in reading.feed(text) + reading.close()] == expected


# Feelings that a sentence shows by itself


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        ("Bonjour, Ana !", ["wave"]),
        ("Coucou, te voilà !", ["wave"]),
        ("Au revoir, mon ami !", ["wave"]),
        ("À demain.", ["wave"]),
        ("Oui, bien sûr.", ["nod"]),
        ("D'accord.", ["nod"]),
        ("Non, merci.", ["shake_head", "pleased"]),
        ("Je ne sais pas.", ["shrug"]),
        ("J'en sais rien.", ["shrug"]),
        ("Hihihi, c'est drôle.", ["amused"]),
        ("Ha ha ha !", ["amused"]),
        ("Je suis très heureuse.", ["happy"]),
        ("Je suis si content de te voir.", ["happy"]),
        ("Que c'est joli !", ["happy"]),
        ("Je t'aime beaucoup.", ["loving"]),
        ("Youpi !", ["excited"]),
        ("J'ai trop hâte.", ["excited"]),
        ("Bravo !", ["excited", "clap"]),
        ("Waouh !", ["surprised"]),
        ("Ça alors !", ["surprised"]),
        ("Oh non, il est tombé.", ["worried"]),
        ("Je suis un peu inquiète.", ["worried"]),
        ("Tu me manques.", ["sad"]),
        ("Quel dommage !", ["sad"]),
        ("Je suis désolée.", ["sad"]),
        ("J'ai peur du noir.", ["afraid"]),
        ("Je suis en colère.", ["angry"]),
        ("J’ai honte.", ["embarrassed"]),
        ("Oups !", ["embarrassed"]),
        ("J'ai tellement sommeil.", ["sleepy"]),
        ("Beurk !", ["disgusted"]),
        ("Hum, laisse-moi réfléchir.", ["thoughtful"]),
        ("Merci beaucoup !", ["pleased"]),
        ("Miam, des croissants.", ["pleased"]),
        ("Tu es triste ?", ["tilt_head"]),
        ("Je ne suis pas triste.", []),
        ("Je suis pas triste.", []),
        ("Une fin heureuse.", []),
        ("Je n'ai pas peur.", []),
        ("J'ai pas peur.", []),
        ("Je ne sais pas nager.", []),
        ("Si je suis triste, je chante.", []),
        ("Quand je suis triste, je chante.", []),
        ("Quand j'ai peur, je compte.", []),
        ("Il dit bonjour à maman.", []),
        ("Je t'aime pas, dit le loup.", []),
        ("Il n'y a pas de surprise.", []),
        ("Le chien est content.", []),
        ("Tu dois dire merci à ta mamie.", []),
    ],
)
def test_feelings(text: str, cues: list[str]) -> None:
    assert shown(infer_cues(text, languages=FRENCH)) == cues


# What people tell about themselves


@pytest.mark.parametrize(
    ("said", "facts"),
    [
        ("je m'appelle ana et j'ai cinq ans", ["name::Ana", "age::cinq"]),
        ("je m’appelle ana", ["name::Ana"]),
        ("je m' appelle tom", ["name::Tom"]),
        ("j m'appelle tom", ["name::Tom"]),
        ("j ai 6 ans", ["age::6"]),
        ("j' ai trente et un ans", ["age::trente et un"]),
        ("j'ai soixante-douze ans", ["age::soixante-douze"]),
        ("j'ai dix sept ans", ["age::dix sept"]),
        ("j'ai sept ans et demi", ["age::sept"]),
        ("j'ai un chien noir et un chat blanc", ["has:chien:", "has:chat:"]),
        ("j'ai horreur des araignées", ["dislikes:araignées:araignées"]),
        ("jai un âne", ["has:âne:"]),
        ("mon anniv c'est le trois mai", ["birthday::trois mai"]),
        ("je suis né le 4 juillet", ["birthday::4 juillet"]),
        ("mon anniversaire est en aout", ["birthday::août"]),
        ("demain c'est mon anniversaire", ["birthday::29 novembre 2026"]),
        ("ma couleur préférée c'est le bleu et j'aime la pizza", ["favourite:couleur:bleu", "likes:pizza:pizza"]),
        ("mon dessin animé préféré c'est pat patrouille", ["favourite:dessin animé:pat patrouille"]),
        ("le bleu c'est ma couleur préférée", ["favourite:couleur:bleu"]),
        ("l'animal que je préfère c'est le lion", ["favourite:animal:lion"]),
        ("j'aime les chats et les chiens", ["likes:chats:chats", "likes:chiens:chiens"]),
        ("j' aime trop le foot", ["likes:foot:foot"]),
        ("j'aime bien l'école", ["likes:école:école"]),
        ("j'adore manger des frites", ["likes:frites:frites"]),
        ("moi les dinosaures j'adore ça", ["likes:dinosaures:dinosaures"]),
        ("ce que j'aime le plus c'est la danse", ["likes:danse:danse"]),
        ("j'aime pas les épinards", ["dislikes:épinards:épinards"]),
        ("je n'aime pas du tout la soupe", ["dislikes:soupe:soupe"]),
        ("les araignées j'aime pas", ["dislikes:araignées:araignées"]),
        ("je déteste le fromage", ["dislikes:fromage:fromage"]),
        ("j'aime le rouge mais j'aime pas le vert", ["likes:rouge:rouge", "dislikes:vert:vert"]),
        ("j'ai un chien qui s'appelle rex", ["has:chien:Rex"]),
        ("mon chien il s'appelle rex", ["has:chien:Rex"]),
        ("j'ai une petite chatte blanche qui s'appelle luna", ["has:chat:Luna"]),
        ("J’ai un chien. Il est grand.", ["has:chien:"]),
        ("on a un lapin à la maison", ["has:lapin:"]),
        ("j'ai un cochon d'inde", ["has:cochon d'inde:"]),
        ("j'ai deux frères", ["has:frère:"]),
        ("ma maman s'appelle eva et mon papa s'appelle luc", ["has:mère:Eva", "has:père:Luc"]),
        ("ma grande soeur elle s'appelle zoé", ["has:sœur:Zoé"]),
        ("ma meilleure copine s'appelle sara", ["has:meilleure amie:Sara"]),
        ("ma grand-mère s'appelle odette", ["has:mamie:Odette"]),
        ("j'ai encore un chat qui s'appelle mimi", ["has:chat Mimi:Mimi"]),
        ("j'habite à paris avec ma maman", ["lives::paris"]),
        ("j habite en bretagne", ["lives::bretagne"]),
        ("je viens de marseille", ["lives::marseille"]),
        ("je viens d'italie", ["lives::italie"]),
        ("je suis en ce un", ["grade::ce un"]),
        ("je suis en grande section", ["grade::grande section"]),
        ("je travaille comme pompier", ["job::pompier"]),
        ("je te promets de ranger ma chambre", ["promise:ranger ma chambre:ranger ma chambre"]),
        ("demain je vais à la plage", ["promise:demain je vais à la plage:demain je vais à la plage"]),
        ("souviens-toi que mon chat a faim", ["remember:mon chat a faim:mon chat a faim"]),
        ("n'oublie pas que c'est la fête", ["remember:c'est la fête:c'est la fête"]),
        ("tu sais quoi j'ai un lapin", ["has:lapin:"]),
        ("c'est le bleu ma couleur préférée", ["favourite:couleur:bleu"]),
        ("je bosse comme chauffeur", ["job::chauffeur"]),
    ],
)
def test_facts_are_found(said: str, facts: list[str]) -> None:
    found = find_facts(said, NOW, FRENCH).facts
    assert sorted(f"{one.kind}:{one.subject}:{one.value}" for one in found) == sorted(facts)
    assert all(one.language == "fr" and one.value in one.text for one in found)


@pytest.mark.parametrize(
    "said",
    [
        # Questions, wishes, conditions.
        *("comment je m'appelle", "Je m'appelle Ana ?", "j'habite où", "est-ce que j'ai un chien", "j'ai quel âge"),
        *("tu te souviens que j'ai un chien", "je m'appelle comment déjà", "qu'est-ce que j'aime"),
        *("je veux un chien", "je voudrais avoir un chat", "si j'ai un chien je m'en occupe", "j'aimerais un poney"),
        *("quand je serai grand j'aurai un cheval", "je vais avoir un chien", "j'espère que j'ai un chien"),
        # Games, stories, dreams, jokes.
        *("on dirait que j'ai un dragon et un chien", "on joue à j'ai un chien", "j'ai rêvé que j'ai un cheval"),
        *("j'ai un chien en peluche", "j'ai un ami imaginaire", "j'ai un chien pour de faux", "j'ai un chat je rigole"),
        *("dans mon histoire j'ai un lion et un chat", "j'ai un lapin en chocolat", "j'aime la boue dans mon rêve"),
        # Somebody else.
        *("ma maman dit que j'ai un chat", "mon papa a un chien", "ma sœur aime le rose", "il a dit j'ai un chien"),
        *("mon cousin habite à lyon", "mon frère a six ans", "le chien de mon ami s'appelle rex", "tu as un chien"),
        # Denied, long ago, about the character, nothing to keep.
        *(
            "je m'appelle pas pierre",
            "j'ai pas de chien",
            "je n'ai pas de frère",
            "j'avais un chien",
            "on n'a pas de chat",
        ),
        *("j'ai bientôt six ans", "j'ai six ans de plus que ma sœur", "j'ai presque six ans", "non j'ai pas six ans"),
        *(
            "je t'aime",
            "j'aime quand tu chantes",
            "j'aime jouer avec toi",
            "j'aime ça",
            "j'aime ma maman",
            "j'aime tout",
        ),
        *("j'habite dans une maison", "j'habite à la campagne", "je viens de manger", "je viens de me lever"),
        *("je viens d'arriver", "je viens du parc", "je suis de bonne humeur", "je suis en train de manger"),
        *("j'ai un chat dans la gorge", "j'ai un vélo", "j'ai une fille dans ma classe", "mon nom c'est secret"),
        *(
            "mon chien s'appelle pas rex",
            "mon travail c'est difficile",
            "le matin demain je dors",
            "j'aime mieux le rouge",
        ),
        # Not yet, not any more, not alive.
        *("dans trois ans j'ai dix ans", "l'année prochaine je suis en cp", "j'ai un chien mais il est mort"),
        *("c'est pas le bleu ma couleur préférée", "j'ai un poisson dans mon assiette", "j'ai une tortue ninja"),
        "mon chat il s'appelle je sais plus",
        # Private.
        *("j'habite rue de la gare et j'ai un chien", "je suis allergique et j'aime le pain"),
    ],
)
def test_what_tells_nothing_is_no_fact(said: str) -> None:
    assert find_facts(said, NOW, FRENCH).facts == ()


# Who speaks


@pytest.mark.parametrize(
    ("said", "name"),
    [
        *((said, "Léa") for said in ("je m'appelle léa", "je m’appelle léa", "je m' appelle léa", "j m'appelle léa")),
        *((said, "Léa") for said in ("bonjour pistache je m'appelle léa", "salut moi c'est léa", "moi c'est léa")),
        *((said, "Léa") for said in ("moi je m'appelle léa", "coucou je suis léa", "mon prénom c'est léa et toi")),
        *((said, "Léa") for said in ("c'est moi léa", "c'est léa qui parle", "ici léa qui parle", "appelle-moi léa")),
        *(
            (said, "Léa")
            for said in ("non moi c'est léa", "je m'appelle léa et j'ai six ans", "tout le monde m'appelle léa")
        ),
        *((said, "Zuzu") for said in ("je m'appelle zuzu", "appelle-moi zuzu", "appelle moi zuzu s'il te plaît")),
        *((said, "Rose") for said in ("je m'appelle rose", "mon prénom c'est rose")),
        *((said, "Hugo") for said in ("coucou c'est hugo", "salut pistache c’est hugo")),
        *((said, None) for said in ("salut c'est rose", "bonjour c'est noël", "coucou c'est maman", "oui c'est hugo")),
        *((said, "Léa") for said in ("eh bien je m'appelle léa", "moi aussi je m'appelle léa", "je m'appelle euh léa")),
        *((said, "Léa") for said in ("je m'appelle pas tom je m'appelle léa", "allô je m'appelle léa")),
        ("je m'appelle pas tom mon frère s'appelle tom", None),
        ("je m'appelle jean-baptiste", "Jean-Baptiste"),
        ("mon nom est victor hugo", "Victor Hugo"),
        ("hello i'm tom", "Tom"),
        # Somebody heard before.
        *((said, "Ana") for said in ("je suis ana", "moi c'est ana")),
        # Nobody.
        *(
            (said, None)
            for said in ("je suis content", "je suis fatiguée", "je suis une fille", "je suis la reine des neiges")
        ),
        *(
            (said, None)
            for said in ("moi c'est rose", "moi c'est le rouge", "je suis claire", "je suis marié", "je suis olive")
        ),
        *(
            (said, None)
            for said in ("je m'appelle pas tom", "je ne m'appelle pas tom", "je suis pas tom", "je m'appelle comment")
        ),
        *(
            (said, None)
            for said in ("comment je m'appelle", "tu t'appelles comment", "je m'appelle comme toi", "je suis tom ?")
        ),
        *(
            (said, None)
            for said in ("mon ami s'appelle tom", "ma sœur s'appelle léa", "il s'appelle tom", "c'est lucas", "ici tom")
        ),
        *(
            (said, None)
            for said in ("on m'appelle souvent bébé", "appelle-moi plus tard", "appelle maman", "c'est maman qui parle")
        ),
        *(
            (said, None)
            for said in ("je suis pistache", "je suis en cp", "je suis rentré", "je suis kaelwen", "je suis malade")
        ),
        *(
            (said, None)
            for said in ("je suis tom le frère de léa", "bonjour je suis ravie", "salut je suis perdue", "je suis là")
        ),
    ],
)
def test_introductions(said: str, name: str | None) -> None:
    assert introduced_name(said, FRENCH, ("Ana",), ("Pistache",)) == name


# Of which kind an utterance is


@pytest.mark.parametrize(
    "said",
    [
        *(
            "j'habite 12 rue des lilas",
            "j'habite dans la rue de la paix",
            "j habite rue victor hugo",
            "j'habite au douze avenue de la gare",
        ),
        *("ma rue s'appelle la rue verte", "mon adresse c'est", "l'adresse de ma maison", "le code postal"),
        *(
            "notre maison est dans l'impasse",
            "j'habite au troisième étage",
            "mon école s'appelle jules ferry",
            "mon école est grande",
        ),
        *(
            "je vais à l'école saint joseph",
            "je vais à la maternelle des petits loups",
            "mon collège c'est victor hugo",
            "le nom de mon école",
        ),
        *(
            "mon numéro c'est le zéro six",
            "mon téléphone c'est zéro six douze",
            "le numéro de téléphone de maman",
            "mon mail c'est ana arobase",
        ),
        *("mon mot de passe c'est chat", "le code secret de la tablette", "la carte bleue de papa", "j'ai de l'asthme"),
        *("je suis malade", "je suis allergique aux chats", "j'ai mal au ventre", "j'ai mal à la tête"),
        *("j’ai de la fièvre", "je suis allé chez le docteur", "ma mamie est à l'hôpital", "je prends des médicaments"),
        *("mon frère est autiste", "mon nom de famille c'est martin", "le digicode de l'immeuble", "j'ai vomi"),
        *("papa a un cancer", "j'ai le covid", "j'ai le bras dans le plâtre", "mon mdp c'est chaton"),
        *("j'habite au troisième", "j'habite au rez-de-chaussée", "appelle maman au zéro six"),
        *("je suis en cp à l'école des tilleuls", "j'habite juste à côté de la boulangerie rue pasteur"),
    ],
)
def test_private(said: str) -> None:
    assert is_private(said, FRENCH)


@pytest.mark.parametrize(
    "said",
    [
        *(
            "j'habite à lyon",
            "je vais à l'école tous les jours",
            "je vais à l'école avec papa",
            "je vais à l'école à pied",
        ),
        *("je vais à l'école de musique", "j'aime l'école", "je vais au parc", "mon numéro préféré c'est le sept"),
        *("je veux être docteur", "j'aime le printemps", "on est à la plage", "la carte d'anniversaire"),
        *("j'ai un secret", "j'ai un compte à rebours", "ma maîtresse s'appelle julie", "i like my dog"),
        *("j'aime la musique", "mon jouet parle", "je mange une pomme", "ça ne fait pas mal"),
        *("on joue dans la rue", "mon téléphone en jouet", "j'ai six ans", "le chien est dans l'allée"),
        *("un chat", "je vis dans un rêve", "j'ai compté jusqu'à cent", "on joue aux dés"),
        *("je suis fatigué", "je joue au docteur", "ma maîtresse à l'école dessine bien", "je suis en cp à l'école"),
        *("j'habite à lyon et j'ai vu une rue pavée", "zéro à zéro"),
        *("je bois du sirop de fraise", "on fait des opérations", "il y a une piqûre d'abeille"),
    ],
)
def test_not_private(said: str) -> None:
    assert not is_private(said, FRENCH)


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        *(
            (said, True)
            for said in (
                "comment je m'appelle",
                "comment tu t'appelles",
                "tu t'appelles comment",
                "est-ce que tu aimes le pain",
            )
        ),
        *((said, True) for said in ("tu aimes le pain", "tu sais voler", "tu peux chanter", "pourquoi il pleut")),
        *((said, True) for said in ("où tu habites", "tu habites où", "c'est quoi", "qu'est-ce que tu fais")),
        *(
            (said, True)
            for said in ("quel âge as-tu", "t'as quel âge", "tu te souviens de mon chien", "dis pistache tu dors")
        ),
        *(
            (said, True)
            for said in ("et toi ça va", "raconte-moi une histoire", "de quelle couleur est le ciel", "on joue")
        ),
        *(
            (said, True)
            for said in (
                "aimes-tu les croissants",
                "mon chien s'appelle rex tu te souviens",
                "c'est bien hein",
                "il s'appelle comment mon chien",
            )
        ),
        *(
            (said, True)
            for said in (
                "je m'appelle comment",
                "quelle est ma couleur préférée",
                "qui es-tu",
                "quand est mon anniversaire",
            )
        ),
        *((said, True) for said in ("il est quelle heure", "y'a quoi dans ton étang")),
        *((said, True) for said in ("j'ai combien de chats", "j ai quel âge", "y a-t-il des loups")),
        *(
            (said, False)
            for said in (
                "j'ai un chien",
                "je m'appelle ana",
                "quand je serai grand je veux être pompier",
                "je mange tous les jours du pain",
            )
        ),
        *((said, False) for said in ("je ne veux pas dormir", "bonjour", "coucou pistache", "je veux un chien")),
        *(
            (said, False)
            for said in (
                "ma couleur préférée c'est le bleu",
                "moi j'aime chanter",
                "mon chien qui s'appelle rex aboie",
                "c'est toi la plus belle",
            )
        ),
        *(
            (said, False)
            for said in ("que c'est beau", "comme c'est joli", "il a dit bonjour", "j'aime quand il pleut")
        ),
        *(
            (said, False)
            for said in ("je sais nager", "on a mangé des frites", "qu'il est beau", "je crois que tu dors")
        ),
        *((said, False) for said in ("non", "la dame et le monsieur", "j'habite à paris")),
    ],
)
def test_questions(said: str, asked: bool) -> None:
    assert is_question(said, FRENCH) == asked


def test_what_is_asked_about() -> None:
    for said in ("j'ai un chien", "j ai un chien", "moi aussi", "mon chien", "ma tortue", "il m'appelle"):
        assert is_about_self(said, FRENCH), said
    for said in ("le chien dort", "tu es belle", "il a un ami", "the dog"):
        assert not is_about_self(said, FRENCH), said
    for said in ("comment tu t'appelles", "quel est ton nom", "aimes-tu le pain", "t'as quel âge", "tu sais nager"):
        assert is_about_character(said, FRENCH), said
    for said in (
        "tu te souviens de mon chien",
        "tu sais comment je m'appelle",
        "comment je m'appelle",
        "j'ai un chien",
    ):
        assert not is_about_character(said, FRENCH), said
    assert asks_why("pourquoi il pleut", FRENCH)
    assert not asks_why("il pleut pour moi", FRENCH)


@pytest.mark.parametrize(
    ("asked", "said", "holds"),
    [
        ("quand est mon anniversaire", "mon anniversaire est en mai", True),
        ("j'ai combien de chats", "j'ai deux chats", True),
        ("où est mon doudou", "mon doudou est sous le lit", True),
        ("comment s'appelle mon chien", "mon chien s'appelle rex", True),
        ("quand est la fête", "la fête me plaît", False),
    ],
)
def test_the_shape_of_an_answer(asked: str, said: str, holds: bool) -> None:
    assert answers(asked, said, FRENCH) == holds


@pytest.mark.parametrize(
    ("said", "code"),
    [
        *(
            (said, "fr")
            for said in ("j'ai un chien", "j ai un chien", "à dormir", "non", "je sais pas", "on a un chat")
        ),
        *((said, "fr") for said in ("moi c'est léa", "chante une chanson", "il a mal", "bonne nuit", "d'accord")),
        *((said, "fr") for said in ("qu'est-ce que c'est", "l'école", "à la plage", "tu danses", "c’est rouge")),
        *((said, "en") for said in ("i have a dog", "tell me a story", "where are you", "no i do not", "let me do it")),
        *(
            (said, "en")
            for said in ("my dog is called max", "what is the time", "i'm six years old", "i am on a train")
        ),
        *(
            (said, "en")
            for said in (
                "he's my friend",
                "put it on the table",
                "put it on a table",
                "two plus two is four",
                "my son likes it",
            )
        ),
    ],
)
def test_the_language_of_a_sentence(said: str, code: str) -> None:
    assert FRENCH.of(said).code == code


@pytest.mark.parametrize(
    "forms",
    [
        *(
            "chien chiens chienne chiot",
            "cheval chevaux",
            "école écoles l'école ecole",
            "jouer joue jouons jeu",
        ),
        *(
            "manger mange mangé mangeait",
            "dormir dort dormi",
            "yeux œil oeil",
            "gâteau gâteaux gateau",
            "sœur soeur soeurs",
        ),
        *(
            "vélo vélos bicyclette",
            "maman mère",
            "papa père",
            "mamie mémé",
            "dessiner dessin dessiné",
            "pleut plu pluie",
        ),
    ],
)
def test_forms_of_a_word_meet(forms: str) -> None:
    assert len(index_words(forms, FRENCH, FRENCH.own)) == 1


def test_small_words_find_nothing() -> None:
    assert index_words("comment s'appelle mon chien", FRENCH, FRENCH.own) == index_words("chien", FRENCH, FRENCH.own)
    assert index_words("qu'est-ce que j'ai dit", FRENCH, FRENCH.own) == ()


# What people say to the device itself


@pytest.mark.parametrize(
    ("said", "command"),
    [
        *(
            (said, "stop")
            for said in ("stop", "arrête", "pistache tais-toi s'il te plaît", "tais toi", "ça suffit maintenant")
        ),
        *(
            (said, "goodbye")
            for said in ("au revoir pistache", "à demain mon ami", "merci au revoir", "bonne nuit pistache")
        ),
        *((said, "goodbye") for said in ("à tout à l’heure", "À demain !", "bon ben je vais dormir")),
        *((said, "again") for said in ("dis-le autrement s'il te plaît", "dis le autrement", "essaie encore")),
        *((said, "guest") for said in ("mode invité", "oublie ça s'il te plaît", "je suis une invitée")),
        *((said, None) for said in ("salut pistache", "bonjour", "c'est bon", "arrête le loup", "chut bébé dort")),
        *(
            (said, None)
            for said in ("bonne nuit les petits est une chanson", "encore une histoire", "oublie pas mon chien")
        ),
        *((said, None) for said in ("je veux aller au parc", "je vais dormir chez mamie")),
    ],
)
def test_commands(said: str, command: str | None) -> None:
    assert load_persona(PISTACHE).spoken_command(said) == command


def test_dates() -> None:
    assert FRENCH.own.date(NOW) == "28 novembre 2026"


# All together


def test_nothing_is_missing_and_the_persona_is_clean() -> None:
    assert missing("fr") == []
    done = CliRunner().invoke(check, [str(PISTACHE)])
    assert done.exit_code == 0
    assert "note:" not in done.output


def test_a_conversation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    lines = "bonjour pistache\nje m'appelle ana\nj'ai un chien qui s'appelle rex\nj'habite rue de la gare 5\n/memory\n"
    lines += "au revoir pistache\n"
    script = tmp_path / "turns.txt"
    script.write_text(lines, "utf-8")
    options = ["--set", f"persona={PISTACHE}", "--set", "character.emulator=always"]
    options += ["--set", "character.requests_per_second=1000", "--set", "character.answer_within_s=20"]
    toy = ["--script", str(script), "--json", "--seed", "3", "--device", str(CONFIGS / "devices" / "toy.toml")]
    done = CliRunner().invoke(chat_command, [*toy, *options])
    assert done.exception is None, done.exception
    printed = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    (memory,) = (one for one in printed if one.get("command") == "/memory")
    assert memory["person"] == "Ana"
    assert memory["facts"] == [
        "La personne s'appelle Ana.",
        "Dans la vie de la personne il y a : chien, du nom de Rex.",
    ]
    answered = [one for one in printed if "said" in one]
    assert {one["speaker"] for one in answered} == {"Pistache"}
    assert any(one["cues"] for one in answered)
    assert answered[-1]["spoken"] in load_persona(PISTACHE).lines.goodbye


def test_the_lines_of_the_persona_are_spoken_whole() -> None:
    pistache = load_persona(PISTACHE)
    for line in (pistache.opening, *pistache.lines.offline, *pistache.lines.goodbye, *pistache.lines.guest):
        stage = Stage("Pistache", FRENCH)
        assert "".join(one for one in stage.feed(line) + stage.close() if isinstance(one, str)) == line
        assert FRENCH.of(line).code == "fr"
