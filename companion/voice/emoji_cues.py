"""Pictographs in the text: where one begins and ends, and what it tells the body. Pure.

The ranges are those of Unicode's emoji-data.txt (every code point above U+2000 with the property Emoji, but
not ‼ ⁉ ™ ℹ, which are text) and the symbols around them that have no sound either, such as ♪ and ★. A table of
ranges costs nothing to load; the `emoji` package costs 8.5 MB. `tests/test_stage.py` holds one against the other.
"""

from __future__ import annotations

import re

from companion.voice.directions import Feeling
from companion.voice.lookahead import Lookahead, Token

_RANGES = (
    "\u203f\u2040\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u23cf\u23e9-\u23fa\u24c2"
    "\u2500-\u25ff\u2600-\u26ff\u2700-\u2775\u2794-\u27bf\u2934\u2935\u2b05-\u2b07\u2b12-\u2b2f\u2b50-\u2b5f"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001f0ff\U0001f10d-\U0001f10f\U0001f12f\U0001f16c-\U0001f171"
    "\U0001f17e\U0001f17f\U0001f18e\U0001f191-\U0001f1e5\U0001f1e6-\U0001f1ff\U0001f200-\U0001faff\U0001fc00-\U0001fffd"
)
PICTOGRAPH = re.compile(f"[{_RANGES}]")

JOINERS = "\ufe0e\ufe0f\u200d\u20e3"
"""Variation selectors, the zero-width joiner and the keycap: parts of a pictograph, silent by themselves."""

_SKIN = "\U0001f3fb-\U0001f3ff"
_TAIL = re.compile(f"[{JOINERS}{_SKIN}\U000e0020-\U000e007f\u2640\u2642]")
_TO_LOOK_UP = re.compile(f"[\ufe0e\ufe0f{_SKIN}]|\u200d[\u2640\u2642]")


def pictograph(look: Lookahead, start: int) -> Token:
    """The pictograph that begins at `start`, its repetitions included: `😂😂😂` is one strong laugh."""
    end = _cluster_end(look, start)
    cluster = look.text[start:end]
    strength = 1
    while look.starts(cluster, end) and _cluster_end(look, end) == end + len(cluster):
        end += len(cluster)
        strength += 1
    return Token(end, "emoji", cluster, strength)


def keycap_end(look: Lookahead, start: int) -> int:
    """Just after the keycap whose digit, `#` or `*` stands at `start`; `start` if it is none."""
    after = look.skip("\ufe0f", start + 1)
    return after + 1 if look.at(after) == "\u20e3" else start


def feeling_of(cluster: str) -> Feeling | None:
    """What a pictograph tells the body; skin, sex and selectors aside. None for a cake or a flag."""
    name = _TO_LOOK_UP.sub("", cluster)
    return FEELINGS.get(name) or FEELINGS.get(name[:1])


def _cluster_end(look: Lookahead, start: int) -> int:
    flag = "\U0001f1e6" <= look.text[start] <= "\U0001f1ff"
    end = start + 1
    if flag and "\U0001f1e6" <= look.at(end) <= "\U0001f1ff":
        return end + 1
    while (ch := look.at(end)) and (_TAIL.match(ch) or (look.at(end - 1) == "\u200d" and PICTOGRAPH.match(ch))):
        end += 1
    return end


_TABLE: tuple[tuple[str | None, str | None, float, str], ...] = (
    ("happy", None, 0.4, "🙂 ☺ 🙃 🐻 🧸 🐰 🐱 🐶 ☀ 🌻 🌸 🌼 🎵 🎶 ♪ ♫ ♬ ♩ 🌟 ⭐ ★ ☆"),
    ("happy", None, 0.6, "😊 😀 😃 😄 😁 😺 😸 🌈 😇"),
    ("happy", None, 0.8, "🥹"),
    ("happy", "nod", 0.5, "👌 ✅ ✔ ✓"),
    ("happy", "nod", 0.6, "👍"),
    ("happy", "jump", 0.8, "🦘 🏃"),
    ("amused", None, 0.5, "😏 😜 😝 😛 🤪 😹 🤡 👻 😈"),
    ("amused", None, 0.7, "😆 😅"),
    ("amused", None, 0.9, "😂 🤣"),
    ("amused", None, 0.45, "😉"),
    ("excited", None, 0.8, "🤩 🥳 ✨ 🎁 🚀 🔥 ⚡ 💥 🎂"),
    ("excited", "clap", 0.8, "🎉 🎊"),
    ("excited", "jump", 0.9, "🏆 🤸 🤾"),
    ("pleased", None, 0.6, "😌 😋 🤤 😎 🍰 🍭 🍬 🍪 🍯"),
    ("confident", None, 0.7, "💪 🦾 😤 ✊ 👊 🤘 🤙"),
    ("loving", None, 0.7, "🥰 😍 😻 💕 💖 💗 💓 💞 💘 💝 💟 ❣ 🫶 💑"),
    ("loving", None, 0.6, "❤ 🧡 💛 💚 💙 💜 🖤 🤍 🤎 🩷 🩵 🩶 ♥ ♡ 💌 ❤‍🔥 ❤‍🩹"),
    ("loving", None, 0.7, "😘 😗 😙 😚 😽 💋 💏"),
    ("affectionate", "hug", 0.7, "🤗 🫂 👐"),
    ("affectionate", None, 0.5, "🌹 💐 🌷 🍀 🕊"),
    ("affectionate", "nod", 0.5, "🤝 🫡 🙏"),
    ("embarrassed", None, 0.6, "😳 🫣 🙈 😬 🫠 🥵"),
    ("surprised", None, 0.7, "😮 😯 😲 🤭 ❗ ❕ 🙀 🫢"),
    ("surprised", None, 0.9, "😱 🤯 😵 😦 😧"),
    ("sad", None, 0.5, "😢 🥺 😿 😥 💧 🌧 🥀 ☹ 🙁"),
    ("sad", None, 0.7, "😔 😞 😩 😫 💔"),
    ("sad", None, 0.9, "😭"),
    ("disappointed", None, 0.5, "😒 😑 😣 😖 👎 😮‍💨"),
    ("disappointed", "shake_head", 0.6, "🤦 ❌ ✖ ❎ 🚫 🙅 🙂‍↔"),
    ("happy", "nod", 0.6, "🙂‍↕ 🙆"),
    ("angry", None, 0.7, "😠 😾 💢 👿 🗯"),
    ("angry", None, 0.9, "😡 🤬"),
    ("afraid", None, 0.7, "😨 🫨 🙊 👀"),
    ("worried", None, 0.6, "😰 😟 😕 😓 💦 ⚠"),
    ("disgusted", None, 0.7, "🤢 🤮 💩 🥴"),
    ("confused", "tilt_head", 0.5, "❓ ❔ 😵‍💫 🫤"),
    ("confused", "shrug", 0.6, "🤷"),
    ("thoughtful", "tilt_head", 0.5, "🤔 🧐 💭 🙇"),
    ("interested", "lean_in", 0.5, "💡 🔍 🔎 👂 🤓 🕵"),
    ("sleepy", None, 0.6, "😪 🥱 🌙 🌛 🌜"),
    ("sleepy", "sleep", 0.8, "😴 💤 🛌 🛏"),
    ("relaxed", None, 0.5, "🧘 ☕ 🍵 🛀"),
    ("bored", None, 0.5, "🙄 😐 🥲"),
    ("neutral", None, 0.3, "😶 🤐 🤫 😶‍🌫 🤖"),
    (None, "wave", 0.7, "👋 🖐 ✋ 🤚 🙋 🫱 🫲"),
    (None, "clap", 0.8, "👏 🙌"),
    (None, "dance", 0.8, "💃 🕺 👯 🪩"),
    (None, "look_up", 0.5, "👆 ☝ ⬆"),
    (None, "look_down", 0.5, "👇 ⬇"),
    (None, "look_left", 0.5, "👈 ⬅"),
    (None, "look_right", 0.5, "👉 ➡"),
)
FEELINGS: dict[str, Feeling] = {
    cluster: Feeling(emotion, gesture, intensity)
    for emotion, gesture, intensity, clusters in _TABLE
    for cluster in clusters.split()
}
"""What each pictograph means, written without its skin tone, sex and variation selectors. `docs/cues.md` lists it."""

XIAOZHI: dict[str, Feeling] = {
    "neutral": Feeling("neutral", None, 0.3),
    "happy": Feeling("happy", None, 0.6),
    "laughing": Feeling("amused", None, 0.7),
    "funny": Feeling("amused", None, 0.9),
    "sad": Feeling("sad", None, 0.7),
    "angry": Feeling("angry", None, 0.7),
    "crying": Feeling("sad", None, 0.9),
    "loving": Feeling("loving", None, 0.7),
    "embarrassed": Feeling("embarrassed", None, 0.6),
    "surprised": Feeling("surprised", None, 0.7),
    "shocked": Feeling("surprised", None, 0.9),
    "thinking": Feeling("thoughtful", "tilt_head", 0.5),
    "winking": Feeling("amused", None, 0.45),
    "cool": Feeling("confident", None, 0.5),
    "relaxed": Feeling("relaxed", None, 0.5),
    "delicious": Feeling("pleased", None, 0.7),
    "kissy": Feeling("loving", None, 0.7),
    "confident": Feeling("confident", None, 0.7),
    "sleepy": Feeling("sleepy", None, 0.6),
    "silly": Feeling("amused", None, 0.6),
    "confused": Feeling("confused", "tilt_head", 0.5),
}
"""The 21 emotions that the xiaozhi firmware family sends beside its emoji; a `<tag>` may name them."""
