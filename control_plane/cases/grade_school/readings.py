"""What the sample rows say in German and Chinese: for people who judge them, never for a model.

Each table stands in the order of the English one in generate.py.
"""

THINGS = {
    "de": (("Äpfel", "Murmeln", "Aufkleber", "Karten", "Muscheln"), ("Stifte", "Briefmarken", "Nüsse")),
    "zh": (("苹果", "弹珠", "贴纸", "卡片", "贝壳"), ("钢笔", "邮票", "坚果")),
}
# kind → (training, test)
SENTENCES = {
    "de": (
        (
            (
                "{name} hat {a} {things} und bekommt {b} dazu. Wie viele {things} hat {name} jetzt?",
                "Auf dem Tisch liegen {a} {things} und in der Schachtel {b} {things}. Wie viele {things} sind es "
                "insgesamt?",
            ),
            ("{name} hat am Montag {a} {things} gefunden und am Dienstag {b}. Wie viele {things} sind das zusammen?",),
        ),
        (
            (
                "{name} hat {a} {things} und verschenkt {b}. Wie viele {things} bleiben übrig?",
                "Von {a} {things} verliert {name} {b}. Wie viele {things} sind noch da?",
            ),
            ("{name} hatte {a} {things}. Jetzt sind {b} davon weg. Wie viele {things} hat {name} noch?",),
        ),
        (
            (
                "{name} hat {a} Beutel mit je {b} {things}. Wie viele {things} hat {name}?",
                "In eine Schachtel passen {b} {things}. Wie viele {things} sind in {a} Schachteln?",
            ),
            ("Da sind {a} Reihen mit je {b} {things}. Wie viele {things} zählt {name}?",),
        ),
        (
            (
                "{name} verteilt {a} {things} gleichmäßig an {b} Kinder. Wie viele {things} bekommt jedes Kind?",
                "{a} {things} kommen zu gleichen Teilen in {b} Beutel. Wie viele {things} sind in einem Beutel?",
            ),
            ("{b} Freunde teilen {a} {things} gerecht auf. Wie viele {things} bekommt jeder?",),
        ),
    ),
    "zh": (
        (
            (
                "{name} 有 {a} 个{things}，又得到 {b} 个。{name} 现在有多少个{things}？",
                "桌上有 {a} 个{things}，盒子里有 {b} 个{things}。一共有多少个{things}？",
            ),
            ("{name} 星期一找到 {a} 个{things}，星期二找到 {b} 个。一共是多少个{things}？",),
        ),
        (
            (
                "{name} 有 {a} 个{things}，送出 {b} 个。还剩多少个{things}？",
                "{a} 个{things}中，{name} 弄丢了 {b} 个。还剩多少个{things}？",
            ),
            ("{name} 原来有 {a} 个{things}，现在少了 {b} 个。{name} 还有多少个{things}？",),
        ),
        (
            (
                "{name} 有 {a} 袋{things}，每袋 {b} 个。{name} 有多少个{things}？",
                "一个盒子装 {b} 个{things}。{a} 个盒子里有多少个{things}？",
            ),
            ("有 {a} 排{things}，每排 {b} 个。{name} 数出多少个{things}？",),
        ),
        (
            (
                "{name} 把 {a} 个{things}平均分给 {b} 个孩子。每个孩子得到多少个{things}？",
                "把 {a} 个{things}装进 {b} 个袋子，每袋一样多。一个袋子里有多少个{things}？",
            ),
            ("{b} 个朋友平分 {a} 个{things}。每人分到多少个{things}？",),
        ),
    ),
}
QUESTION = {"de": "Antworten Sie mit der Rechnung. ", "zh": "用算式回答。"}
LOCALES = ("de", "zh")
