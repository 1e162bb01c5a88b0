"""How people tell about themselves in English and Indonesian, as patterns. Pure data for `companion.mind.memory.facts`.

All are matched without regard to case against one sentence whose short forms are written out ("i'm" is "i am").
Groups: `v` is the value, `s` the subject. A value ends where the next clause begins.
"""

from __future__ import annotations

import re

_PETS_EN = (
    "dogs?|pupp(?:y|ies)|cats?|kittens?|kitty|rabbits?|bunn(?:y|ies)|hamsters?|fish|goldfish|turtles?|tortoises?|"
    "parrots?|birds?|budgies?|guinea pigs?|horses?|pon(?:y|ies)|lizards?|snakes?|mouse|mice|geckos?|chickens?|ducks?"
)
_KIN_EN = (
    "(?:best )?friends?|mother|father|mom|mum|mommy|mummy|dad|daddy|sisters?|brothers?|grandmother|grandfather|"
    "grandma|"
    "grandpa|granny|uncle|aunt|auntie|cousins?|son|daughter|wife|husband|twin"
)
_MONTH_EN = "january|february|march|april|may|june|july|august|september|october|november|december"
_DAY_EN = (
    r"\d{1,2}(?:st|nd|rd|th)?|(?:twenty|thirty)[ -](?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|"
    r"first|"
    "second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|"
    "sixteenth|seventeenth|eighteenth|nineteenth|twentieth|thirtieth"
)
_DATE_EN = (
    rf"(?:(?:{_DAY_EN})(?: of)? (?:{_MONTH_EN})|(?:{_MONTH_EN})(?: the)?(?: (?:{_DAY_EN}))?|christmas(?: day| eve)?|"
    r"new year'?s? (?:day|eve)|halloween|valentine'?s day|today|tomorrow)"
)
_NUMBER_EN = (
    r"\d{1,3}|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[ -](?:one|two|three|four|five|six|"
    r"seven|eight|"
    "nine))?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    "seventeen|"
    "eighteen|nineteen"
)
_NEXT_EN = (
    r"(?=\s*(?:$|[.!?,;:]|\b(?:but|because|cause|so|when|what|who|where|how|why|if|then|i|you|he|she|we|they|"
    r"please|ok|"
    r"okay|right|now|today|hello|thanks|thank|nice|too|either|also|since|which|that|more than|very much|so much|a "
    r"lot|"
    r"and (?:i|my|you|he|she|it|we|they|his|her|its|do|what|how|the|that|also|then|now)|it is|it was|they are|are "
    r"you|"
    r"do you|can you|at all|anymore|and)\b))"
)
_LIST_EN = _NEXT_EN.replace(r"|and)\b", r")\b")
_NAMED_EN = (
    r"(?:\s(?:and (?:his|her|its|their) name is|(?:that |who )?(?:is|are) (?:called|named)|called|named)\s"
    r"(?P<v>[^.!?,;]+))?"
)
_OTHER_EN = r"(?P<another>another |a second |a new )"

ENGLISH: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("name", r"\b(?:my (?:full |real |first )?name is|i am called|(?:you can |please )call me) (?P<v>[^.!?,;]+)"),
        (
            "age",
            rf"\bi (?:am|just turned|turned|am already)(?: now| only)? (?P<v>{_NUMBER_EN})(?: years old| years "
            rf"of age|{_NEXT_EN})",
        ),
        ("birthday", rf"\bmy birthday is(?: on| in)?(?: the)? (?P<v>{_DATE_EN})\b"),
        ("birthday", rf"\bi was born (?:on|in)(?: the)? (?P<v>{_DATE_EN})\b"),
        ("birthday", r"\b(?P<v>today|tomorrow) is my birthday\b"),
        ("favourite", rf"\bmy favou?rite (?P<s>\w+(?: \w+)?) (?:is|are) (?P<v>[^.!?,;]+?){_NEXT_EN}"),
        (
            "dislikes",
            rf"\bi (?:really )?(?:do not (?:really |even )?(?:like|love|enjoy)|hate|dislike|cannot stand) "
            rf"(?P<v>[^.!?;]+?){_LIST_EN}",
        ),
        (
            "likes",
            rf"\bi (?:(?:really|also|just|totally|always|do|still) )*(?:like|love|enjoy|adore) "
            rf"(?P<v>[^.!?;]+?){_LIST_EN}",
        ),
        (
            "has",
            rf"\bi (?:have|have got|got|own)(?: {_OTHER_EN}| (?:an?|one|two|three|four|five|my|some) )"
            rf"(?P<adjective>(?:\w+ ){{0,2}}?)(?P<s>{_PETS_EN}|{_KIN_EN}){_NAMED_EN}{_NEXT_EN}",
        ),
        (
            "has",
            rf"\bmy (?P<adjective>(?:\w+ )?)(?P<s>{_PETS_EN}|{_KIN_EN})(?:'s name is| name is| is called| is "
            rf"named| called| named) (?P<v>[^.!?,;]+)",
        ),
        ("has", rf"\bthe name of my (?P<s>{_PETS_EN}|{_KIN_EN}) is (?P<v>[^.!?,;]+)"),
        ("lives", rf"\b(?:i live in|i am from|i come from) (?P<v>[^.!?;]+?){_NEXT_EN}"),
        (
            "grade",
            r"\bi am in (?:the )?(?P<v>(?:\w+) grade|(?:grade|year|class) (?:\d{1,2}|\w+)|kindergarten|"
            r"preschool)\b",
        ),
        (
            "job",
            rf"\b(?:i (?:work|am working) as (?:an? )?|my job is (?:being )?(?:an? )?)(?P<v>[^.!?,"
            rf";]+?){_NEXT_EN}",
        ),
        ("promise", r"\bi promise(?: you)?(?: to| that i will| that i| i will| i)? (?P<v>[^.!?;]+)"),
        ("promise", r"\b(?P<v>tomorrow i (?:will|am going to|am gonna) [^.!?;]+)"),
        ("promise", r"\bi (?P<v>(?:will|am going to|am gonna) [^.!?;]+? tomorrow)\b"),
        (
            "remember",
            r"^(?:\w+ )?(?:please )?(?:(?:can|could|will|would) you )?(?:please )?(?:remember|do not "
            r"forget|keep in mind)(?: that)? (?P<v>[^.!?;]+)",
        ),
    )
)

ENGLISH_BLOCKERS = re.compile(
    r"\b(?:if|wish\w*|imagin\w+|pretend\w*|maybe|perhaps|guess|suppose\w*|says?|said|saying|tells?|told|asks?|"
    r"asked|dream\w*|"
    r"story|song|sings?|sang|movie|film|plays? that|reads?|goes|unless|used to|hope\w*|would|could|"
    r"someone|somebody|everyone|what|who|whom|whose|where|when|why|how|which|whether|because you|once|"
    r"(?:do|did|can|could|will|would|are|have|is|was|does) (?:you|i|we|they|he|she|it|my|your))\b"
    r"|\b(?:never|not|almost|nearly) (?!but\b|and\b)(?:\w+ )?$"
    r"|(?:^|\s)(?:do|did|does|have|am|is|are|was|can|could|would|should|will|that|you think)\s*$"
)
ENGLISH_HARMLESS = re.compile(
    r"\b(?:how are you(?: doing)?(?: today)?|what is up|guess what|you know what|what is your name|who are you|"
    r"how old are you|"
    r"i (?:already )?(?:said|told you)(?: that)?|can you (?:please )?(?=remember|call)|"
    r"(?:could|would|will) you (?:please )?(?=remember|call)|nice to meet you|did you know(?: that)?)\b",
    re.IGNORECASE,
)
ENGLISH_TAILS = re.compile(
    r"\b(?:just kidding|only joking|not really|in my dreams?|in the (?:game|story|film|movie|book|song|play)|"
    r"in minecraft|in roblox|is what (?:he|she|they)|said|says)\b"
)

_PETS_ID = "anjing|kucing|kelinci|hamster|ikan|kura-kura|burung|kuda|ayam|bebek|marmut"
_KIN_ID = "ayah|bapak|papa|ibu|mama|kakak|adik|nenek|kakek|paman|bibi|sepupu|teman|sahabat|suami|istri|anak"
_MONTH_ID = "januari|februari|maret|april|mei|juni|juli|agustus|september|oktober|november|desember"
_NUMBER_ID = (
    r"\d{1,3}|(?:dua|tiga|empat|lima|enam|tujuh|delapan|sembilan) (?:belas|puluh)(?: \w+)?|sebelas|sepuluh|satu|"
    r"dua|tiga|"
    "empat|lima|enam|tujuh|delapan|sembilan"
)
_DATE_ID = rf"(?:(?:{_NUMBER_ID}) (?:{_MONTH_ID})|(?:{_MONTH_ID})|hari ini|besok)"
_NEXT_ID = (
    r"(?=\s*(?:$|[.!?,;:]|\b(?:tapi|tetapi|karena|jadi|kalau|apa|siapa|kamu|dan (?:aku|saya|kamu|namaku|umurku)|"
    r"aku|saya|ya|"
    r"dong|sih|banget|sekali|juga|sekarang|dia|lalu|halo|dan)\b))"
)
_LIST_ID = _NEXT_ID.replace(r"|dan)\b", r")\b")
_I_ID = "(?:aku|saya|gue|gua)"

INDONESIAN: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("name", rf"\b(?:nama {_I_ID}|namaku|panggil {_I_ID})(?: adalah| itu)? (?P<v>[^.!?,;]+)"),
        ("age", rf"\b(?:umur|usia)(?:ku| {_I_ID})(?: sudah| sekarang| baru)? (?P<v>{_NUMBER_ID})\b"),
        ("age", rf"\b{_I_ID}(?: sudah| baru)?(?: berumur| berusia)? (?P<v>{_NUMBER_ID}) tahun\b"),
        (
            "birthday",
            rf"\b(?:ulang tahun|hari lahir)(?:ku| {_I_ID})(?: adalah| itu)?(?: pada)?(?: tanggal)? "
            rf"(?P<v>{_DATE_ID})\b",
        ),
        ("birthday", rf"\b{_I_ID} lahir(?: pada)?(?: tanggal)?(?: di)?(?: bulan)? (?P<v>{_DATE_ID})\b"),
        (
            "favourite",
            rf"\b(?P<s>makanan|minuman|warna|mainan|buku|lagu|hewan|binatang|permainan|film|buah) "
            rf"(?:kesukaan|favorit)(?:ku| {_I_ID})(?: adalah| itu)? (?P<v>[^.!?,;]+?){_NEXT_ID}",
        ),
        (
            "dislikes",
            rf"\b{_I_ID} (?:(?:tidak|nggak|gak|ga|enggak|tak) (?:suka|senang)|benci) "
            rf"(?P<v>[^.!?;]+?){_LIST_ID}",
        ),
        ("likes", rf"\b{_I_ID} (?:(?:juga|sangat|paling|selalu) )*(?:suka|senang|cinta) (?P<v>[^.!?;]+?){_LIST_ID}"),
        (
            "has",
            rf"\b{_I_ID} (?:punya|memiliki|memelihara)(?: (?:seekor|seorang|satu|dua|tiga))? (?P<s>{_PETS_ID}|"
            rf"{_KIN_ID})(?: \w+)??"
            rf"(?: (?:yang )?(?:bernama|namanya)(?: adalah)? (?P<v>[^.!?,;]+))?{_NEXT_ID}",
        ),
        ("has", rf"\bnama (?P<s>{_PETS_ID}|{_KIN_ID})(?:ku| {_I_ID})(?: adalah| itu)? (?P<v>[^.!?,;]+)"),
        (
            "has",
            rf"\b(?P<s>{_PETS_ID}|{_KIN_ID})(?:ku| {_I_ID})(?: itu)? (?:bernama|namanya)(?: adalah)? "
            rf"(?P<v>[^.!?,;]+)",
        ),
        ("lives", rf"\b{_I_ID} (?:tinggal di|berasal dari|dari kota) (?P<v>[^.!?;]+?){_NEXT_ID}"),
        ("grade", rf"\b{_I_ID} (?:duduk di |di )?(?P<v>kelas (?:{_NUMBER_ID}))\b"),
        ("job", rf"\b{_I_ID} (?:bekerja|kerja) sebagai (?P<v>[^.!?,;]+?){_NEXT_ID}"),
        ("promise", rf"\b{_I_ID} (?:ber)?janji(?: akan| untuk| mau)? (?P<v>[^.!?;]+)"),
        ("promise", rf"\b(?P<v>besok {_I_ID} (?:akan|mau|harus) [^.!?;]+)"),
        ("remember", r"^(?:tolong )?(?:ingatlah|ingat|jangan lupa)(?: ya)?(?: bahwa| kalau)? (?P<v>[^.!?;]+)"),
    )
)
INDONESIAN_BLOCKERS = re.compile(
    r"\b(?:jika|kalau|andai\w*|seandainya|semoga|berharap|ingin|pengen|pura-pura|mimpi|bermimpi|kata|katanya|bilang|"
    r"cerita\w*|film|lagu|mungkin|dulu|bukan|tidak|nggak|gak|belum|apa|apakah|siapa|kapan|mana|berapa|kenapa|mengapa|"
    r"bagaimana|gimana|tebak)\b"
)
INDONESIAN_HARMLESS = re.compile(
    r"\b(?:apa kabar|siapa nama(?:mu| kamu)|nama(?:mu| kamu) siapa|kamu siapa|aku bilang)\b", re.IGNORECASE
)
INDONESIAN_TAILS = re.compile(r"\b(?:cuma bercanda|bercanda|dalam mimpi\w*|di (?:cerita|film|game)|katanya)\b")
