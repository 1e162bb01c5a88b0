"""Text to the words by which it is found again. Pure.

English and Indonesian words lose their endings ("dogs" meets "dog", "called" meets "call", "anjingku" meets "anjing"),
Chinese and Japanese are taken as single characters and as pairs, and words that stand in every sentence are dropped.
The same function serves what is stored and what is asked; what it gives must stay the same as long as the schema of
the store does, because stored words are never made anew.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff々"
KATAKANA = "\u30a1-\u30fa\u30fc"
HIRAGANA = "\u3041-\u3096"

MOST = 80
"""Words of one text that are kept; more belong to no utterance."""

_RUN = re.compile(f"[{HAN}{KATAKANA}{HIRAGANA}]+|(?:(?![{HAN}{KATAKANA}{HIRAGANA}])[^\\W_])+(?:'[^\\W\\d_]+)?")
_CJK = re.compile(f"[{HAN}{KATAKANA}{HIRAGANA}]")
_SINGLE = re.compile(f"[{HAN}]")


def word_set(text: str) -> frozenset[str]:
    """The words of a list written with blanks."""
    return frozenset(text.split())


_STOP = word_set(
    # English
    "a an the and or but if so then than as at by for from in into of off on onto out over to up with about "
    "again all "
    "am are is was were be been being do does did done have has had having will would can could shall should may "
    "might "
    "must i me my mine myself we us our you your yours he him his she her hers it its they them their this that "
    "these "
    "those there here what which who whom whose when where why how not no nor yes ok okay please just very too "
    "really "
    "also only even some any much many more most lot own same such now ever never still oh um uh hi hello hey well "
    "tell told say said ask know knew remember remind think thing get got gonna wanna want let like um one much "
    "because "
    "im ive ill dont doesnt didnt cant wont isnt arent thats whats lets id s t re ve ll m d "
    # Indonesian
    "aku saya gue gua kamu anda dia kami kita mereka ini itu yang di ke dari dan atau tapi tetapi dengan untuk pada "
    "adalah ada apa apakah siapa kapan mana dimana berapa kenapa mengapa bagaimana gimana sudah belum akan mau tidak "
    "nggak gak enggak tak bukan ya iya juga saja aja sih dong kok lah deh nih si para karena jadi kalau sangat "
    "sekali "
    "ingat tahu bilang kata punya bisa"
)
_STOP_HAN = frozenset(
    "的了是我你您他她它们在有不没和跟与也就都很吗呢吧啊呀哦嗯么这那哪谁什怎多少几个只条把被给让说问知道记得想要会能可以"
    "到去来上下里中着过得地为因所还又再最真好一二两三"
)
_STOP_KANA = word_set(
    "です ます した して いる ある から こと それ これ あれ ない った って てい いた でし まし ました だよ だね "
    "よね のは のが のを "
    "には では とは ても でも けど など もの ため よう そう どう なに なん いつ どこ だれ わた たし ぼく あな "
    "なた さん ちゃ ゃん "
    "んだ のだ なの んで ので のに さい くだ だい たい てる てた れる られ せる する るの るよ ねえ うん はい "
    "いえ すか かな てね まし"
)
# What English bends out of shape; each maps to the form that is then cut like any other word.
_IRREGULAR = dict(
    pair.split(":")
    for pair in word_set(
        "ate:eat eaten:eat began:begin begun:begin bit:bite bitten:bite blew:blow blown:blow broke:break "
        "broken:break "
        "brought:bring built:build bought:buy caught:catch chose:choose chosen:choose came:come cut:cut dug:dig "
        "drew:draw drawn:draw dreamt:dream drank:drink drunk:drink drove:drive driven:drive fell:fall fallen:fall "
        "fed:feed felt:feel fought:fight found:find flew:fly flown:fly forgot:forget forgotten:forget froze:freeze "
        "frozen:freeze gave:give given:give went:go gone:go goes:go grew:grow grown:grow hung:hang heard:hear "
        "hid:hide "
        "hidden:hide held:hold kept:keep laid:lay led:lead learnt:learn left:leave lent:lend lost:lose made:make "
        "meant:mean met:meet paid:pay rode:ride ridden:ride rang:ring rose:rise ran:run saw:see seen:see sold:sell "
        "sent:send shook:shake shone:shine shot:shoot sang:sing sung:sing sat:sit slept:sleep spoke:speak "
        "spoken:speak spent:spend stood:stand stole:steal stolen:steal stuck:stick swam:swim swum:swim took:take "
        "taken:take taught:teach tore:tear torn:tear threw:throw thrown:throw understood:understand woke:wake "
        "woken:wake wore:wear worn:wear won:win wrote:write written:write children:child men:man women:woman "
        "feet:foot teeth:tooth mice:mouse geese:goose people:person wolves:wolf knives:knife leaves:leaf "
        "shelves:shelf "
        "mum:mother mom:mother mommy:mother mummy:mother dad:father daddy:father grandma:grandmother "
        "granny:grandmother "
        "grandpa:grandfather bike:bicycle colour:color favourite:favorite puppy:dog doggy:dog kitty:cat kitten:cat"
    )
)

_OF_ONE_THING = (
    "afraid scared frightened fear terrified nightmare",
    "job work profession employed",
    "wedding marry married bride",
    "big grow grown older adult",
    "bed bedtime sleep asleep nap",
    "nickname name call",
    "instrument music violin piano guitar drum flute trumpet cello recorder ukulele harp",
    "team club football soccer basketball hockey rugby cricket support fan",
    "match game goal score win",
    "vegetable carrot broccoli spinach pea potato tomato cucumber salad cabbage",
    "fruit apple banana pear strawberry cherry grape melon orange peach",
    "sweet candy chocolate cake cookie",
    "meat vegetarian vegan chicken beef pork ham sausage",
    "drink juice milk tea coffee water lemonade",
    "home house flat apartment",
    "move moving moved",
    "trip holiday vacation travel journey",
    "car bus train tram bicycle drive ride",
    "hurt pain ache sore",
    "start begin",
    "present gift",
    "child kid baby",
    "害怕 怕 恐惧 噩梦",
    "工作 职业 上班 员工",
    "乐器 提琴 钢琴 吉他 笛子 二胡 古筝",
    "球队 球迷 足球 篮球",
    "比赛 进球 赢",
    "睡觉 睡 起床",
    "外号 小名 叫",
    "蔬菜 西兰花 萝卜 白菜 土豆 番茄 黄瓜",
    "水果 苹果 香蕉 草莓 西瓜 葡萄",
    "搬 搬家",
    "结婚 婚礼",
    "旅行 旅游 度假",
    "礼物 送",
    "疼 痛",
)
"""Words for one thing and its kinds, each as people say it."""


def words(text: str) -> tuple[str, ...]:
    """The words by which `text` is found, in order, each once, at most `MOST`. Every one is letters and digits only."""
    found: dict[str, None] = {}
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    for run in _RUN.findall(plain):
        for word in _of_cjk(run) if _CJK.match(run) else _of_letters(run):
            found[word] = None
            if len(found) == MOST:
                return tuple(found)
    return tuple(found)


def kindred(word: str) -> tuple[str, ...]:
    """Other index words for the same thing or its kinds; for looking up only, never stored."""
    return _kindred().get(word, ())


@cache
def _kindred() -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for line in _OF_ONE_THING:
        # Of a Chinese word the pair says more than its characters.
        each = dict.fromkeys(max(words(text), key=len) for text in line.split() if words(text))
        for word in each:
            found.setdefault(word, {}).update(dict.fromkeys(other for other in each if other != word))
    return {word: tuple(others) for word, others in found.items()}


def is_pair(word: str) -> bool:
    """Whether the word is two Chinese or Japanese characters, which may belong to two words."""
    return len(word) == 2 and _CJK.match(word) is not None


def is_character(word: str) -> bool:
    """Whether the word is a single Chinese or Japanese character, which says little by itself."""
    return len(word) == 1 and _CJK.match(word) is not None


def _of_letters(run: str) -> tuple[str, ...]:
    head, _, ending = run.partition("'")
    if head in _STOP or (ending and f"{head}{ending}" in _STOP):
        return ()
    stem = _stem(_without_accents(head))
    return (stem,) if len(stem) > 1 or stem.isdigit() else ()


def _of_cjk(run: str) -> list[str]:
    found = []
    for place, character in enumerate(run):
        if _SINGLE.match(character) and character not in _STOP_HAN:
            found.append(character)
        pair = run[place : place + 2]
        if len(pair) == 2 and not _STOP_HAN & set(pair) and pair not in _STOP_KANA and not _mixed_kana(pair):
            found.append(pair)
    return found


def _mixed_kana(pair: str) -> bool:
    """A character and the ending that is bent after it: the character by itself is the better word."""
    kana = [HIRAGANA[0] <= one <= HIRAGANA[-1] for one in pair]
    return any(kana) and not all(kana)


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    parts = unicodedata.normalize("NFD", word)
    if not any("a" <= one <= "z" for one in parts):
        return word
    return "".join(one for one in parts if not unicodedata.combining(one))


def _stem(word: str) -> str:
    """The word without the endings of English plurals and verbs and of Indonesian possession. Light on purpose."""
    word = _IRREGULAR.get(word, word)
    if len(word) >= 6:
        word = re.sub(r"(?:nya|ku|mu)\Z", "", word)
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith("s") and len(word) > 3 and not word.endswith(("ss", "us", "is")):
        word = word[:-2] if word.endswith(("sses", "ches", "shes", "xes", "zes")) else word[:-1]
    word = _IRREGULAR.get(word, word)
    for ending in ("ing", "ed"):
        cut = word.removesuffix(ending)
        if cut != word and len(cut) >= 3 and re.search(r"[aeiouy]", cut):
            word = cut[:-1] if re.search(r"([bdgmnprt])\1\Z", cut) else cut
            break
    return word[:-1] if len(word) > 3 and word.endswith("e") else word
