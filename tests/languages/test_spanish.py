"""Spanish: what its files make of directions, feelings, facts, names, private things, commands and whole answers."""

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
        ("corresponde a tu abrazo", "affectionate", "hug"),
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
        *("te hace reír", "te ve llorar", "tu risa", "tu bonita sonrisa", "esperando que sonrías"),
        *("para que no llores", "para que te rías"),
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
        ("_El burrito que vuela_ es mi cuento favorito.", "El burrito que vuela es mi cuento favorito.", []),
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


# What people tell about themselves


@pytest.mark.parametrize(
    ("said", "facts"),
    [
        ("me llamo ana y tengo cinco años", ["name::Ana", "age::cinco"]),
        ("tengo 6 anos", ["age::6"]),
        ("tengo treinta y dos años", ["age::treinta y dos"]),
        ("mi cumple es el tres de mayo", ["birthday::tres de mayo"]),
        ("nací el 4 de julio", ["birthday::4 de julio"]),
        ("cumplo años en agosto", ["birthday::agosto"]),
        ("mañana es mi cumpleaños", ["birthday::29 de noviembre de 2026"]),
        ("mi color favorito es el azul y me gusta la pizza", ["favourite:color:azul", "likes:pizza:pizza"]),
        ("mi comida favorita son los espaguetis", ["favourite:comida:espaguetis"]),
        ("mi número favorito es el siete", ["favourite:número:siete"]),
        ("me gustan los perros y los gatos", ["likes:perros:perros", "likes:gatos:gatos"]),
        ("a mí me gusta mucho jugar al fútbol", ["likes:jugar al fútbol:jugar al fútbol"]),
        ("me gusta mas el rojo", ["likes:rojo:rojo"]),
        ("los dinosaurios me encantan", ["likes:dinosaurios:dinosaurios"]),
        ("lo que más me gusta es el chocolate", ["likes:chocolate:chocolate"]),
        ("no me gustan nada las espinacas", ["dislikes:espinacas:espinacas"]),
        ("las arañas no me gustan", ["dislikes:arañas:arañas"]),
        ("odio la sopa", ["dislikes:sopa:sopa"]),
        ("tengo un perro que se llama rex", ["has:perro:Rex"]),
        ("tengo una perra muy bonita que se llama luna", ["has:perro:Luna"]),
        ("me gusta el azul mi perro se llama rex", ["likes:azul:azul", "has:perro:Rex"]),
        ("tengo dos hermanos", ["has:hermano:"]),
        ("mi mamá se llama eva y mi papá se llama luis", ["has:madre:Eva", "has:padre:Luis"]),
        ("mi mejor amiga se llama sara", ["has:mejor amiga:Sara"]),
        ("tengo otro perro que se llama toby", ["has:perro Toby:Toby"]),
        ("vivo en madrid con mi mamá", ["lives::madrid"]),
        ("soy de la ciudad de méxico", ["lives::ciudad de méxico"]),
        ("estoy en segundo de primaria", ["grade::segundo de primaria"]),
        ("voy a tercer grado", ["grade::tercer grado"]),
        ("trabajo de bombero", ["job::bombero"]),
        ("te prometo que voy a ordenar mi cuarto", ["promise:voy a ordenar mi cuarto:voy a ordenar mi cuarto"]),
        ("mañana voy a la playa", ["promise:mañana voy a la playa:mañana voy a la playa"]),
        ("acuérdate de que mi gato tiene hambre", ["remember:mi gato tiene hambre:mi gato tiene hambre"]),
    ],
)
def test_facts_are_found(said: str, facts: list[str]) -> None:
    found = find_facts(said, NOW, SPANISH).facts
    assert sorted(f"{one.kind}:{one.subject}:{one.value}" for one in found) == sorted(facts)
    assert all(one.language == "es" and one.value in one.text for one in found)


@pytest.mark.parametrize(
    "said",
    [
        # Questions, wishes, conditions.
        *("cómo me llamo", "¿me llamo ana?", "cuál es mi color favorito", "dónde vivo", "cuántos años tengo"),
        *("quiero un perro", "me gustaría tener un gato", "si tengo un perro lo cuido", "ojalá me gusta el mar"),
        *("cuando sea grande me gusta volar", "voy a tener un perro"),
        # Games, stories, dreams, jokes.
        *("jugamos a que tengo un dragón y un perro", "en el juego me llamo zorro y tengo un perro en el juego"),
        *("soñé que tengo un gato", "tengo un perro de peluche", "tengo un amigo imaginario que se llama pipo"),
        *("tengo un gato es broma", "me gusta el barro en mi sueño"),
        # Somebody else.
        *("mi hermana dice que tengo un gato", "mi papá tiene un perro", "a mi hermana le gusta el rosa"),
        *("mi primo vive en lima", "mi hermano tiene seis años"),
        # Denied, long ago, about the character, nothing to keep.
        *("no me llamo pedro", "no tengo un perro", "tenía un perro", "tengo casi seis años", "me gustas tú"),
        *("tengo tres años más que mi hermana", "me gusta cuando cantas", "me gusta jugar contigo", "me gusta eso"),
        *("vivo en una casa grande", "soy de verdad", "soy de color azul", "voy a primero jugar", "me gusta mi mamá"),
        *("soy de los últimos", "soy de primaria", "vivo en la luna", "soy de dormir mucho"),
        *("por la mañana voy a la playa", "mi nombre es muy largo", "mi hermana se llama igual que yo"),
        # Private.
        *("vivo en la calle mayor y tengo un perro", "soy alérgico y me gusta el pan"),
    ],
)
def test_what_tells_nothing_is_no_fact(said: str) -> None:
    assert find_facts(said, NOW, SPANISH).facts == ()


# Who speaks


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("me llamo sofía", "Sofía"),
        ("hola me llamo mateo", "Mateo"),
        ("Hola, me llamo Mateo.", "Mateo"),
        ("yo me llamo sofia", "Sofia"),
        ("mi nombre es valentina", "Valentina"),
        ("me llamo zubaida", "Zubaida"),
        ("me llamo maría josé", "María José"),
        ("me llamo lucas y tengo seis años", "Lucas"),
        ("me llamo nina y tengo un perro", "Nina"),
        ("hola lucero soy pablo", "Pablo"),
        ("soy ana", "Ana"),
        ("yo soy rosa", "Rosa"),
        ("soy yo ana", "Ana"),
        ("soy diego otra vez", "Diego"),
        ("sí soy lucía", "Lucía"),
        ("llámame toni", "Toni"),
        ("me dicen pepe", "Pepe"),
        ("habla carlos", "Carlos"),
        ("ahora soy yo carlos", "Carlos"),
        *(
            (said, None)
            for said in (
                *("cómo me llamo", "me llamo como mi abuelo", "me llamo igual que mi papá", "mi nombre es muy largo"),
                *("mi nombre es secreto", "me llamo no sé", "llámame princesa", "quiero ser ana"),
                *("no me llamo pedro", "no soy pedro", "¿soy ana?", "llámame luego", "dime chistes", "me dicen cosas"),
                *("soy un niño", "soy feliz", "soy de madrid", "soy argentina", "soy el rey", "soy la luna"),
                *("soy la mamá de ana", "soy la hermana de ana", "este es pablo", "aquí pablo", "soy leon"),
                *("hola soy rojo", "soy muy rápido", "soy vegetariana", "me llaman gordo", "ana", "soy elsa"),
                *("estoy cansado", "mi hermana se llama ana", "me llamo lucero"),
            )
        ),
    ],
)
def test_introductions(said: str, name: str | None) -> None:
    assert introduced_name(said, SPANISH, ("Ana",), ("Lucero",)) == name


# Of which kind an utterance is


@pytest.mark.parametrize(
    "said",
    [
        *("vivo en la calle mayor 5", "vivo en la colonia roma", "vivo en un piso con mi mamá", "mi calle es larga"),
        *("mi dirección es", "el código postal", "mi casa está en la avenida del sol"),
        *("mi cole es grande", "voy al colegio san josé", "voy a la escuela miguel hidalgo", "mi escuela se llama sol"),
        *("mi teléfono es seis cinco", "el telefono de mi casa es uno dos", "mi correo es ana arroba"),
        *("mi contraseña es gato", "la clave de mi tableta es gato", "la tarjeta de crédito de mi papá"),
        *("tengo asma", "estoy enferma", "soy alérgica a los gatos", "me duele la panza", "tengo fiebre"),
        *("fui al médico ayer", "mi mamá está en el hospital", "tomo pastillas", "mi hermano tiene autismo"),
    ],
)
def test_private(said: str) -> None:
    assert is_private(said, SPANISH)


@pytest.mark.parametrize(
    "said",
    [
        *("vivo en madrid", "voy al cole todos los días", "voy al parque con mi papá", "me gusta ir al parque"),
        *("mi número favorito es el siete", "quiero ser doctora", "me gusta la primavera", "estamos en la playa"),
        *("la tarjeta de cumpleaños", "tengo una cuenta de sumar", "mi profe se llama luis", "tengo un secreto"),
        *("i like my dog", "me gusta la música"),
    ],
)
def test_not_private(said: str) -> None:
    assert not is_private(said, SPANISH)


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        *((said, True) for said in ("cómo me llamo", "como me llamo", "y cómo estás", "oye qué haces")),
        *((said, True) for said in ("te acuerdas de mi perro", "te gusta el pan", "sabes volar", "puedes cantar")),
        *((said, True) for said in ("dime cómo se llama mi perro", "cuántos años tengo", "donde vives")),
        *(
            (said, True)
            for said in ("me cuentas un cuento", "eso es bueno verdad", "por qué llueve", "de qué color es")
        ),
        *((said, True) for said in ("cuéntame un cuento", "mi perro se llama rex te acuerdas")),
        *((said, False) for said in ("tengo un perro", "me llamo ana", "cuando sea grande quiero ser bombero")),
        *((said, False) for said in ("como pan todos los días", "que rico", "no quiero dormir", "hola")),
        *((said, False) for said in ("quiero un perro", "mi color favorito es el azul", "a mí me gusta cantar")),
    ],
)
def test_questions(said: str, asked: bool) -> None:
    assert is_question(said, SPANISH) == asked


@pytest.mark.parametrize(
    ("said", "code"),
    [
        *((said, "es") for said in ("tengo un perro", "a dormir", "no", "no sé", "me da miedo a veces")),
        *(
            (said, "es")
            for said in ("soy ana", "dame un beso", "juego a la pelota", "mi casa", "hola", "voy a tercer grado")
        ),
        *((said, "en") for said in ("i have a dog", "tell me a story", "where are you", "no i do not", "let me do it")),
        *((said, "en") for said in ("my dog is called max", "what is the time")),
    ],
)
def test_the_language_of_a_sentence(said: str, code: str) -> None:
    assert SPANISH.of(said).code == code


@pytest.mark.parametrize(
    "forms",
    [
        *("perro perros perrita", "juego jugar jugamos jugué", "niño niña niños", "canción canciones cancion"),
        *("dibujar dibujo dibujando", "duermo dormir dormí", "reír risa", "pez peces", "nadar nado nadando"),
        *("mamá mama madre", "abuela abuelita", "lápiz lápices", "cumple cumpleaños"),
    ],
)
def test_forms_of_a_word_meet(forms: str) -> None:
    assert len(index_words(forms, SPANISH, SPANISH.own)) == 1


def test_small_words_find_nothing() -> None:
    assert index_words("cómo se llama mi perro", SPANISH, SPANISH.own) == index_words("perro", SPANISH, SPANISH.own)


# What people say to the device itself


@pytest.mark.parametrize(
    ("said", "command"),
    [
        *((said, "stop") for said in ("para", "para ya", "lucero cállate por favor", "callate", "vale basta ya")),
        *((said, "goodbye") for said in ("adiós lucero", "adios", "bueno chao amigo", "buenas noches lucero")),
        *((said, "goodbye") for said in ("hasta mañana mi amigo", "ya me voy a dormir", "gracias adiós")),
        *((said, "again") for said in ("dilo de otra manera por favor", "inténtalo otra vez")),
        *((said, "guest") for said in ("modo invitado", "no recuerdes esto por favor", "soy una invitada")),
        *((said, None) for said in ("para mi amigo", "para qué sirve", "quiero ir al parque", "hola lucero")),
        *((said, None) for said in ("buenas noches es una canción", "no te vayas", "otra vez el cuento")),
    ],
)
def test_commands(said: str, command: str | None) -> None:
    assert load_persona(LUCERO).spoken_command(said) == command


def test_dates() -> None:
    assert SPANISH.own.date(NOW) == "28 de noviembre de 2026"


# All together


def test_nothing_is_missing_and_the_persona_is_clean() -> None:
    assert missing("es") == []
    done = CliRunner().invoke(check, [str(LUCERO)])
    assert done.exit_code == 0
    assert "note:" not in done.output


def test_a_conversation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    lines = "hola lucero\nme llamo ana\ntengo un perro que se llama rex\nvivo en la calle mayor 5\n/memory\n"
    lines += "adiós lucero\n"
    script = tmp_path / "turns.txt"
    script.write_text(lines, "utf-8")
    options = ["--set", f"persona={LUCERO}", "--set", "character.emulator=always"]
    options += ["--set", "character.requests_per_second=1000", "--set", "character.answer_within_s=20"]
    toy = ["--script", str(script), "--json", "--seed", "3", "--device", str(CONFIGS / "devices" / "toy.toml")]
    done = CliRunner().invoke(chat_command, [*toy, *options])
    assert done.exception is None, done.exception
    printed = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    (memory,) = (one for one in printed if one.get("command") == "/memory")
    assert memory["person"] == "Ana"
    assert memory["facts"] == ["La persona se llama Ana.", "La persona tiene perro, de nombre Rex."]
    answers = [one for one in printed if "said" in one]
    assert {one["speaker"] for one in answers} == {"Lucero"}
    assert any(one["cues"] for one in answers)
    assert answers[-1]["spoken"] in load_persona(LUCERO).lines.goodbye


def test_the_lines_of_the_persona_are_spoken_whole() -> None:
    lucero = load_persona(LUCERO)
    for line in (lucero.opening, *lucero.lines.offline, *lucero.lines.goodbye, *lucero.lines.guest):
        stage = Stage("Lucero", SPANISH)
        assert stage.feed(line) + stage.close() == [line]
        assert SPANISH.of(line).code == "es"
