"""A week of simulated talk: ten facts are planted in English and in Chinese, and asked for 1,000 other turns later.

    python -m bench.memory [--turns 1000] [--seed 1] [--show]

Prints how many planted facts are told when they are asked for, how many sentences are told for questions that have
nothing to do with anything said, bytes written for each turn (to the file and its log, as the kernel counts them), and
processor time of `keep` and `relevant`. No model and no network is needed.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from companion.mind.memory.long_term import LongTermMemory
from companion.mind.memory.store import Store

Planted = tuple[tuple[str, str, str], ...]
"""What is said, what is asked after a week, and what the telling must hold."""

ENGLISH: Planted = (
    ("hi my name is ana", "do you still know what my name is", "Ana"),
    ("i am seven years old", "how old am i", "seven"),
    ("my dog is called rex he is so fluffy", "what is my dog called", "Rex"),
    ("my birthday is on the third of may", "when is my birthday", "third of may"),
    ("my favourite colour is turquoise", "what's my favorite color", "turquoise"),
    ("i live in lisbon near the river", "where do i live", "lisbon"),
    ("i promise to water the tomato plants every morning", "what did i promise you", "tomato"),
    ("please remember that the spare glasses are in the red box", "where are my spare glasses", "red box"),
    ("i hid the key under the blue flowerpot", "where did i hide the key", "flowerpot"),
    ("grandpa gave me a silver whistle because i swam so well", "who gave me the silver whistle", "grandpa"),
)
CHINESE: Planted = (
    ("我叫小明", "你还记得我叫什么名字吗", "小明"),
    ("我今年七岁了", "我今年几岁", "七"),
    ("我的狗叫旺财", "我的狗叫什么名字", "旺财"),
    ("我的生日是五月三号", "我的生日是哪天", "五月三号"),
    ("我最喜欢的颜色是绿色", "我最喜欢什么颜色", "绿色"),
    ("我住在杭州", "我住在哪里", "杭州"),
    ("我答应你每天早上给番茄浇水", "我答应过你什么", "番茄"),
    ("请记住备用眼镜在红盒子里", "我的备用眼镜在哪里", "红盒子"),
    ("我把钥匙藏在蓝色花盆下面了", "我把钥匙藏在哪里了", "花盆"),
    ("爷爷送给我一个银色的哨子", "是谁送给我银色的哨子", "爷爷"),
)

ENGLISH_UNRELATED = (
    "why is the sky blue", "what is the capital of france", "how far away is the moon", "tell me a joke",
    "do you like music", "how many legs does a spider have", "what is seven times eight", "can you sing me a song",
    "who invented the telephone", "why do cats purr", "what do whales eat", "is it going to rain", "how are you",
    "what is the biggest country in the world", "why do we sleep", "how do planes fly",
    "tell me something about volcanoes", "what does a robot dream of", "why is the sea salty",
    "who was the first person on the moon", "good night", "what is a black hole", "can fish hear",
    "why are leaves green", "how do you spell elephant", "what time is it", "do dogs dream",
    "what is inside a battery", "how old is the earth", "when was the wheel invented",
    "what is your favourite colour", "what is your name", "how old are you", "where do you live", "do you have a dog",
    "when is christmas", "where do penguins live", "what can i cook with eggs", "how do i fold a paper plane",
    "why do i have to sleep", "can you help me count to ten", "what should i draw", "i am bored",
    "let us play a game", "that was funny", "say that again please", "how does a key work",
    "what is a whistle made of", "thank you", "why do people grow old",
)  # fmt: skip
CHINESE_UNRELATED = (
    "天空为什么是蓝色的", "法国的首都是哪里", "月亮离我们有多远", "给我讲个笑话", "你喜欢音乐吗", "蜘蛛有几条腿",
    "七乘八等于多少", "你会唱歌吗", "电话是谁发明的", "猫为什么会打呼噜", "鲸鱼吃什么", "今天会下雨吗", "你好吗",
    "世界上最大的国家是哪个", "人为什么要睡觉", "飞机怎么飞起来的", "给我讲讲火山", "机器人会做梦吗",
    "海水为什么是咸的", "第一个登上月球的人是谁", "晚安", "什么是黑洞", "鱼能听见声音吗", "树叶为什么是绿的",
    "大象怎么写", "现在几点了", "狗会做梦吗", "电池里面有什么", "地球多少岁了", "轮子是什么时候发明的",
    "你最喜欢什么颜色", "你叫什么名字", "你几岁了", "你住在哪里", "你有狗吗", "圣诞节是哪天", "企鹅住在哪里",
    "鸡蛋可以做什么菜", "纸飞机怎么折", "我为什么要睡觉", "你能帮我数到十吗", "我应该画什么", "好无聊啊",
    "我们玩个游戏吧", "真好笑", "请再说一遍", "钥匙是怎么开门的", "哨子是用什么做的", "谢谢你", "人为什么会变老",
)  # fmt: skip

_EN = {
    "who": "tom,mia,leo,emma,noah,olivia,lucas,sofia,max,ella,oscar,ruby,jack,lily,finn,zoe,hugo,clara",
    "kin": "my mother,my father,my brother,my sister,my grandmother,my cousin,our neighbour,my teacher,my friend",
    "place": "park,beach,library,zoo,museum,market,playground,swimming pool,forest,farm,cinema,castle,station",
    "thing": "kite,puzzle,bicycle,picture book,drum,telescope,sandcastle,paper boat,robot kit,scarf,lantern,map",
    "food": "pancakes,soup,noodles,strawberries,cheese,carrots,rice,popcorn,melon,bread,yoghurt,fish fingers",
    "animal": "squirrel,elephant,owl,hedgehog,dolphin,giraffe,fox,butterfly,penguin,snail,crab,kangaroo",
    "colour": "red,green,yellow,purple,orange,white,black,pink,brown,golden",
    "day": "monday,tuesday,wednesday,thursday,friday,saturday,sunday",
    "did": "broke,found,painted,lost,bought,repaired,washed,carried,borrowed,built",
}  # fmt: skip
_EN_LINES = (
    "today {kin} and i went to the {place}", "{who} {did} a {colour} {thing} on {day}",
    "we had {food} for lunch at the {place}", "i saw a {colour} {animal} at the {place}",
    "{kin} says that a {animal} can sleep standing up", "what does a {animal} eat",
    "can you tell me a story about a {animal} and a {thing}", "{who} does not want to share the {thing}",
    "on {day} we will visit {kin}", "the {thing} of {who} is {colour}", "i am so tired from the {place}",
    "why is the {animal} so {colour}", "{kin} made {food} and it was too hot", "do you like {food}",
    "i like {food} and {food}", "we sang a song about a {animal} at the {place}",
    "i dreamed that a {animal} flew over the {place}", "{who} fell off the {thing} but nothing happened",
    "is a {animal} bigger than a {animal}", "how do you make a {thing}", "let us play that i am a {animal}",
    "{who} has a cat that is afraid of the {thing}", "it rained the whole {day}",
    "the {animal} in the {place} was {colour} and very loud", "can i have {food} now",
    "i do not want to go to the {place}", "{kin} lost the keys at the {place}",
    "i gave {who} a {thing} because it was a party", "my birthday party was at the {place} last year",
)  # fmt: skip
_ZH = {
    "who": "小红,小刚,小丽,乐乐,天天,豆豆,浩浩,欣欣,阳阳,琪琪",
    "kin": "妈妈,爸爸,哥哥,姐姐,奶奶,外婆,叔叔,邻居,老师,表弟",
    "place": "公园,海边,图书馆,动物园,博物馆,菜市场,游乐场,游泳馆,森林,农场,电影院,火车站",
    "thing": "风筝,拼图,自行车,图画书,小鼓,望远镜,沙堡,纸船,积木,围巾,灯笼,地图",
    "food": "饺子,面条,草莓,米饭,西瓜,面包,酸奶,包子,鸡汤,豆腐,玉米,蛋糕",
    "animal": "松鼠,大象,猫头鹰,刺猬,海豚,长颈鹿,狐狸,蝴蝶,企鹅,蜗牛,螃蟹,袋鼠",
    "colour": "红色,黄色,紫色,橙色,白色,黑色,粉色,棕色,金色",
    "day": "星期一,星期二,星期三,星期四,星期五,星期六,星期天",
    "did": "弄坏了,找到了,画了,弄丢了,买了,修好了,洗了,搬了,借了,做了",
}  # fmt: skip
_ZH_LINES = (
    "今天我和{kin}去了{place}", "{who}{day}{did}一个{colour}的{thing}", "我们中午在{place}吃了{food}",
    "我在{place}看见一只{colour}的{animal}", "{kin}说{animal}会站着睡觉", "{animal}吃什么",
    "你给我讲一个{animal}和{thing}的故事好不好", "{who}不肯把{thing}借给别人", "{day}我们要去看{kin}",
    "{who}的{thing}是{colour}的", "从{place}回来好累", "{animal}为什么是{colour}的", "{kin}做了{food}太烫了",
    "你喜欢{food}吗", "我喜欢吃{food}", "我们在{place}唱了{animal}的歌", "我梦见一只{animal}飞过{place}",
    "{who}从{thing}上摔下来了不过没事", "{animal}比{animal}大吗", "怎么做{thing}", "我们来玩游戏我当{animal}",
    "{who}家的猫怕{thing}", "{day}下了一整天雨", "{place}里的{animal}声音很大", "我现在可以吃{food}吗",
    "我不想去{place}", "{kin}在{place}把钥匙弄丢了", "我送给{who}一个{thing}因为过生日",
)  # fmt: skip


def talk(language: str, seed: int) -> Iterator[tuple[str, str]]:
    """Without end: what somebody says about a world of its own, and an answer to it."""
    chance = random.Random(seed)
    lists, lines = (_EN, _EN_LINES) if language == "en" else (_ZH, _ZH_LINES)
    words = {name: listed.split(",") for name, listed in lists.items()}
    answers = (
        (
            "Oh, that sounds lovely! Tell me more about it.",
            "Really? I have never seen that.",
            "Hmm, let me think about it.",
        )
        if language == "en"
        else ("听起来真有意思，再跟我讲讲吧！", "真的吗？我从来没见过呢。", "嗯，让我想一想。")
    )
    while True:
        line = chance.choice(lines)
        while "{" in line:
            before, _, rest = line.partition("{")
            name, _, after = rest.partition("}")
            line = before + chance.choice(words[name]) + after
        yield line, chance.choice(answers)


class Weekdays:
    """Local time that goes on by eight minutes with each turn."""

    def __init__(self) -> None:
        self.at = datetime(2026, 5, 3, 8, 0)

    def __call__(self) -> datetime:
        return self.at

    def turn(self) -> None:
        self.at += timedelta(minutes=8)


async def week(
    folder: Path, language: str, turns: int, seed: int, note: Callable[[str], object] = print
) -> tuple[int, int, int]:
    """Planted facts told, tellings of planted facts for unrelated questions, and tellings of anything for those."""
    planted, unrelated = (ENGLISH, ENGLISH_UNRELATED) if language == "en" else (CHINESE, CHINESE_UNRELATED)
    now = Weekdays()
    store = await Store.open(folder, now)
    memory = LongTermMemory(store, "Pip", now)
    for said, _, _ in planted:
        memory.keep("", said, "Good to know!")
        now.turn()
    await store.flush()
    written, used = _bytes_written(), time.process_time()
    for _, (said, heard) in zip(range(turns), talk(language, seed), strict=False):
        memory.keep("", said, heard)
        await store.flush()
        now.turn()
    keep_ms = (time.process_time() - used) / turns * 1000
    each = (_bytes_written() - written) / turns
    found = 0
    for _, question, answer in planted:
        told = await memory.relevant("", question)
        found += any(answer in sentence for sentence in told)
        note(f"  {question} -> {told}")
    false, anything, spent = 0, 0, []
    for question in unrelated:
        before = time.process_time()
        told = await memory.relevant("", question)
        spent.append((time.process_time() - before) * 1000)
        anything += len(told)
        false += sum(any(answer in sentence for _, _, answer in planted) for sentence in told)
        if told:
            note(f"  UNRELATED {question} -> {told}")
    await store.close()
    size = (folder / "companion.db").stat().st_size
    print(f"{language}: {turns} turns between: {found} of {len(planted)} planted facts told when asked for")
    print(
        f"{language}: per 100 unrelated questions: {false * 100 / len(unrelated):.0f} tellings of planted facts, "
        f"{anything * 100 / len(unrelated):.0f} of anything"
    )
    print(f"{language}: {each:.0f} bytes written per turn, file {size / (turns + len(planted)):.0f} bytes per turn")
    print(f"{language}: processor time: keep {keep_ms:.2f} ms, relevant median {statistics.median(spent):.2f} ms, "
          f"most {max(spent):.2f} ms")  # fmt: skip
    return found, false, anything


def _bytes_written() -> int:
    """Bytes that this process has given to `write`, from /proc/self/io."""
    for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines():
        if line.startswith("wchar:"):
            return int(line.split()[1])
    raise SystemExit("/proc/self/io has no wchar")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="print what is told for each question")
    options = parser.parse_args()
    for language in ("en", "zh"):
        with tempfile.TemporaryDirectory() as folder:
            unread: list[str] = []
            note = print if options.show else unread.append
            asyncio.run(week(Path(folder), language, options.turns, options.seed, note))


if __name__ == "__main__":
    main()
