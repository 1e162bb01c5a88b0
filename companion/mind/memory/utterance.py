"""What kind of thing somebody said: in which language, whether it asks, is about them, is private. Pure.

Speech to text gives small letters without marks (and blanks between Chinese words), so all of this goes by words alone.
When in doubt it is a question: what is asked is no fact and is not quoted later.
"""

from __future__ import annotations

import re
import unicodedata

from companion.languages.language import Code as Language
from companion.mind.memory.index_words import HAN, HIRAGANA, KATAKANA

_CJK = f"{HAN}{HIRAGANA}{KATAKANA}"
_BLANK_IN_CJK = re.compile(f"(?<=[{_CJK}])\\s+(?=[{_CJK}\\d])|(?<=\\d)\\s+(?=[{_CJK}])")
_INDONESIAN = re.compile(
    r"\b(?:aku|saya|kamu|yang|tidak|nggak|gak|dan|di|ini|itu|apa|siapa|kapan|namaku|nama|punya|suka|besok|anjing\w*|"
    r"kucing\w*|umurku|ingat|janji|bisa|mau|sudah|tolong|adalah|dengan|kelas|tinggal|ulang)\b"
)
_ENGLISH = re.compile(r"\b(?:i|the|is|my|you|and|a|to|of|what|do|am)\b")

_QUESTIONS: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"^(?:(?:hey|ok|okay|so|and|but|well|um|uh|please|now|\w+,) )*(?:what|who|whom|whose|where|when|why|how|"
        r"which|"
        r"do|does|did|is|are|am|was|were|can|could|would|will|shall|should|may|have (?:i|you|we|they)|"
        r"has (?:he|she|it)|(?:can |could )?(?:you )?(?:tell|show|remind|ask) me|guess|say|"
        r"(?:do )?you (?:know|remember) (?:what|who|where|when|why|how|if|my))\b"
        r"|\b(?:do|did|can|could|would|will|are) you\b"
        r"|\b(?:what|who|where|when|why|how|whose) (?:is|are|am|was|were|do|does|did|can|could|would|will|should)\b"
    ),
    "zh": re.compile(
        r"[吗么嘛]$|什么|谁|哪|几[岁个只条点月号年天]|多少|多大|怎么|怎样|为什么|为啥|啥|是不是|有没有|(.)不\1|呢$"
        r"|好不好|^(?:请)?告诉我|^猜|记不记得|还记得"
    ),
    "ja": re.compile(
        r"か$|かな$|の$|何|なに|誰|だれ|どこ|いつ|どれ|どの|どんな|なぜ|どうして|いくつ|覚えて(?:る|いる|ます|"
        r"いますか)?$|って$|教えて"
    ),
    "id": re.compile(
        r"\b(?:apa|apakah|siapa|siapakah|kapan|mana|dimana|berapa|kenapa|mengapa|bagaimana|gimana|kah|bolehkah|"
        r"bisakah)\b"
        r"|^(?:kamu )?(?:ingat|tahu|tau) (?:nggak|gak|tidak)|^(?:tolong )?(?:ceritakan|sebutkan)|^tebak|(?:nggak|"
        r"gak)$"
    ),
}
_MYSELF = re.compile(
    r"\b(?:i|me|my|mine|myself|we|our|us|i'm|i've|i'll|aku|saya|gue|kami|kita)\b|\w{3,}(?<!ban)ku\b"
    r"|[我咱俺私僕]|わたし|ぼく|おれ|あたし|うち"
)
_CHARACTER = re.compile(
    r"\byour\b|\b(?:do|are|did|can|were|have) you\b(?! (?:still )?(?:know|remember|recall))"
    r"|[你您](?!(?:还)?(?:记得|知道))|あなた|\bkamu\b(?! (?:masih )?(?:ingat|tahu))"
)
_ASKING = re.compile(
    "什么时候|为什么|什么|怎么样|怎么|怎样|哪[里儿个种只天年些]|[在]?哪|几[岁个只条点号月天年楼]|多少|多大|还是|是不是|有没有|谁"
    "|[吗呢吧]$|いつ|どこ|だれ|誰|なに|何"
)
_WHY = re.compile(r"\bwhy\b|为什么|为啥|なぜ|どうして|\b(?:kenapa|mengapa)\b")
_SHAPES = (
    # What asks, and what an answer to it holds.
    (
        re.compile(r"\bwhen\b|what (?:day|time)|什么时候|几[点号月]|哪[天年]|星期几|いつ|何[時日曜]|\bkapan\b"),
        re.compile(
            r"\b(?:\w+day|today|tomorrow|yesterday|week|month|year|morning|evening|night|noon|o'clock|past|spring|summer|"
            r"autumn|winter|january|february|march|april|may|june|july|august|september|october|november|december|next|"
            r"last|hari|besok|minggu|bulan|tahun|jam)\b|[点号月]|星期|周|今天|明天|昨天|每天|年|天|[日時曜]"
        ),
    ),
    (
        re.compile(r"\bhow (?:many|much|old)\b|几|多少|いくつ|何[個人匹歳]|\bberapa\b"),
        re.compile(
            r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dua|tiga|empat|lima)\b"
            r"|[一二两三四五六七八九十]"
        ),
    ),
    (
        re.compile(r"\bwhere\b|哪[里儿]|在哪|どこ|\bmana\b"),
        re.compile(r"\b(?:in|at|on|under|behind|near|next to|inside|to|di|ke)\b|在|去|に|で"),
    ),
    (
        re.compile(r"\b(?:who|what is .* (?:called|name))\b|谁|叫什么|什么名字|誰|だれ|\bsiapa\b"),
        re.compile(r"\b(?:name|called|named|is|with|nama\w*)\b|叫|姓|是|跟|和|名前|です"),
    ),
)
_PRIVATE = re.compile(
    r"pass ?words?|pass ?code|\bpin (?:code|number|is)\b|credit card|bank (?:account|card)|\baccount number|"
    r"\b(?:my|our) (?:home |full |e ?-?mail )?(?:address|street|road|school|phone|telephone|mobile|number|e-?mail|"
    r"doctor)\b"
    r"|(?:name|number) of my (?:school|street)|\bphone number|\d[\d\s-]{4,}\d|\b(?:i|we) live (?:at|on)\b|@|"
    r"\bi (?:go|went) to \w+(?: \w+){0,3} (?:school|academy|elementary|kindergarten)\b|\bi live in (?:\w+ ){0,3}"
    r"(?:street|road|avenue|lane|drive|apartment|flat)\b|"
    r"\b(?:allerg\w*|asthma|diabet\w*|epilep\w*|cancer|disease|diagnos\w*|medicines?|medication|pills?|depress\w*|"
    r"hospital|surgery|i am (?:very )?(?:sick|ill)|autis\w*|adhd|pregnan\w*)\b|"
    r"密码|口令|银行卡|身份证|电话|手机号|号码|地址|邮箱|我住(?:在)?.{0,8}(?:街|路|号|小区|单元|楼|弄|巷)|"
    r"我?(?:的)?学校(?:叫|是|名)|我(?:在|上|读).{2,10}(?:小学|中学|学校|幼儿园)|"
    r"过敏|哮喘|糖尿病|癌|生病|吃药|医院|手术|抑郁|诊断|怀孕|自闭|"
    r"パスワード|暗証番号|電話番号|住所|番地|丁目|学校は|学校の名前|アレルギー|喘息|糖尿病|病気|病院|手術|薬を|"
    r"\b(?:kata ?sandi|sandi|nomor (?:telepon|hp|rekening)|alamat\w*|jalan \w+ (?:nomor|no)|rekening|sekolahku|"
    r"(?:nama )?sekolah (?:saya|aku)|(?:aku|saya) sekolah di|alergi|asma|penyakit|sakit|obat|rumah sakit|dokter)\b"
)


def plain(said: str) -> str:
    """What was said in one spelling: NFKC, straight apostrophes, single blanks, none between Chinese characters."""
    text = unicodedata.normalize("NFKC", said).replace("’", "'").replace("`", "'")
    return _BLANK_IN_CJK.sub("", re.sub(r"\s+", " ", text)).strip()


def language_of(said: str, default: Language = "en") -> Language:
    """The language that it most likely is, of those that the product speaks."""
    if re.search(f"[{HIRAGANA}{KATAKANA}]", said):
        return "ja"
    if re.search(f"[{HAN}]", said):
        return "zh"
    small = said.casefold()
    indonesian, english = len(_INDONESIAN.findall(small)), len(_ENGLISH.findall(small))
    if indonesian == english:
        return default
    return "id" if indonesian > english else "en"


def is_question(said: str) -> bool:
    """Whether it asks for something rather than telling it."""
    text = plain(said).casefold()
    if text.endswith("?"):
        return True
    return _QUESTIONS[language_of(text)].search(text.rstrip(".!。！ ")) is not None


def is_about_self(said: str) -> bool:
    """Whether the one who speaks stands in it: "I", "my", "我" ..."""
    return _MYSELF.search(plain(said).casefold()) is not None


def is_about_character(said: str) -> bool:
    """Whether it asks about the one who is spoken to: "your name", "do you like", "你"; not "do you remember"."""
    return _CHARACTER.search(plain(said).casefold()) is not None


def without_asking(said: str) -> str:
    """What was said with gaps in place of the Chinese and Japanese words that ask: they say nothing of what is asked,
    and the characters beside them belong to other words."""
    return _ASKING.sub(" ", said)


def asks_why(said: str) -> bool:
    """Whether it asks for a reason, which nobody has told before."""
    return _WHY.search(plain(said).casefold()) is not None


def answers(asked: str, told: str) -> bool:
    """Whether what was told has the shape of an answer: a time for "when", a number for "how many"."""
    question, answer = plain(asked).casefold(), plain(told).casefold()
    return any(asks.search(question) and holds.search(answer) for asks, holds in _SHAPES)


def is_private(said: str) -> bool:
    """Whether it holds what a toy should not collect.

    Street addresses, the school's name, telephone numbers and mail addresses, passwords, PINs and bank accounts,
    illness, medicine and doctors. Such words stay in the talk and its summary, but no fact is made of them and they are
    never quoted later.
    """
    return _PRIVATE.search(plain(said).casefold()) is not None
