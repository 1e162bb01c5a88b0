"""What is understood in Portuguese, and, as important, what is not: a wrong fact or a wrong name is worse than none."""

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
from companion.mind.memory.utterance import is_about_character, is_about_self, is_private, is_question
from companion.voice.sentences import Sentences
from companion.voice.stage.inference import infer_cues
from companion.voice.stage.meaning import read_direction
from companion.voice.stage.stage import Stage
from tests.support.paths import ROOT

PT = understood("pt")
AT = datetime(2026, 5, 3, 12, 0)
NAME = "Caju"


def who(said: str, *known: str) -> str | None:
    return introduced_name(said, PT, known, (NAME,))


def told(said: str) -> list[tuple[str, str, str]]:
    return [(one.kind, one.subject, one.value) for one in find_facts(said, AT, PT).facts]


def shown(direction: str, name: str = NAME) -> tuple[str | None, str | None]:
    feeling = read_direction(direction, name, PT)
    return (feeling and feeling.emotion, feeling and feeling.gesture)


def played(text: str) -> tuple[str, list[tuple[str | None, str | None]]]:
    stage = Stage(NAME, PT)
    pieces = stage.feed(text) + stage.close()
    cues = [(one.emotion, one.gesture) for one in pieces if isinstance(one, Cue)]
    return "".join(one for one in pieces if isinstance(one, str)), cues


def test_the_persona_speaks_portuguese() -> None:
    assert load_persona(ROOT / "configs" / "personas" / "caju.toml").language == "pt"


def test_nothing_is_missing() -> None:
    assert missing("pt") == []


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("meu nome é ana", "Ana"),
        ("oi caju meu nome é ana e eu tenho seis anos", "Ana"),
        ("oi meu nome é maria clara", "Maria Clara"),
        ("me chamo zoraide", "Zoraide"),
        ("eu me chamo pedro tenho sete anos", "Pedro"),
        ("meu nome é iasmim gosto de gatos", "Iasmim"),
        ("meu nome é joão da silva", "João"),
        ("pode me chamar de bia", "Bia"),
        ("me chama de juju", "Juju"),
        ("eu sou o joão", "João"),
        ("oi eu sou a maria eduarda", "Maria Eduarda"),
        ("eu sou a ana tudo bem", "Ana"),
        ("sou eu o pedro de novo", "Pedro"),
        ("sou o fernando", "Fernando"),
        ("meu nome é o joão", "João"),
        ("aqui é a ana", "Ana"),
        ("quem está falando é a bia", "Bia"),
    ],
)
def test_who_says_their_name_is_known_by_it(said: str, name: str) -> None:
    assert who(said) == name


@pytest.mark.parametrize(
    "said",
    [
        "eu sou o mais alto",
        "eu sou uma princesa",
        "eu sou linda",
        "oi eu sou legal",
        "eu sou palmeirense",
        "eu sou da bahia",
        "sou eu que mando",
        "sou a irmã da ana",
        "eu sou a mãe da ana",
        "não sou a ana",
        "eu não sou a ana",
        "eu sou a ana né",
        "eu sou a ana do filme",
        "eu sou a ana e você é a elsa",
        "faz de conta que eu sou a ana",
        "quem disse que eu sou a ana",
        "meu nome não é ana",
        "meu nome é muito difícil",
        "meu nome é segredo",
        "meu nome é o seguinte",
        "meu nome é igual ao do meu pai",
        "me chama de novo",
        "me chama de princesa",
        "me chama depois",
        "minha mãe me chama de bia",
        "esse é o joão",
        "aqui é a casa da ana",
        "o nome do meu cachorro é rex",
        "qual é o meu nome",
        "você é o joão",
    ],
)
def test_who_says_something_else_remains_who_they_are(said: str) -> None:
    assert (who(said), who(said, "Ana", "João", "Bia")) == (None, None)


def test_somebody_heard_before_may_go_on_and_so_may_a_common_first_name() -> None:
    assert who("eu sou o zumbaru e quero brincar", "Zumbaru") == "Zumbaru"
    assert who("eu sou o zumbaru e quero brincar") is None
    assert who("eu sou o kauã e quero brincar") == "Kauã"


@pytest.mark.parametrize(
    ("said", "facts"),
    [
        ("meu nome é ana e eu tenho seis anos", [("name", "", "Ana"), ("age", "", "seis")]),
        ("oi caju meu nome é joão pedro", [("name", "", "João Pedro")]),
        ("tenho vinte e um anos", [("age", "", "vinte e um")]),
        ("fiz sete anos ontem", [("age", "", "sete")]),
        ("já tenho cinco anos e meio", [("age", "", "cinco")]),
        ("meu aniversário é no dia três de maio", [("birthday", "", "três de maio")]),
        ("meu aniversário é dia dez de outubro e eu quero um bolo", [("birthday", "", "dez de outubro")]),
        ("eu nasci em dezembro", [("birthday", "", "dezembro")]),
        ("nasci no dia primeiro de abril", [("birthday", "", "primeiro de abril")]),
        ("amanhã é meu aniversário", [("birthday", "", "4 de maio de 2026")]),
        ("hoje é o meu aniversário", [("birthday", "", "3 de maio de 2026")]),
        ("minha cor preferida é azul", [("favourite", "cor", "azul")]),
        ("meu bicho favorito é o gato", [("favourite", "bicho", "gato")]),
        ("minha comida favorita é arroz com feijão", [("favourite", "comida", "arroz com feijão")]),
        ("meus desenhos preferidos são a peppa", [("favourite", "desenhos", "peppa")]),
        (
            "meu jogo favorito é pega pega mas eu também gosto de bola",
            [("favourite", "jogo", "pega pega"), ("likes", "bola", "bola")],
        ),
        ("eu gosto de pizza e sorvete", [("likes", "pizza", "pizza"), ("likes", "sorvete", "sorvete")]),
        ("eu gosto de pizza e de sorvete", [("likes", "pizza", "pizza"), ("likes", "sorvete", "sorvete")]),
        ("eu gosto muito de cachorro e tenho um gato", [("likes", "cachorro", "cachorro"), ("has", "gato", "")]),
        ("gosto de brincar de boneca", [("likes", "brincar de boneca", "brincar de boneca")]),
        ("gosto do mar e das montanhas", [("likes", "mar", "mar"), ("likes", "montanhas", "montanhas")]),
        ("adoro desenhar e pintar", [("likes", "desenhar", "desenhar"), ("likes", "pintar", "pintar")]),
        ("eu amo dinossauros", [("likes", "dinossauros", "dinossauros")]),
        ("eu gosto de futebol e jogo todo dia", [("likes", "futebol", "futebol")]),
        ("eu gosto de futebol e minha irmã gosta de boneca", [("likes", "futebol", "futebol")]),
        ("eu gosto mais de gato do que de cachorro", [("likes", "gato", "gato")]),
        ("eu não gosto de brócolis", [("dislikes", "brócolis", "brócolis")]),
        ("não gosto nada de aranhas", [("dislikes", "aranhas", "aranhas")]),
        ("eu odeio cenoura e beterraba", [("dislikes", "cenoura", "cenoura"), ("dislikes", "beterraba", "beterraba")]),
        (
            "eu não gosto de tomate mas gosto de batata",
            [("dislikes", "tomate", "tomate"), ("likes", "batata", "batata")],
        ),
        ("eu tenho um cachorro que se chama rex", [("has", "cachorro", "Rex")]),
        ("tenho uma gata chamada mimi e ela é preta", [("has", "gato", "Mimi")]),
        ("eu tenho dois irmãos", [("has", "irmão", "")]),
        ("tenho cachorro e gato", [("has", "cachorro", "")]),
        ("eu tenho um cachorro grande chamado bidu", [("has", "cachorro", "Bidu")]),
        ("meu cachorro se chama rex ele é marrom", [("has", "cachorro", "Rex")]),
        ("minha irmã se chama bia e tem três anos", [("has", "irmã", "Bia")]),
        ("o nome do meu gato é tom", [("has", "gato", "Tom")]),
        ("minha irmã mais velha chama júlia", [("has", "irmã", "Júlia")]),
        ("a gente tem um papagaio", [("has", "papagaio", "")]),
        ("eu tenho outro cachorro", [("has", "cachorro", "")]),
        ("eu tenho um porquinho da índia chamado pipo", [("has", "porquinho da índia", "Pipo")]),
        ("eu moro em recife", [("lives", "", "recife")]),
        ("eu moro no rio de janeiro e gosto de praia", [("likes", "praia", "praia"), ("lives", "", "rio de janeiro")]),
        ("moro em são paulo com minha mãe", [("lives", "", "são paulo")]),
        ("eu moro na bahia", [("lives", "", "bahia")]),
        ("eu moro em fortaleza perto da praia", [("lives", "", "fortaleza")]),
        ("eu tenho um irmão mais novo chamado davi", [("has", "irmão", "Davi")]),
        ("prometo não gritar", [("promise", "não gritar", "não gritar")]),
        ("estou no primeiro ano", [("grade", "", "primeiro ano")]),
        ("eu tô na segunda série", [("grade", "", "segunda série")]),
        ("eu faço o terceiro ano", [("grade", "", "terceiro ano")]),
        ("eu trabalho como enfermeira", [("job", "", "enfermeira")]),
        ("minha profissão é professor", [("job", "", "professor")]),
        ("prometo arrumar o meu quarto", [("promise", "arrumar o meu quarto", "arrumar o meu quarto")]),
        ("eu prometo que vou escovar os dentes", [("promise", "vou escovar os dentes", "vou escovar os dentes")]),
        (
            "amanhã eu vou te contar uma história",
            [("promise", "amanhã eu vou te contar uma história", "amanhã eu vou te contar uma história")],
        ),
        ("eu vou comer tudo amanhã", [("promise", "vou comer tudo amanhã", "vou comer tudo amanhã")]),
        (
            "lembra que eu gosto de bolo de cenoura",
            [("remember", "eu gosto de bolo de cenoura", "eu gosto de bolo de cenoura")],
        ),
        ("por favor não esquece que amanhã tem festa", [("remember", "amanhã tem festa", "amanhã tem festa")]),
        (
            "caju lembra que minha avó vem no domingo",
            [("remember", "minha avó vem no domingo", "minha avó vem no domingo")],
        ),
        ("não se esqueça de regar as plantas", [("remember", "regar as plantas", "regar as plantas")]),
        (
            "eu me chamo lia tenho sete anos e moro em porto alegre",
            [("name", "", "Lia"), ("age", "", "sete"), ("lives", "", "porto alegre")],
        ),
        ("eu tenho um gato e o nome dele é tom", [("has", "gato", "Tom")]),
    ],
)
def test_what_people_tell_of_themselves(said: str, facts: list[tuple[str, str, str]]) -> None:
    assert told(said) == facts


@pytest.mark.parametrize(
    "said",
    [
        "qual é o meu nome",
        "quantos anos eu tenho",
        "eu queria ter seis anos",
        "se eu tenho seis anos",
        "minha irmã tem três anos",
        "meu amigo disse eu tenho seis anos",
        "tenho dois anos de natação",
        "tenho seis bonecas",
        "eu não tenho seis anos",
        "ano que vem eu tenho sete anos",
        "eu faço sete anos amanhã",
        "meu nome não é ana",
        "meu nome é muito difícil",
        "meu nome é bonito",
        "ela me chama de chata",
        "como você se chama",
        "meu aniversário é quando",
        "meu aniversário foi muito legal",
        "o aniversário da minha mãe é em maio",
        "eu quero que meu aniversário seja em maio",
        "meu aniversário é legal",
        "você gosta de pizza",
        "minha mãe gosta de pizza",
        "tem gosto de chocolate",
        "o gosto de banana é bom",
        "eu gostaria de um sorvete",
        "eu não gosto de você",
        "eu gosto de você",
        "eu gosto disso",
        "te amo muito",
        "eu te amo caju",
        "eu te adoro",
        "eu amo você",
        "eu amo minha mãe",
        "eu gosto dele",
        "eu gosto quando você canta",
        "quem disse que eu gosto de pizza",
        "na história o menino diz eu gosto de pizza",
        "eu acho que gosto de pizza",
        "se eu tivesse um cachorro",
        "eu tenho um cavalo de pau",
        "a minha comida favorita é a da minha avó",
        "moro no interior",
        "não gosto de ninguém",
        "eu queria um cachorro",
        "eu quero ter um gato",
        "eu vi um cachorro",
        "tenho medo de cachorro",
        "eu não tenho cachorro",
        "eu não tenho mais gato",
        "eu tenho um cachorro de pelúcia",
        "eu tenho um amigo imaginário",
        "eu tenho cachorro quente",
        "meu amigo tem um cachorro",
        "meu cachorro é lindo",
        "meu cachorro se chama assim porque é preto",
        "qual é o nome do meu gato",
        "você tem um gato",
        "eu tinha um gato",
        "no jogo eu tenho um cavalo",
        "eu tenho um cachorro no minecraft",
        "eu tenho um cachorro de mentirinha",
        "eu moro numa casa",
        "eu moro em uma casa azul",
        "eu moro na casa da vovó",
        "eu moro com minha mãe",
        "eu moro longe",
        "eu moro na lua",
        "eu moro em cima da padaria",
        "onde eu moro",
        "minha avó mora em recife",
        "eu queria morar em paris",
        "eu moro na rua das flores",
        "eu moro no segundo andar",
        "estou no primeiro ano de piano",
        "estou no banheiro",
        "vou para o segundo ano",
        "eu prometo",
        "não prometo nada",
        "minha mãe prometeu um sorvete",
        "você promete",
        "lembra de mim",
        "você lembra que eu tenho um gato",
        "lembra quando a gente brincou",
        "não esquece de mim",
        "lembra o meu nome",
        "o que eu prometi",
        "o trabalho como está",
        "eu trabalho muito",
        "amo",
        "eu gosto",
        "de que eu gosto",
        "eu gosto de quê",
        "eu gosto de nada",
        "eu gosto de tudo",
        "eu tenho um carro",
        "minha boneca se chama lili",
        "a boneca disse eu moro em paris",
        "minha professora se chama carla",
        "finge que eu tenho um cavalo",
        "faz de conta que eu moro em paris",
        "era uma vez um menino eu tenho seis anos",
        "ele falou que eu tenho seis anos",
        "minha cor preferida não é azul",
        "minha cor preferida qual é",
        "sua cor preferida é azul",
        "a cor preferida dela é rosa",
        "minha vizinha tem um gato chamado tom",
        "meu irmão não gosta de pizza",
        "não é verdade que eu gosto de pizza",
        "mentira eu tenho seis anos",
        "eu tenho seis anos é mentira",
        "eu tenho uma amiga na escola",
        "nunca gosto de pizza",
        "eu nem gosto de pizza",
        "eu já tive um cachorro chamado rex",
        "meu cachorro morreu",
        "quase tenho sete anos",
        "eu tenho quase sete anos",
        "a minha senha é gato",
        "meu telefone é nove nove oito",
        "eu tenho alergia a gatos",
        "eu tô doente",
        "eu estudo na escola girassol",
        "eu não odeio cenoura",
        "minha irmã não gosta de pizza",
        "eu gosto de ser feliz",
    ],
)
def test_questions_wishes_stories_and_the_words_of_others_are_no_facts(said: str) -> None:
    assert told(said) == []


@pytest.mark.parametrize(
    ("said", "private"),
    [
        ("moro na rua das flores", True),
        ("eu moro no segundo andar", True),
        ("minha escola é girassol", True),
        ("eu estudo na escola girassol", True),
        ("meu telefone é nove nove oito", True),
        ("meu zap é nove", True),
        ("meu e mail é ana arroba", True),
        ("a minha senha é gato", True),
        ("eu tenho alergia a gatos", True),
        ("fui no médico", True),
        ("eu tô com febre", True),
        ("brinquei na rua", False),
        ("na escola eu brinquei", False),
        ("fui para a escola de manhã", False),
        ("machuquei o joelho", False),
        ("whats your favorite game", False),
        ("i like zap games", False),
    ],
)
def test_private_things_are_known_as_such(said: str, private: bool) -> None:
    assert is_private(said, PT) is private
    assert not (private and told(said))


@pytest.mark.parametrize(
    ("said", "question", "about_self", "about_character"),
    [
        ("qual é o seu nome", True, False, True),
        ("como eu me chamo", True, True, False),
        ("caju onde eu moro", True, True, False),
        ("quantos anos eu tenho", True, True, False),
        ("você gosta de pizza", True, False, True),
        ("você lembra o que eu falei", True, True, False),
        ("eu gosto de pizza", False, True, False),
        ("a gente foi na praia", False, True, False),
        ("hoje foi legal", False, False, False),
        ("vamos brincar", False, False, False),
    ],
)
def test_kinds_of_utterances(said: str, question: bool, about_self: bool, about_character: bool) -> None:
    kinds = (is_question(said, PT), is_about_self(said, PT), is_about_character(said, PT))
    assert kinds == (question, about_self, about_character)


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("eu tenho um cachorrinho chamado rex", "como se chama o meu cachorro"),
        ("ontem eu fui na praia com a vovó", "onde foi que eu brinquei com minha avó"),
        ("vi dois leões", "o leão era grande"),
        ("eu fiz um bolo de cenoura", "que bolo eu faço"),
    ],
)
def test_what_was_said_is_found_by_other_forms_of_its_words(said: str, asked: str) -> None:
    assert set(index_words(said, PT)) & set(index_words(asked, PT))


def test_small_words_find_nothing() -> None:
    assert index_words("eu não sei o que é isso mas já foi", PT) == ()


@pytest.mark.parametrize(
    ("direction", "emotion", "gesture"),
    [
        ("sorri", "happy", None),
        ("Sorri contente", "happy", None),
        ("sorrio", "happy", None),
        ("acena com a patinha", None, "wave"),
        ("acena com a cabeça", None, "nod"),
        ("balança a cabeça", None, "shake_head"),
        ("balança a cabeça concordando", None, "nod"),
        ("faz que sim com a cabeça", None, "nod"),
        ("faz que não com a cabeça", None, "shake_head"),
        ("dá uma risadinha", "amused", None),
        ("chora de rir", "amused", None),
        ("não consegue conter o riso", "amused", None),
        ("te abraça", "affectionate", "hug"),
        ("Anda até você e te abraça", "affectionate", "hug"),
        ("abraça a criança", "affectionate", "hug"),
        ("abana o rabinho", "happy", None),
        ("dá um pulo de susto", "surprised", "jump"),
        ("bate palmas empolgado", "excited", "clap"),
        ("inclina a cabecinha curioso", "interested", "tilt_head"),
        ("olha para o chão envergonhado", "embarrassed", "look_down"),
        ("olha para o céu", None, "look_up"),
        ("me aproximo de você", None, "lean_in"),
        ("suspira", "disappointed", None),
        ("suspira aliviado", "relaxed", None),
        ("dá de ombros", None, "shrug"),
        ("fica com as bochechas coradas", "embarrassed", None),
        ("treme de medo", "afraid", None),
        ("torce o nariz com nojo", "disgusted", None),
        ("fecha os olhos e dorme", "sleepy", "sleep"),
        ("fala com voz suave", "affectionate", None),
        ("retribui seu sorriso", "happy", None),
        ("sorri para você", "happy", None),
        ("Caju acena", None, "wave"),
        ("smiles", "happy", None),
    ],
)
def test_directions(direction: str, emotion: str | None, gesture: str | None) -> None:
    assert shown(direction) == (emotion, gesture)


@pytest.mark.parametrize(
    "direction",
    [
        *("não sorri", "sem sorrir", "nunca ri", "nem sorri", "para de sorrir", "deixa de sorrir", "tenta não rir"),
        *("não está triste", "não tem medo", "sem medo", "quase chora", "nenhum sorriso", "mal consegue sorrir"),
        *("ajuda você a dançar", "convida você para dançar", "pede para você bater palmas", "me abraça"),
        *("você sorri", "a criança sorri", "as crianças riem", "todos riem", "todo mundo ri", "o público aplaude"),
        *("alguém ri", "a mamãe sorri", "seu amigo chora", "Ana sorri", "Maria dança", "sua mãe te abraça"),
        *("faz você sorrir", "te faz rir", "vê você sorrir", "ao ver seu sorriso", "ouve sua risada", "seu sorriso"),
        *("ouve-se uma risada", "enquanto você sorri", "percebe que você está triste", "pergunta se você está feliz"),
        *("as folhas dançam", "um passarinho canta", "olha o rio", "abre a porta", "pula a página", "quer um abraço"),
        *("conta uma história triste", "luzes se apagam", "pausa", "no rio", "mais tarde", "come uma fruta"),
    ],
)
def test_denials_and_what_others_do_say_nothing(direction: str) -> None:
    assert shown(direction) == (None, None)


@pytest.mark.parametrize(
    ("text", "spoken", "cue"),
    [
        ("*sorri* Oi!", "Oi!", ("happy", None)),
        ("(acena com a patinha) Tudo bem?", "Tudo bem?", (None, "wave")),
        ("[te abraça] Estou aqui.", "Estou aqui.", ("affectionate", "hug")),
        ("_te abraça_ Estou aqui.", "Estou aqui.", ("affectionate", "hug")),
        ("**acena com a patinha** Oi!", "Oi!", (None, "wave")),
        ("_olha para o céu_ Que lindo!", "Que lindo!", (None, "look_up")),
        ("_risos_ Ai ai.", "Ai ai.", ("amused", None)),
        ("_Caju sorri_ Oi!", "Oi!", ("happy", None)),
        ("<ação>sorri</ação> Oi", "Oi", ("happy", None)),
        ("*você sorri* Oi", "Oi", None),
        ("Eu _amo_ você!", "Eu amo você!", None),
        ("Você é _feliz_?", "Você é feliz?", None),
        ("_todos_ os amigos vêm.", "todos os amigos vêm.", None),
        ("_Abraços_ são bons.", "Abraços são bons.", None),
        ("A menina _dança_ muito.", "A menina dança muito.", None),
        ("O gato **ri** da gente.", "O gato ri da gente.", None),
        ("_Feliz aniversário_!", "Feliz aniversário!", None),
        ("Nota: isso é legal.", "Nota: isso é legal.", None),
    ],
)
def test_what_is_done_is_not_spoken_and_what_is_said_is(
    text: str, spoken: str, cue: tuple[str | None, str | None] | None
) -> None:
    assert played(text) == (spoken, [cue] if cue else [])


@pytest.mark.parametrize(
    ("sentence", "emotion", "gesture"),
    [
        ("Kkkk, essa foi boa!", "amused", None),
        ("Olá!", None, "wave"),
        ("Tchau, até amanhã!", None, "wave"),
        ("Sim, claro!", None, "nod"),
        ("Não, não é.", None, "shake_head"),
        ("Nossa!", "surprised", None),
        ("Ih, caiu.", "worried", None),
        ("Eba!", "excited", None),
        ("Parabéns!", "excited", "clap"),
        ("Estou muito feliz!", "happy", None),
        ("Eu te amo.", "loving", None),
        ("Estou com saudades.", "sad", None),
        ("Desculpa!", "sad", None),
        ("Obrigado!", "pleased", None),
        ("Que medo!", "afraid", None),
        ("Fiquei com vergonha.", "embarrassed", None),
        ("Estou com sono.", "sleepy", None),
        ("Que nojo!", "disgusted", None),
        ("Hum, deixa eu pensar.", "thoughtful", None),
        ("Eu não sei.", None, "shrug"),
    ],
)
def test_feelings_of_the_character(sentence: str, emotion: str | None, gesture: str | None) -> None:
    assert [(one.emotion, one.gesture) for one in infer_cues(sentence, PT)] == [(emotion, gesture)]


@pytest.mark.parametrize(
    "sentence",
    [
        *("Eu não estou feliz.", "Ele está feliz.", "O final foi feliz.", "Eu não te amo.", "Nunca fico triste."),
        *("Se eu estou triste, eu canto.", "Quando fico triste eu canto.", "O medo é normal.", "A menina tem medo."),
        *("Um dia fui ao rio.", "No rio tem peixe.", "Era uma vez um rei muito bravo.", "Eu não tenho medo."),
    ],
)
def test_reports_and_denials_are_no_feelings(sentence: str) -> None:
    assert infer_cues(sentence, PT) == ()


def test_abbreviations_do_not_end_a_sentence() -> None:
    reading = Sentences(first_clause=False, languages=PT)
    made = [one.text for one in reading.feed("O Sr. Tatu e a Dra. Onça vêm. Eba!") + reading.close()]
    assert made == ["O Sr. Tatu e a Dra. Onça vêm.", "Eba!"]
