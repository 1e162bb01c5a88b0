"""Words that stand where a name could stand and are none: "i'm hungry", "my name is hard to spell". Pure data.

A person who is called so all the same is understood once the device file names them.
"""

from __future__ import annotations

from companion.languages.language import Code as Language

_ENGLISH = """
a about above absent absolutely across actually afraid after again against ago ahead alive all allergic allowed almost
alone along already alright also always am amazed amazing among amused an and angry annoyed annoying another any
anxious anymore anyway apart are around as ashamed asleep at average awake aware away awesome awful back bad barefoot
be beautiful because bed been before behind being below beneath beside besides best better between beyond big bigger
birthday bitter bleeding blind blue boiling bold bored boring born both boy brave break bright broken brother brown
bursting busy but by calm can cannot captain careful certain cheating child clean clever close clumsy cold colder
college comfortable coming confused cool correct cosy cozy crazy cross crying curious cute dad daddy dancing dead deaf
deep delicious delighted desperate did different difficult dirty disappointed disgusted dizzy do doctor does doing
done double down dressed drinking driving drowning drunk dry dying each early easy eating eight eighteen eighty either
eleven else embarrassed empty enough even ever every everyone everything everywhere exactly excellent excited
exhausted eyes fabulous failing fair fake falling false family famous fantastic far fast fat fed feeling female few
fifteen fifty fine finished first fit five flying following for forever forty four fourteen free freezing friend
friendly frightened from front frustrated full fun funny furious further game gay generous gentle genius getting girl
glad go going gone gonna good goodbye gorgeous got gotta grandma grandpa grateful great green gross grounded grown
grumpy guess guessing guest guilty had half handsome happier happy hard has hate hating have having he healed healthy
hear heartbroken heavy hello help helping her here hers hey hi hiding high him his hm hmm hold holding home homesick
honest hot how huge human hungry hunting hurry hurt hurting i if ill important impressed in indoors injured innocent
inside interested into is isn't it itchy it's its jealous joking jolly just keen kid kidding kind king lame large last
late later laughing lazy learning least leaving left less let like likely liking listening little live living lonely
long looking losing lost lot loud love loved lovely loving low lucky lying mad made magic magical making male many
married maybe me mean middle might mine miserable missing mistaken mom mommy monster more most mother moving much mum
mummy must my myself name naked naughty near nearly neither nervous never new next nice nine nineteen ninety no nobody
none nor normal not nothing now nowhere obviously of off officially often oh ok okay old older on once one only open
or orange other our out outdoors outside over overjoyed own painting pale parched partly perfect perhaps pink pirate
playing please pleased police polite poor popular positive powerful pregnant pretending pretty prince princess
probably proud purple putting queen quick quiet quite quitting rather reading ready real really red relaxed relieved
rich right round royal running sad safe satisfied saved saying scared scary school secret serious seven seventeen
seventy several shaking sharing she shocked shopping short should shy sick silly since sing singing single sister
sitting six sixteen sixty skinny sleeping sleepy slow small smaller smart smiling sneezing so sober soft some somebody
someone something sometimes somewhere soon sore sorry sort special speaking spelled spinning standing starting
starving stay staying still stinky stop strong stuck student stuffed stupid successful such suffering super supposed
sure surprised sweating sweaty sweet swimming taking talented talking tall taller teacher team teasing telling ten
tender terrible terrified thankful that that's the their them then there these they thinking third thirsty thirteen
thirty this those though thousand three thrilled through tickled tidy tied tight till tired to today together tomorrow
tonight too top totally tough trapped trying turning twelve twenty two ugly unable uncomfortable under unhappy unique
unlucky unsure until up upset upside upstairs downstairs us used useless using usually vegan vegetarian very waiting
walking wanting warm was washing watching way we weak wearing weird well went were wet what what's when where wherever
which while white who who's whole why wicked wide wild willing winner winning with within without woke wonderful
wondering working worried worse worst would writing wrong yawning year years yellow yes yesterday yet you young
younger your yours yourself yummy zero monday tuesday wednesday thursday friday saturday sunday january february march
november december october september english chinese american indonesian japanese german french spanish christian
muslim robot baby cat dog bear lion tiger dragon dinosaur superhero spiderman batman superman astronaut cowboy ninja
witch wizard fairy mermaid unicorn ghost zombie driver nurse pilot adult grownup toddler teenager orphan twin daughter
son aunt uncle cousin neighbor neighbour boss leader chef dancer singer player hundred million kinda sorta tryna
finally currently basically literally honestly seriously definitely simply mostly truly fully easily badly let's lets
can't don't what're won't didn't wasn't aren't call called name's ecstatic frantic energetic artistic athletic
optimistic livid rotten awkward absurd eager elated envious faint fierce frail fresh furry fuzzy giddy gifted glum
greedy groggy gloomy grouchy hideous hoarse hurried icky intense joyful lonesome loyal lousy mellow messy miffed
modest moody nasty noble numb nuts odd peckish petty picky plump pouty puzzled quirky ragged random raw reckless
restless rough rude salty sassy savage scruffy selfish shaky sharp shattered shiny shook sincere slender slim sloppy
smelly smug sneaky snug solid sour spent spicy spooky stable stoked stressed strict stubborn stunned sulky swift
tearful tense thick thin ticklish tiny touched tremendous twisted uneasy upbeat uptight vain vexed violent vital weary
wealthy weepy wiped wise witty woozy worn worthy zealous bilingual bald bonkers broke dumb dull dope feverish fluffy
foggy forgetful flexible floored gassy gutted hyper hooked homeless hopeless hopeful immortal impatient invisible
independent irritated itching jet jumpy lactose left-handed mature mighty mischievous nauseous naive neutral nosy
open-minded outraged out-of-breath overwhelmed pathetic patient persistent pessimistic petite pumped queasy rad
realistic responsible retired rested romantic ruined sarcastic scarred sensitive shaken skeptical sleepless
sophisticated speechless spoiled startled sunburnt sunburned swamped tentative terrific thoughtful timid tongue-tied
tipsy tolerant toasted tops trustworthy unemployed unstoppable unwell unbeatable urgent useful vulnerable wasted
weightless well-behaved wonky wrecked yucky zen zonked done-for sweetheart darling honeybun poop poopy butt potato
banana apple pizza chicken pig monkey bunny rabbit horse puppy kitty kitten penguin elephant giraffe dolphin shark
duck frog spider bee butterfly snake moon sun rain snow rainbow flower tree car train truck rocket elsa spongebob
pikachu peppa mickey santa goku ironman hulk pm ah aha ahem oops wow yeah yep yup nope nah whoa ouch yay er uh um eh
huh mhm ugh phew hooray bye cheers
second strange cranky alert dark evil humble cheeky senior problem sticky torn loose clear complete nerdy needy secure
vague insane abroad tame wacky forgotten insecure serene speedy stolen beaten unfit unknown dreamy phony panicky perky
"""
_ENGLISH_AFTER_IM = """
angel art candy champion chance chip cherry earnest frank gay ginger hero honey jolly justice max merry patience rich
rocky rusty sage sandy star stormy sunny sunshine victor winner woody
"""
_INDONESIAN = """
ada agak akan aku aman anak ayah bagus bahagia baik baru basah belum benar berani berapa bersih besar biasa bingung
bisa bohong bosan buka bukan butuh cantik capek capai cemas cuma cukup dan dari datang dekat demam di dia dingin duduk
gak ganteng gembira gemuk gila guru haus hanya harus hebat heran ibu ikut ingat ingin ini itu jadi jago jalan janji
jatuh jelek jenuh juga jujur kaget kakak kalah kamu kangen kaya kecewa kecil kedinginan kelaparan kenyang kepanasan
keren kesal kesepian ke ketiga kira kita kuat kurang lagi lagian lagunya lahir laki lama lapar lebih lelah lemah lucu
lupa main makan malas malu mandi mana marah masih mau melihat memang mengantuk ngantuk mengerti menang mencari
menangis menunggu merasa mimpi minta minum mohon muda mual mulai murid nakal nanti ngerti nggak enggak ga oke orang
pacar panas panik papa mama patah pelajar penasaran pengen pengin percaya pergi perlu pernah pintar pulang punya
pusing rajin ramah rindu sabar sakit salah sama sampai sangat sayang sebal sedang sedih sehat selalu selesai senang
sendiri sendirian serius setuju siap siapa sibuk sini situ sudah udah suka sulit takut tahu tau tanya terlalu tersesat
tertawa tetap tidak tidur tinggal tinggi tua tunggu yakin yang satu dua tiga empat lima enam tujuh delapan sembilan
sepuluh tamu apa kenapa bagaimana dokter polisi robot raja ratu putri pangeran laki-laki perempuan cowok cewek adik
nenek kakek om tante bapak cinta dengar lihat rasa pikir bilang cerita nyanyi belajar bekerja kerja sekolah rumah
"""
_CHINESE_STARTS = (
    "你您他她它咱什不没谁哪怎这那一二三四五六七八九十百个大小很好真太最更也都就又再还从在到去来有是的了吗呢"
)
_CHINESE = """
学生 老师 医生 警察 男孩 女孩 男生 女生 男的 女的 中国人 外国人 日本人 美国人 北京人 上海人
孩子 小孩 小孩子 宝宝 大人 妈妈 爸爸 爷爷 奶奶 外公 外婆 哥哥 姐姐 弟弟 妹妹 叔叔 阿姨 朋友
客人 主人 司机 公主 王子 国王 女王 超人 冠军 第一 认真 对的 错的 真的 假的 开玩笑 独生子
双胞胎 你爸爸 说 想 问 为了 因为 怕 觉得 喜欢 要 会 能 可以 应该 不是 不想 自己 人 机器人
高兴 开心 难过 饿了 渴了 累了 困了 恐龙 老虎 狮子 兔子 小狗 小猫 坏人 好人 胆小鬼 安全 安静
自由 无聊 无所谓 故意 高中生 初中生 高个子 马上 马来人 温柔 白痴 石头 熊猫 毛毛虫 牛奶 金鱼
雷神 万一 常常 康复 方形 江南人 安慰 成心 方向盘 史上 任何 单独 小学生 大学生 程序员 农民
工人 军人 素食者 单身 全家 周末 明天 今天 昨天 黄色 白色 红色 蓝色 黑色 金色 方便 成功
成年人
"""
_SURNAMES = """
王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高梁郑罗宋谢唐韩曹许邓萧冯曾程蔡彭潘袁于董余苏叶吕魏蒋田杜丁沈姜范江傅钟卢汪
戴崔任陆廖姚方金邱夏谭韦贾邹石熊孟秦阎薛侯雷白龙段郝孔邵史毛常万顾赖武康贺严尹钱施牛洪龚安汤陶黎温莫易樊乔文庄殷
颜倪章鲁齐伍葛岳祝柳尚凌欧盛童游邢裴柯聂鲍申靳闻娜艾伊丽凯露玛
"""
_JAPANESE = """
トイレ ジュース パン ケーキ バス ゲーム テレビ アニメ ピンク アイス カレー ラーメン ハンバーグ
ピザ サッカー テニス ピアノ ダンス プール スイミング クッキー チョコ チョコレート バナナ リンゴ
りんご イチゴ メロン ブドウ トマト オレンジ ブルー グリーン レッド ライオン ゾウ キリン パンダ
ウサギ イヌ ネコ クマ ロボット プリン ゼリー ミルク コーヒー ジャム サンドイッチ スパゲッティ
オーケー ダメ イヤ ホント ウソ バカ ヒマ キライ スキ オモチャ ボール タクシー トラック パトカー
ロケット ヘリコプター カード マンガ クイズ クリスマス サンタ ママ パパ バイト パソコン スマホ
ギター ドラム ポケモン ドラえもん アメリカ イギリス フランス ドイツ インドネシア ハワイ トラ サル
ペンギン イルカ サメ カエル ヘビ オムライス ハンバーガー ポテト コーラ サラダ スープ シール
ブロック パズル プレゼント パーティー テスト ノート ランドセル ママ友 ゼロ オッケー ラッキー
サイコー
"""

NEVER: dict[Language, frozenset[str]] = {
    "en": frozenset(_ENGLISH.split()),
    "id": frozenset(_INDONESIAN.split()),
    "zh": frozenset(_CHINESE.split()),
    "ja": frozenset(_JAPANESE.split()),
}
"""Never a name, whatever stands before it."""

NOT_AFTER_IM: frozenset[str] = frozenset(_ENGLISH_AFTER_IM.split())
"""English words that are names as well, but seldom are one after "i'm"."""

NO_CHINESE_NAME = frozenset(_CHINESE_STARTS)
"""What no Chinese name begins with."""

SURNAMES = frozenset("".join(_SURNAMES.split()))
"""What a Chinese name begins with, and the first signs of common transliterations."""
