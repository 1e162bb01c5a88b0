"""First names that many people have: after a bare "i'm" or "aku", only these are taken for a name. Pure data.

Who has another name says "my name is ...", or greets first; once known, a name is understood in every form.
"""

from __future__ import annotations

from companion.languages.language import Code as Language
from companion.mind.memory.name_words import NEVER

_EUROPEAN = """
aaliyah aaron abby abdul abigail abraham ada adam addison adele adrian adriana agnes ahmed aidan aiden aisha alan
albert alejandra alejandro alex alexa alexander alexandra alexandria alexis alfie alfred ali alice alicia alina alison
allison alma alyssa amalia amanda amara amber amelia amelie amina amir amy ana anastasia andre andrea andreas andres
andrew andy angel angela angelica angelina angelo anita anja ann anna annabel anne annie anthony antonia antonio anton
anya aria ariana arianna ariel arnold arthur arturo asher ashley astrid audrey aurora austin ava avery axel ayesha
bailey barbara barry bart beatrice beatriz bella ben benedict benjamin benji bernard beth betty bianca bill billy
björn blake bob bobby brad bradley brandon breanna brenda brendan brent brian brianna bridget brittany brody brooke
brooklyn bruce bruno bryan bryce caleb callum calvin cameron camila camille carl carla carlos carmen carol carolina
caroline carrie carson carter casey cassandra cassie catalina catherine cathy cecilia celeste celine cesar charles
charlie charlotte chase chelsea chloe chris christian christina christine christoph christopher cindy claire clara
clark claudia clayton clement cody colin colton connie connor conor cooper cora corey courtney craig cristina crystal
curtis cynthia daisy dalton damian damien dan dana daniel daniela danielle danny daphne dario darius darren dave david
dawn dean deborah debbie declan delia denise dennis derek destiny devin diana diane diego dimitri dina dominic dominik
don donald donna donovan dora doris dorothy doug douglas duncan dustin dylan earl eddie eden edgar edith edmund
eduardo edward edwin eileen elaine eleanor elena eli elias elijah elisa elise eliza elizabeth ella ellen ellie elliot
elliott eloise elsie emil emilia emilio emily emma emmanuel emmett enrique eric erica erik erika erin ernesto esme
esteban esther ethan eugene eva evan eve evelyn evie ezra fabian faith fatima felicia felicity felipe felix fernanda
fernando fiona flora florence francesca francesco francis francisco frank frankie franz fred freddie frederick freya
frida gabe gabriel gabriela gabriella gabrielle gary gavin gemma george georgia georgina gerald giada gianna gina
ginny giovanni giulia gloria gordon grace gracie graham greg gregory greta guido gustav gwen hailey haley hamza hana
hank hannah hans harold harper harriet harris harrison harry harvey hassan hazel heath heather hector heidi helen
helena henri henrik henry herbert holly hope howard hugh hugo hunter ian ibrahim ida ignacio igor ike ines ingrid iris
irene irina isaac isabel isabella isabelle isaiah isla ismail ivan ivy jack jackie jackson jacob jacqueline jade jaden
jaime jake jamal james jamie jan jana jane janet janice jared jasmine jason jasper javier jay jayden jean jeff jeffrey
jen jenna jennifer jenny jeremiah jeremy jerome jerry jesse jessica jessie jim jimmy joan joanna joanne joe joel joey
johan johannes john johnny jon jonah jonas jonathan jordan jorge jose josef joseph josephine josh joshua josie joy
joyce juan juana judith judy julia julian juliana julie juliet julius june jürgen justin justine kai karen karim karin
karina karl karla kasper kat kate katelyn katherine kathleen kathy katie katrin kaitlyn kayla keith kelly kelsey ken
kendall kennedy kenneth kevin khadija khaled kiara kim kimberly kirsten klaus kristen kristina kurt kyle kylie lana
lance lara larry lars laura lauren laurie layla lea leah leila lena leo leon leonard leonardo leonie leslie levi lewis
liam lila lilian liliana lillian lilly lily lina linda lindsay lindsey lisa liz lizzie logan lola lorena lorenzo lotte
lotta louis louisa louise luca lucas lucia luciana lucy luis luisa lukas luke luna lydia lynn mabel mackenzie maddie
madeleine madeline madison mae maggie magnus maia maja malcolm malik manuel manuela marc marcel marco marcos marcus
margaret margarita maria mariah mariam marian mariana marie marina mario marion marisol marissa mark marlene marta
martha martin martina marty mary mason mateo matilda matt matteo matthew matthias maurice mauricio max maxim
maximilian maxine maxwell may maya megan mehmet mei mel melanie melinda melissa melody mia micah michael michaela
michelle miguel mika mike mikhail mila milan miles millie milo mimi mina miranda miriam mohamed mohammed moira molly
monica monika morgan moritz moses muhammad mustafa mya myra nadia nadine nancy naomi nate natalia natalie natasha
nathan nathaniel ned neil nell nellie nia nicholas nick nicky nico nicola nicolas nicole niklas nikki nikita nikolai
nils nina noah noel noelle noemi nolan nora norah norman olga oliver olivia olivier ollie omar oscar oskar otis otto
owen pablo paige pam pamela paola paolo parker pascal pat patricia patrick paul paula paulina pauline pedro peggy
penelope penny percy perry pete peter petra peyton phil philip philipp phillip phoebe pia pierre piper polly poppy
priya quentin quinn rachel rafael rafi rahim raj ralph ramon raquel raul ravi ray raymond rebecca regina reggie remi
renata rene reuben rex ricardo richard rick ricky riley rita rob robbie robert roberta roberto robin rocco rodrigo
roger roland roman romeo ron ronald ronnie rory rosa rosalie rose rosie ross roxy roy ruben ruby rudi rudy rupert
russell ruth ryan rylee sabine sabrina sadie sally salma salvador sam samantha samir sammy samuel sandra santiago sara
sarah sasha saul savannah scarlett scott sean sebastian selena selina serena sergei sergio seth shane shannon sharon
shaun shawn sheila shelby shelly sidney sienna sierra silas silvia simon simone skyler sofia sofie sonia sonja sophia
sophie spencer stacy stan stanley stefan stefanie stella stephan stephanie stephen steve steven stevie stuart sue
summer susan susanna susie suzanne svenja sven sydney sylvia tabitha tamara tania tanner tanya tara tariq taylor ted
teddy terence teresa terry tess tessa thea theo theodore theresa thomas tiffany tilly tim timothy tina tobi tobias
toby todd tom tomas tommy toni tony tracy travis trevor tristan trudy tyler ulrich ursula valentina valentino valeria
valerie vanessa vera vernon veronica vicky victor victoria vincent viola violet virginia vivian vladimir wade walter
wanda warren wayne wendy wesley wilhelm will willa william willie willow wilma winston wyatt xander xavier yara yasmin
yasmine yolanda yuri yusuf yvette yvonne zac zach zachary zack zahra zane zara zeke zelda zoe zoey zoya anne-marie
anna-lena mary-ann
"""
_INDONESIAN = """
abdul ade adi adinda aditya agung agus ahmad aisyah ajeng akbar alfian ali alya amalia amelia amir ana andi andika
anggi anggun anisa anita annisa anton ari arif arya asep aulia ayu bagas bagus bambang bayu bella bima budi cahya
candra citra clara cinta damar daniel dedi desi devi dewa dewi dian dika dimas dina dini dita doni dwi edi eka eko
elsa endang erik erna fadil fajar farah farhan fatimah febri fikri firman fitri galang galih gilang gita hadi hafiz
hana handoko hani hari hasan hendra heri ika ilham imam indah indra intan irfan irma ivan iwan jaka jasmine joko joni
kartika kevin kiki laila lestari lia lina linda lukman made maria mawar maya mega melati mira muhammad mutia nabila
nadia nanda nia niko nina nisa novi nur nurul oka olivia pandu pipit pratama putra putri putu rafi rahma rahmat raka
rama rani ratih ratna raya reza rian rika rina rini rio riri risa rizal rizki rizky robi rudi rudy salma salsabila
santi sari satria shinta sinta siti slamet sri steven sulis surya susi syifa tari tasya teguh tika tina tio toni tono
tri udin umar vina wahyu wati wawan wayan widya winda wulan yanti yanto yoga yudi yuli yulia yusuf zahra zaki
"""
_JAPANESE = """
アナ アンナ エマ エミリー エミ エリカ エレナ アリス アリサ アレックス アンディ アダム オリビア
カレン クリス ケイト ケビン サラ サム サリー サンドラ ジェーン ジェニー ジム ジャック ジョン
ジョージ ジュリア ソフィア ソフィー ダニエル ダン デイビッド トム トニー ナオミ ナンシー ニック
ニーナ ハンナ ハナ ピーター ビル フレッド ベン ベティ ボブ ポール マイク マイケル マイ マリア
マリー マーク マックス ミア ミカ ミキ メアリー メイ モニカ ユキ ユミ ユイ ヨシ ライアン ラウラ
リサ リナ リカ リク リリー ルーシー ルナ レオ レナ ローラ ロバート ケン ケンジ タロウ ハナコ
サクラ ヒナ ヒマリ アオイ ソラ ハルト ユウト ユナ モモ ミユ リン レン カイト コウタ ダイキ
ショウタ ユウキ アキラ ヒロシ
"""

FIRST_NAMES: dict[Language, frozenset[str]] = {
    "en": frozenset(_EUROPEAN.split()),
    # What is a word of the language as well is left out: "aku ada", "aku dan".
    "id": (frozenset(_INDONESIAN.split()) | frozenset(_EUROPEAN.split())) - NEVER["id"],
    "ja": frozenset(_JAPANESE.split()),
}
