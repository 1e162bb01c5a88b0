"""The signs that `inferred` looks for: emotion, gesture, intensity, and the pattern of the words. Pure data.

A pattern names the whole phrase (`I'm so happy`), so that what is denied or only reported does not match. Written for
text without its opening quotation marks, with straight apostrophes, in any case.
"""

from __future__ import annotations

_SO = r"(?:so+|really|very|too|just|super|quite|a (?:bit|little)|absolutely)"
_I_AM = rf"\b(?:i'?m|i am|i feel|i'm feeling|i was)(?: {_SO})* "
_IT_IS = rf"\b(?:that'?s|that is|this is|it'?s|how|what an?)(?: {_SO})* "
_AKU = r"\b(?:aku|saya|gue|kakak)(?: (?:sangat|benar-benar|jadi|juga|merasa|amat|agak|ikut))* "
_ZH_SO = "(?:好|真|太|真的?好|真是太|非常|很)"
_ZH_I = f"我(?:也|都|真的?|今天|现在|会|感到|觉得|有点|有些)*{_ZH_SO}?"
_JA_END = "(?:な[ぁあー]?|です|よ|ね|わ|ー|〜|！|!|。|…|、|$)"

SIGNS: tuple[tuple[str | None, str | None, float, str], ...] = (
    # Laughter.
    (
        "amused",
        None,
        0.5,
        r"\b(?:a?(?:ha){2,}h?|(?:he){2,}h?|(?:hi){2,}|ho ho(?: ho)?|tee ?hee|lo+l|lmao|rofl|wk(?:wk)+)\b",
    ),
    (
        "amused",
        None,
        0.5,
        "哈哈+|嘿嘿|嘻嘻|呵呵|噗[哈嗤哧]|あはは|アハハ|はは[はっ]|うふふ|ふふふ?っ?|えへへ|へへ|くすくす|"
        "[wｗ]{2,}$|[笑草]$",
    ),
    # Greetings and goodbyes, at the beginning.
    (
        None,
        "wave",
        0.5,
        r"^(?:hi+|hello+|hey(?: there)?|hiya|welcome(?: back)?|good (?:morning|afternoon|evening|night)|"
        r"nice to meet you)\b(?=[\s,.!~]|$)",
    ),
    (
        None,
        "wave",
        0.5,
        r"^(?:(?:good)?bye(?: ?-?bye)?|see you(?: (?:later|soon|tomorrow))?|farewell|"
        r"take care)\b(?=[\s,.!~]|$)",
    ),
    (
        None,
        "wave",
        0.5,
        r"^(?:halo+|hai+|selamat (?:pagi|siang|sore|malam|datang|tinggal|jalan|tidur)|sampai (?:jumpa|nanti|"
        r"besok)|da+dah|assalamu)\b",
    ),
    (
        None,
        "wave",
        0.5,
        "^(?:你好|您好|大家好|嗨|哈[喽啰]|早上好|早安|早呀|中午好|下午好|晚上好|晚安|再见|拜拜|明天见|回头见|欢迎)",
    ),
    (
        None,
        "wave",
        0.5,
        "^(?:こんにちは|こんにちわ|おはよう|こんばん[はわ]|やあ|やっほー|はじめまして|おかえり|ただいま|"
        "さようなら|またね|また明日|じゃあね|バイバイ|おやすみ|ようこそ)",
    ),
    # Yes and no, at the beginning.
    (
        None,
        "nod",
        0.4,
        r"^(?:yes|yeah|yep|yup|yay yes|sure(?: thing)?|of course|okay|ok|right|exactly|certainly|absolutely|"
        r"indeed|definitely|i agree)(?=[,.!~]|$)",
    ),
    (
        None,
        "nod",
        0.4,
        r"^(?:ya|iya|yap|betul|benar|tentu(?: saja)?|oke|baik(?:lah)?|siap|setuju)(?=[,.!~]|$)",
    ),
    (
        None,
        "nod",
        0.4,
        "^(?:是的|是呀|是啊|对[呀啊的]?(?=[，,。！!])|没错|嗯嗯|嗯(?=[，,。！!])|好的|好呀|好啊|"
        "好(?=[，,。！!])|当然|没问题|可以呀|我同意)",
    ),
    (
        None,
        "nod",
        0.4,
        "^(?:はい|うん|ええ(?=[、。])|そうだね|そうですね|そうそう|その通り|もちろん|いいよ|わかった|了解|"
        "オッケー)(?=[、。！!よねー〜]|$)",
    ),
    (
        None,
        "shake_head",
        0.4,
        r"^(?:no+|nope|nah|not at all|never|of course not|tidak|nggak|enggak|gak|bukan|jangan)(?=[,.!~]|$)",
    ),
    (
        None,
        "shake_head",
        0.4,
        "^(?:不[，,。！!]|不不|不是(?:的|啦|呀|哦|[，,。！!])|不行|不对|没有[，,。！!啦]|才不)",
    ),
    (
        None,
        "shake_head",
        0.4,
        "^(?:いいえ|ううん|いや(?=[、。！!いー])|違うよ|ちがうよ|違います|だめだ?よ?(?=[、。！!])|ダメ)",
    ),
    # Surprise, alarm, triumph.
    (
        "surprised",
        None,
        0.45,
        r"\b(?:wo+w|whoa+|oh my(?: goodness| god| gosh)?|omg|gosh|goodness(?: me)?|no way|really\?!|ooh+|"
        r"a+strada|astaga|ya ampun|masa sih|wa+h)\b(?=[\s,.!?~…]|$)",
    ),
    (
        "surprised",
        None,
        0.45,
        "^(?:哇+|哎呀|天[哪啊呐]|我的天|啊[！!？?]|咦|真的[吗假]|不会吧|わあ+|わぁ+|うわ[あぁー]*|えっ|"
        "ええっ|えー[！!？?]|まさか|ほんと[にう]?[？?！!]|びっくり)",
    ),
    (
        "worried",
        None,
        0.45,
        r"\b(?:oh no+|uh[- ]oh|oh dear|yikes|i'?m (?:so |really |very |a little )?(?:worried|nervous)|aduh+|"
        r"waduh|gawat|celaka)\b|^(?:糟糕|糟了|惨了|完了[，！!]|不好[，！!了]|しまった|やばい|ヤバい|"
        r"大変[だ！!]|どうしよう)",
    ),
    (
        "worried",
        None,
        0.4,
        f"{_AKU}(?:khawatir|cemas|gelisah)|{_ZH_I}(?:担心|着急|紧张)|(?:心配|不安)(?:だな|だよ|です|だ！)",
    ),
    (
        "excited",
        None,
        0.5,
        r"\b(?:ya+y|ye+ay|hoo+ra+y|hurra+y|woo ?hoo+|yippee+|hore+|asy?i+k+|ta-?da)\b|^(?:太好了|太棒了|"
        r"好耶|耶[！!]|万岁)|太[好棒]了[！!]|^(?:やった|わーい|いえーい|バンザイ|ばんざい)",
    ),
    (
        "excited",
        None,
        0.45,
        f"{_I_AM}(?:excited|thrilled|can't wait)|\\bi can'?t wait\\b|\\btak sabar\\b|{_ZH_I}(?:激动|兴奋|"
        f"期待)|(?:楽しみ|わくわく|ワクワク)(?:だ|です|する|！|!)|[!！]{{2,}}",
    ),
    (
        "excited",
        "clap",
        0.5,
        r"\b(?:congratulations|congrats|well done|bravo|good job|great job)\b|\bselamat (?:ya|atas|ulang)|"
        r"\bkamu hebat\b|^(?:恭喜|祝贺|你真棒|真厉害)|真棒[！!]|おめでとう|よくできました|えらい[！!ね]|"
        r"すごい[！!ね]",
    ),
    # Feelings of the speaker.
    (
        "happy",
        None,
        0.45,
        f"{_I_AM}(?:happy|glad|delighted|overjoyed|pleased)\\b|\\bmakes me (?:so |very |really )?happy\\b|"
        f"{_IT_IS}(?:wonderful|amazing|awesome|fantastic|great|brilliant|lovely|fun)(?: \\w+)?!|^(?:awesome|"
        r"amazing|fantastic|wonderful|great|brilliant|hebat|keren|mantap)!",
    ),
    (
        "happy",
        None,
        0.45,
        f"{_AKU}(?:senang|bahagia|gembira)|\\b(?:senang(?:nya)?|bahagianya) (?:sekali|banget|bisa|bertemu)|"
        f"{_ZH_I}(?<!不)(?<!不是)(?:开心|高兴|快乐|幸福)|(?<!不)(?:好|真|太)(?:开心|高兴|快乐)|(?:嬉しい|"
        f"うれしい|楽しい|幸せ(?=だ|です)){_JA_END}|楽しかった",
    ),
    (
        "loving",
        None,
        0.5,
        r"\bi (?:\w+ )?(?:love|adore) (?:you|it|this|that|your|when you)\b|\blove you\b|\b(?:aku|"
        r"saya) (?:cinta|sayang)|我(?:也|好|最|真的?|很)*(?:爱你|喜欢你|爱死)|(?:大好き|愛してる)" + _JA_END,
    ),
    (
        "sad",
        None,
        0.45,
        f"{_I_AM}(?:sad|unhappy|heartbroken|lonely|homesick)\\b|\\bi(?:'ll|"
        f" will)? (?:\\w+ )?miss(?:ed)? (?:you|him|her|them)\\b|{_IT_IS}(?:sad|awful|heartbreaking|"
        r"a (?:pity|shame)|too bad)\b|\bboo ?hoo\b|\bpoor (?:thing|you|little)",
    ),
    (
        "sad",
        None,
        0.45,
        f"{_AKU}(?:sedih|kesepian|rindu|kangen)|\\bkasihan\\b|\\bhiks\\b|呜呜|{_ZH_I}(?:难过|伤心|想你|"
        r"孤单)|(?<!不)(?:好|真|太)(?:难过|伤心|可惜|遗憾)|(?:悲しい|かなしい|寂しい|さびしい|さみしい|"
        f"つらい|残念){_JA_END}|うう…|しくしく",
    ),
    (
        "sad",
        None,
        0.35,
        r"^(?:(?:i'?m|i am) (?:so |really |very |terribly )?)?sorry\b(?! to (?:tell|bother))|\bi'?m (?:so |"
        r"really |very )?sorry\b|\bi apologi[sz]e\b|\bforgive me\b|\b(?:aku|saya) minta maaf\b|^maaf\b|"
        r"对不起|^抱歉|真抱歉|请原谅我|ごめん(?:ね|なさい|！|、|。)|申し訳(?:ない|ありません)",
    ),
    (
        "pleased",
        None,
        0.4,
        r"(?<!no )\b(?:thank you|thanks)\b(?! to)|\b(?:terima ?kasih|makasih)\b|谢谢|多谢|感谢你|ありがとう",
    ),
    (
        "pleased",
        None,
        0.4,
        r"\b(?:yum+(?:y)?|delicious|enak(?: sekali| banget)?|lezat)!|(?:好|真|太)(?:吃|香|甜|"
        r"好吃)[了啊呀]*[！!]|(?:おいしい|美味しい|うまい)(?:！|!|な|ね|よ)",
    ),
    (
        "afraid",
        None,
        0.4,
        f"{_I_AM}(?:scared|afraid of|frightened|terrified)\\b|{_IT_IS}(?:scary|spooky|creepy)\\b|"
        f"{_AKU}takut|\\b(?:takut|seram) (?:sekali|banget)|\\bseramnya\\b|{_ZH_I}(?:害怕|怕怕)|(?<!不)(?:好|"
        f"真|太)(?:可怕|吓人|恐怖)|(?:怖い|こわい){_JA_END}",
    ),
    (
        "angry",
        None,
        0.4,
        f"{_I_AM}(?:angry|mad|furious|annoyed)\\b|^(?:hmph|grr+|humph|argh|ugh)\\b|\\bhow dare\\b|"
        f"{_AKU}(?:marah|kesal|sebal)|{_ZH_I}(?:生气|气死)|气死我|^哼|可恶|むかつく|もう[！!]|ひどい[！!よ]|"
        r"(?:許さない|怒った)[！!よぞ]",
    ),
    (
        "embarrassed",
        None,
        0.4,
        f"{_I_AM}(?:embarrassed|shy|ashamed)\\b|^(?:oops|whoops)\\b|{_AKU}malu|\\bjadi malu\\b|"
        f"{_ZH_I}(?:害羞|不好意思)|(?<!不)(?:好|真|太)(?:害羞|丢人|尴尬)|(?:恥ずかしい|照れる|"
        f"照れちゃう){_JA_END}",
    ),
    (
        "sleepy",
        None,
        0.4,
        f"{_I_AM}(?:sleepy|tired|exhausted)\\b|\\byawn\\b|{_AKU}(?:mengantuk|ngantuk|capek|lelah)|"
        f"\\bhoa+m\\b|{_ZH_I}(?:困了|想睡|累了)|好[困累]|(?:眠い|ねむい|眠たい|疲れた){_JA_END}|ふわ[ぁあ]",
    ),
    (
        "disgusted",
        None,
        0.4,
        r"^(?:e+w+|yuck+|ick|bleh)\b|\bih+ jijik|\bjijik(?:nya| sekali| banget)|好恶心|真恶心|^呸|気持ち悪い" + _JA_END,
    ),
    (
        "thoughtful",
        None,
        0.4,
        r"^(?:h+m+|um+|let me (?:think|see)|let's see|coba (?:aku|saya) pikir)\b|^(?:嗯…|唔|让我想想|我想想|"
        r"这个嘛|うーん|う〜ん|えーっ?と|ええと|そうだなあ?)",
    ),
    (
        None,
        "shrug",
        0.35,
        r"\bi (?:really )?(?:don'?t know|have no idea)\b|^(?:no idea|who knows|entahlah|entah)\b|\b(?:aku|"
        r"saya) (?:tidak|nggak|gak|tak) tahu\b|我(?:也|真的?)?不知道|谁知道|(?:わからない|分からない|"
        r"知らない)(?:なあ?|よ|です|。|！|$)",
    ),
)
