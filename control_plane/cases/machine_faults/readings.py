"""What the sample rows say in German and Chinese: for people who judge them, never for a model.

Each table stands in the order of the English one in generate.py, so that a row, whose choices are places in those
tables, can be said in each language. German parts carry their articles; machines stand as names, without one.
"""

PARTS = {
    "de": {
        "bearing": "das Lager", "motor": "der Motor", "belt": "der Riemen", "valve": "das Ventil",
        "sensor": "der Sensor", "gearbox": "das Getriebe", "seal": "die Dichtung", "hose": "der Schlauch",
        "filter": "der Filter", "cable": "das Kabel",
    },
    "zh": {
        "bearing": "轴承", "motor": "电机", "belt": "皮带", "valve": "阀门", "sensor": "传感器",
        "gearbox": "齿轮箱", "seal": "密封件", "hose": "软管", "filter": "过滤器", "cable": "电缆",
    },
}  # fmt: skip
MACHINES = {
    "de": {
        "conveyor": "Förderband", "press": "Presse", "lathe": "Drehbank", "pump": "Pumpe", "compressor": "Kompressor",
        "robot": "Roboter", "mill": "Fräse", "furnace": "Ofen", "packer": "Packmaschine", "crane": "Kran",
    },
    "zh": {
        "conveyor": "输送带", "press": "压力机", "lathe": "车床", "pump": "泵", "compressor": "压缩机",
        "robot": "机器人", "mill": "铣床", "furnace": "炉", "packer": "包装机", "crane": "起重机",
    },
}  # fmt: skip
NUMBERED = {"de": "{machine} {number}", "zh": "{number} 号{machine}"}

# fault → (wordings in training, wordings in the test part)
FAULTS = {
    "de": {
        "overheating": (
            ("läuft viel zu heiß", "wird nach wenigen Minuten heiß", "überhitzt unter Last", "ist heiß"),
            ("ist zu heiß zum Anfassen", "überhitzt seit heute Morgen immer wieder"),
        ),
        "leak": (
            ("verliert Öl", "tropft auf den Boden", "hat ein Leck", "verliert Flüssigkeit"),
            ("leckt bei jedem Anfahren", "verliert Öl, es gibt ein Leck"),
        ),
        "vibration": (
            ("vibriert heftig", "rüttelt bei voller Drehzahl", "zeigt eine starke Vibration", "vibriert"),
            ("vibriert seit Kurzem stark", "zeigt heute heftige Vibrationen"),
        ),
        "noise": (
            ("macht ein mahlendes Geräusch", "quietscht laut", "ist ungewöhnlich laut", "klingt sehr laut"),
            ("macht beim Drehen ein lautes Geräusch", "ist sehr laut geworden"),
        ),
        "wear": (
            ("ist verschlissen", "zeigt starken Verschleiß", "ist auf einer Seite abgenutzt", "hat sich abgenutzt"),
            ("sieht stark abgenutzt aus", "zeigt rundum sichtbaren Verschleiß"),
        ),
        "blockage": (
            ("ist blockiert", "ist mit Staub verstopft", "hat eine Verstopfung", "sitzt voller Schmutz fest"),
            ("scheint völlig blockiert zu sein", "ist wieder verstopft"),
        ),
        "no_power": (
            ("hat keinen Strom", "bekommt keinen Strom", "hat den Strom verloren", "ist tot, kein Strom"),
            ("ist ohne Strom", "bekommt gar keinen Strom"),
        ),
        "misalignment": (
            ("ist nicht mehr ausgerichtet", "ist falsch ausgerichtet", "läuft außermittig", "muss ausgerichtet werden"),
            ("ist aus der Flucht gerutscht", "sieht für mich falsch ausgerichtet aus"),
        ),
    },
    "zh": {
        "overheating": (
            ("运行时温度过高", "几分钟后就发热", "负载下过热", "很烫"),
            ("烫得不能触摸", "从早上开始一直过热"),
        ),
        "leak": (("在漏油", "滴漏到地面", "有泄漏", "在漏液"), ("每次启动都会泄漏", "在漏油，有泄漏")),
        "vibration": (
            ("振动得厉害", "全速时抖动", "有强烈振动", "在振动"),
            ("开始剧烈振动", "今天出现强烈振动"),
        ),
        "noise": (
            ("发出摩擦噪声", "发出刺耳的尖叫声", "噪声异常大", "声音很大"),
            ("转动时发出很大的噪声", "变得非常吵"),
        ),
        "wear": (
            ("已经磨损", "磨损严重", "一侧磨损", "已经磨薄"),
            ("看起来磨损严重", "四周都有明显磨损"),
        ),
        "blockage": (
            ("堵住了", "被灰尘堵塞", "有堵塞", "被污物卡住"),
            ("似乎完全堵塞", "又堵塞了"),
        ),
        "no_power": (
            ("没有电", "接不到电", "断电了", "不动了，没有电"),
            ("处于断电状态", "完全没有供电"),
        ),
        "misalignment": (
            ("没有对正", "安装偏斜", "运转偏心", "需要校正"),
            ("已经偏移，没有对正", "我看是偏斜了"),
        ),
    },
}
PRIORITIES = {
    "de": {
        "high": (
            (
                "Das ist dringend.",
                "Die Linie steht, bitte kommen Sie sofort.",
                "Dringend, die Produktion steht.",
                "Wir mussten die Linie anhalten.",
            ),
            ("Dringend, die Linie steht.", "Bitte kommen Sie sofort, die Produktion steht."),
        ),
        "medium": (
            (
                "Bitte reparieren Sie das diese Woche.",
                "Bis dahin können wir mit halber Geschwindigkeit fahren.",
                "Eine Reparatur im Laufe dieser Woche genügt.",
                "Wir fahren jetzt mit halber Geschwindigkeit.",
            ),
            ("Eine Reparatur diese Woche wäre gut.", "Im Moment fahren wir mit halber Geschwindigkeit."),
        ),
        "low": (
            (
                "Keine Eile.",
                "Das kann bis zur nächsten Wartung warten.",
                "Es eilt überhaupt nicht.",
                "Bitte erledigen Sie das bei der nächsten geplanten Wartung.",
            ),
            ("Damit eilt es nicht.", "Die nächste geplante Wartung ist früh genug."),
        ),
    },
    "zh": {
        "high": (
            ("情况紧急。", "生产线停了，请马上来。", "紧急，生产已停止。", "我们不得不停下生产线。"),
            ("紧急，生产线停了。", "请马上来，生产已停止。"),
        ),
        "medium": (
            ("请在本周内修好。", "在此之前我们可以半速运行。", "本周内修好即可。", "我们现在半速运行。"),
            ("最好本周修理。", "目前我们半速运行。"),
        ),
        "low": (
            ("不着急。", "可以等到下次保养。", "一点也不着急。", "请在下次计划保养时处理。"),
            ("这件事不急。", "下次计划保养时处理就够早了。"),
        ),
    },
}
# (training, test); {Part} begins a sentence
PATTERNS = {
    "de": (
        (
            "{Part} an {machine} {fault}. {priority}",
            "{machine}: {part} {fault}. {priority}",
            "Hallo, an {machine}: {part} {fault}. {priority}",
            "{priority} {Part} an {machine} {fault}.",
            "Meldung der Nachtschicht: {machine}, {part} {fault}. {priority}",
            "Ich habe {machine} geprüft und festgestellt: {part} {fault}. {priority}",
        ),
        (
            "Wir haben ein Problem mit {machine}. {Part} {fault}. {priority}",
            "Guten Morgen, {part} in {machine} {fault}. {priority}",
            "{priority} Es ist wieder {machine}: {part} {fault}.",
            "Bitte sehen Sie sich {machine} an, denn {part} {fault}. {priority}",
        ),
    ),
    "zh": (
        (
            "{machine}的{part}{fault}。{priority}",
            "{machine}：{part}{fault}。{priority}",
            "您好，{machine}上的{part}{fault}。{priority}",
            "{priority}{machine}上的{part}{fault}。",
            "夜班报告：{machine}，{part}{fault}。{priority}",
            "我检查了{machine}，发现{part}{fault}。{priority}",
        ),
        (
            "{machine}有问题。它的{part}{fault}。{priority}",
            "早上好，{machine}里的{part}{fault}。{priority}",
            "{priority}又是{machine}：{part}{fault}。",
            "请看一下{machine}，因为{part}{fault}。{priority}",
        ),
    ),
}
QUESTION = {"de": "Machen Sie aus dieser Meldung einen JSON-Eintrag: ", "zh": "把这份报告转换成 JSON 记录："}
RECORD = {
    "de": "Maschine: {machine} · Teil: {part} · Störung: {fault} · Dringlichkeit: {priority}",
    "zh": "机器：{machine} · 部件：{part} · 故障：{fault} · 优先级：{priority}",
}
CODES = {
    "de": {
        "overheating": "Überhitzung", "leak": "Leck", "vibration": "Vibration", "noise": "Geräusch",
        "wear": "Verschleiß", "blockage": "Verstopfung", "no_power": "kein Strom", "misalignment": "Fehlausrichtung",
        "high": "hoch", "medium": "mittel", "low": "niedrig",
    },
    "zh": {
        "overheating": "过热", "leak": "泄漏", "vibration": "振动", "noise": "噪声", "wear": "磨损",
        "blockage": "堵塞", "no_power": "断电", "misalignment": "未对正", "high": "高", "medium": "中", "low": "低",
    },
}  # fmt: skip
LOCALES = ("de", "zh")
