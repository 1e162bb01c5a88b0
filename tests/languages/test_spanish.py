"""Spanish: what its files make of directions, feelings, facts, names, private things, commands and whole answers."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from companion.cli.chat import chat_command
from companion.cli.check import check
from companion.events import Cue
from companion.languages.check import missing
from companion.languages.understood import understood
from companion.mind.memory.facts import find_facts
from companion.mind.memory.index_words import index_words
from companion.mind.memory.introductions import introduced_name
from companion.mind.memory.utterance import is_private, is_question
from companion.voice.sentences import Sentences
from companion.voice.stage.inference import infer_cues
from companion.voice.stage.meaning import read_direction
from companion.voice.stage.stage import Stage
from tests.support.paths import CONFIGS

SPANISH = understood("es")
NOW = datetime(2026, 11, 28)
LUCERO = CONFIGS / "personas" / "lucero.toml"


def shown(cues: tuple[Cue, ...] | list[Cue]) -> list[str]:
    return [one for cue in cues for one in (cue.emotion, cue.gesture) if one]


# What stage directions tell the body


@pytest.mark.parametrize(
    ("text", "emotion", "gesture"),
    [
        ("sonríe", "happy", None),
        ("sonrie", "happy", None),
        ("sonriendo de oreja a oreja", "happy", None),
        ("con una sonrisa", "happy", None),
        ("mueve la cola", "happy", None),
        ("los ojos le brillan", "happy", None),
        ("rebuzna de alegría", "happy", None),
        ("llorando de alegría", "happy", None),
        ("se ríe", "amused", None),
        ("me río", "amused", None),
        ("riéndose a carcajadas", "amused", None),
        ("Entre risas", "amused", None),
        ("llora de risa", "amused", None),
        ("te guiña un ojo", "amused", None),
        ("en tono juguetón", "amused", None),
        ("no puede evitar reírse", "amused", None),
        ("sin dejar de sonreír", "happy", None),
        ("sonríe con tristeza", "sad", None),
        ("con lágrimas en los ojos", "sad", None),
        ("se le quiebra la voz", "sad", None),
        ("con las orejas gachas", "sad", None),
        ("suspira", "disappointed", None),
        ("hace un puchero", "disappointed", None),
        ("suspira aliviado", "relaxed", None),
        ("cruza los brazos enfadado", "angry", None),
        ("enojada", "angry", None),
        ("tiembla de miedo", "afraid", None),
        ("se esconde detrás de un árbol", "afraid", None),
        ("frunce el ceño", "worried", None),
        ("nerviosa", "worried", None),
        ("abre mucho los ojos", "surprised", None),
        ("se queda boquiabierto", "surprised", None),
        ("se rasca la cabeza", "confused", None),
        ("se rasca la barbilla, pensativo", "thoughtful", None),
        ("muy serio", "thoughtful", None),
        ("levanta las orejas", "interested", None),
        ("con entusiasmo", "excited", None),
        ("hincha el pecho con orgullo", "confident", None),
        ("se pone rojo como un tomate", "embarrassed", None),
        ("timidamente", "embarrassed", None),
        ("se tapa la cara con las pezuñas", "embarrassed", None),
        ("con voz dulce", "affectionate", None),
        ("te seca las lágrimas", "affectionate", None),
        ("te lanza un beso", "loving", None),
        ("se frota los ojos", "sleepy", None),
        ("se queda dormido", "sleepy", "sleep"),
        ("arruga la nariz", "disgusted", None),
        ("aburrido", "bored", None),
        ("te abraza", "affectionate", "hug"),
        ("abrazándote con fuerza", "affectionate", "hug"),
        ("me abrazo a ti", "affectionate", "hug"),
        ("abre los brazos", "affectionate", "hug"),
        ("levanta la pata para saludar", None, "wave"),
        ("se despide", None, "wave"),
        ("asiente con la cabeza", None, "nod"),
        ("hace una reverencia", None, "nod"),
        ("niega con la cabeza", None, "shake_head"),
        ("mueve la cabeza de un lado a otro", None, "shake_head"),
        ("inclina la cabeza hacia un lado", None, "tilt_head"),
        ("mira a su alrededor", None, "look_left"),
        ("gira la cabeza hacia la derecha", None, "look_right"),
        ("mira al cielo", None, "look_up"),
        ("baja la mirada", None, "look_down"),
        ("se acerca despacito", None, "lean_in"),
        ("te susurra al oído", None, "lean_in"),
        ("da saltitos", None, "jump"),
        ("da vueltas sobre sí mismo", None, "dance"),
        ("encogiéndose de hombros", None, "shrug"),
        ("aplaude con las pezuñas", None, "clap"),
        ("El burrito salta", None, "jump"),
        ("tú ríes y él te abraza", "affectionate", "hug"),
        ("al verte triste, te abraza", "affectionate", "hug"),
        ("te devuelve la sonrisa", "happy", None),
        ("a tu lado, sonriendo", "happy", None),
        ("smiles", "happy", None),
    ],
)
def test_directions(text: str, emotion: str | None, gesture: str | None) -> None:
    feeling = read_direction(text, "Lucero", SPANISH)
    assert feeling is not None
    assert (feeling.emotion, feeling.gesture) == (emotion, gesture)


@pytest.mark.parametrize(
    "text",
    [
        *("no sonríe", "sin sonreír", "deja de reír", "nunca se enfada", "se niega a bailar", "en vez de llorar"),
        *("tú sonríes", "te ríes", "mientras tú bailas", "los niños ríen", "la gente aplaude", "mi hermana ríe"),
        *("te hace reír", "te ve llorar", "tu risa", "tu bonita sonrisa", "esperando que sonrías", "para que no llores"),
        *("se oye una risa", "Ana sonríe", "Lucas se ríe", "todos aplauden", "no te preocupes"),
        *("abre la puerta", "camina hacia la ventana", "come una zanahoria", "toca la guitarra", "mira el río"),
        *("se sienta en su asiento", "con voz suave", "con voz grave", "juega con un juguete", "pausa", "agua fría"),
        *("lee un cuento triste", "toma la bota", "Luces tenues", "mira el rabillo", "a las once"),
    ],
)
def test_what_is_denied_done_by_others_or_business_is_no_cue(text: str) -> None:
    assert read_direction(text, "Lucero", SPANISH) is None


def test_degrees() -> None:
    plain, weak, strong = (
        read_direction(text, "Lucero", SPANISH) for text in ("sonríe", "sonríe un poquito", "sonríe ampliamente")
    )
    assert plain
    assert weak
    assert strong
    assert weak.intensity < plain.intensity < strong.intensity


# What is spoken of a model's answer


@pytest.mark.parametrize(
    ("answer", "spoken", "cues"),
    [
        ("*sonríe* ¡Hola, Ana!", "¡Hola, Ana!", ["happy"]),
        ("_sonríe_ ¡Hola, Ana!", "¡Hola, Ana!", ["happy"]),
        ("**Sonríe ampliamente** ¡Hola!", "¡Hola!", ["happy"]),
        ("**Se ríe.**\n¿Jugamos?", "¿Jugamos?", ["amused"]),
        ("(se ríe bajito) Qué gracioso.", "Qué gracioso.", ["amused"]),
        ("[salta de alegría] ¡Yupi!", "¡Yupi!", ["happy", "jump"]),
        ("¡Hola! *agita la pezuña* Soy Lucero.", "¡Hola! Soy Lucero.", ["wave"]),
        ("¡Hola! _Mueve la cola._ ¿Jugamos?", "¡Hola! ¿Jugamos?", ["happy"]),
        ("¿Y tú? _ladea la cabeza_ Cuéntame.", "¿Y tú? Cuéntame.", ["tilt_head"]),
        ("_con una sonrisa_ Claro que sí.", "Claro que sí.", ["happy"]),
        ("_me río_ ¡Qué bien!", "¡Qué bien!", ["amused"]),
        ("_riéndose_ ¡Qué bien!", "¡Qué bien!", ["amused"]),
        ("_abrazándote_ Ya está, ya pasó.", "Ya está, ya pasó.", ["affectionate", "hug"]),
        ("_tímidamente_ Hola.", "Hola.", ["embarrassed"]),
        ("_El burrito salta._ ¡Mira!", "¡Mira!", ["jump"]),
        ("_Una pausa larga._ Bueno, sigo.", "Bueno, sigo.", []),
        ("<acción>salta</acción> ¡Hop!", "¡Hop!", ["jump"]),
        ("<pensamiento>Debo ser amable</pensamiento> Hola.", "Hola.", []),
        ("Lucero: ¡Hola!", "¡Hola!", []),
        # Emphasis is spoken.
        ("Es _muy_ importante.", "Es muy importante.", []),
        ("Yo _te quiero_ mucho.", "Yo te quiero mucho.", []),
        ("Tienes que **saltar** muy alto.", "Tienes que saltar muy alto.", []),
        ("**Feliz cumpleaños**, Ana.", "Feliz cumpleaños, Ana.", []),
        ("Me gusta _bailar_ contigo.", "Me gusta bailar contigo.", []),
        ("_me gusta_ el pan.", "me gusta el pan.", []),
        ("**Ríe** y canta conmigo.", "Ríe y canta conmigo.", []),
        ("Cuando alguien _llora_, lo abrazo.", "Cuando alguien llora, lo abrazo.", []),
        ("_El burrito que quería volar_ es mi cuento favorito.", "El burrito que quería volar es mi cuento favorito.", []),
        ("**Primero** pones agua. **Después** el pan.", "Primero pones agua. Después el pan.", []),
        ("**¡Vamos!**", "¡Vamos!", []),
        ("Nota: no corras.", "Nota: no corras.", []),
        ("Recuerda: hay que dormir.", "Recuerda: hay que dormir.", []),
    ],
)
def test_answers(answer: str, spoken: str, cues: list[str]) -> None:
    # In whole and letter by letter: how an answer arrives changes nothing.
    for deltas in ([answer], list(answer)):
        stage = Stage("Lucero", SPANISH)
        pieces = [piece for delta in deltas for piece in stage.feed(delta)] + stage.close()
        assert "".join(one for one in pieces if isinstance(one, str)).strip() == spoken
        assert shown([one for one in pieces if isinstance(one, Cue)]) == cues


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("El Sr. López tiene un perro. ¿Y tú? ¡Yo no!", ["El Sr. López tiene un perro.", "¿Y tú?", "¡Yo no!"]),
        ("Hay pan, queso, etc. Luego jugamos.", ["Hay pan, queso, etc.", "Luego jugamos."]),
        ("Falta la letra o. Ahora tú.", ["Falta la letra o.", "Ahora tú."]),
        ("«¡Hola!», dijo. Y rio.", ["«¡Hola!», dijo.", "Y rio."]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    reading = Sentences(first_clause=False, languages=SPANISH)
    assert [one.text for one in reading.feed(text) + reading.close()] == expected


# Feelings that a sentence shows by itself


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        ("¡Hola, Ana!", ["wave"]),
        ("¡Adiós, amigo!", ["wave"]),
        ("Hasta mañana.", ["wave"]),
        ("Sí, claro.", ["nod"]),
        ("No, gracias.", ["shake_head", "pleased"]),
        ("No lo sé.", ["shrug"]),
        ("Jajaja, qué gracioso.", ["amused"]),
        ("¡Qué alegría verte!", ["happy"]),
        ("Estoy muy feliz.", ["happy"]),
        ("Me encanta jugar.", ["happy"]),
        ("Te quiero mucho.", ["loving"]),
        ("¡Yupi!", ["excited"]),
        ("¡Felicidades!", ["excited", "clap"]),
        ("¡Guau!", ["surprised"]),
        ("¡Ay, no! Se cayó.", ["worried"]),
        ("Te extraño.", ["sad"]),
        ("Lo siento mucho.", ["sad"]),
        ("Me da miedo la oscuridad.", ["afraid"]),
        ("Estoy enojado.", ["angry"]),
        ("Me da vergüenza.", ["embarrassed"]),
        ("Tengo mucho sueño.", ["sleepy"]),
        ("¡Puaj, qué asco!", ["disgusted"]),
        ("Mmm, déjame pensar.", ["thoughtful"]),
        ("¡Muchas gracias!", ["pleased"]),
        ("¿Estás triste?", ["tilt_head"]),
        ("No estoy triste.", []),
        ("Un final feliz.", []),
        ("Te quiero contar un cuento.", []),
        ("No tengo miedo.", []),
        ("Tengo un sueño.", []),
        ("No sé nadar.", []),
        ("El perro hace guau y corre.", []),
        ("Si estoy triste, canto.", []),
        ("No me encanta.", []),
        ("Vaya a la derecha.", []),
    ],
)
def test_feelings(text: str, cues: list[str]) -> None:
    assert shown(infer_cues(text, SPANISH)) == cues
