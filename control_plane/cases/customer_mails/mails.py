"""What customers write, by language: of each thing (wordings in training, wordings in the test part)."""

BETWEEN = {"en": " ", "de": " ", "zh": ""}

GREETINGS = {
    "en": (("Hello!", "Hi!", "Dear team!", ""), ("Good morning!", "Good evening!")),
    "de": (("Hallo!", "Guten Tag!", "Liebes Team!", ""), ("Guten Morgen!", "Moin!")),
    "zh": (("您好，", "你好，", "客服您好，", ""), ("早上好，", "晚上好，")),
}
NUMBERS = {
    "en": (
        ("My order number is {number}.", "Order {number}.", "It is about order {number}."),
        ("You find it under order no. {number}.", "The order has the number {number}."),
    ),
    "de": (
        ("Meine Bestellnummer ist {number}.", "Bestellung {number}.", "Es geht um die Bestellung {number}."),
        ("Sie finden alles unter Bestell-Nr. {number}.", "Die Bestellung hat die Nummer {number}."),
    ),
    "zh": (
        ("我的订单号是 {number}。", "订单 {number}。", "订单编号：{number}。"),
        ("订单号码为 {number}。", "是 {number} 号订单。"),
    ),
}
# a mail of no particular urgency says nothing about it
URGENCY = {
    "en": {
        "high": (
            ("This is urgent.", "Please answer today.", "I need it by tomorrow."),
            ("Please reply today, it is urgent.", "It has to be solved by tomorrow."),
        ),
        "normal": ((), ()),
        "low": (
            ("There is no hurry.", "Whenever you have time.", "It is not urgent."),
            ("No need to hurry.", "Take your time, it is not urgent at all."),
        ),
    },
    "de": {
        "high": (
            ("Es ist dringend.", "Bitte antworten Sie noch heute.", "Ich brauche es bis morgen."),
            ("Bitte noch heute melden, es ist dringend.", "Das muss bis morgen geklärt sein."),
        ),
        "normal": ((), ()),
        "low": (
            ("Es eilt nicht.", "Wenn Sie einmal Zeit haben.", "Es ist nicht dringend."),
            ("Lassen Sie sich Zeit, es eilt nicht.", "Das ist überhaupt nicht dringend."),
        ),
    },
    "zh": {
        "high": (
            ("情况紧急。", "请今天回复。", "我明天就要用。"),
            ("很紧急，请今天答复。", "明天之前必须解决。"),
        ),
        "normal": ((), ()),
        "low": (
            ("不着急。", "有空时处理就行。", "这件事不急。"),
            ("一点也不着急。", "不急，有空再说。"),
        ),
    },
}
CONCERNS = {
    "en": {
        "delivery": (
            ("Where is my parcel?", "The delivery has not arrived yet.", "When will my package be delivered?"),
            ("I am still waiting for the parcel to be delivered.", "My package should have arrived on Monday."),
        ),
        "return": (
            ("I would like to return the jacket.", "The shoes are too small, I want to send them back.",
             "How can I return this lamp?"),
            ("The trousers do not fit and I want to return them.", "I am sending the chair back, I do not like it."),
        ),
        "invoice": (
            (
                "I never received an invoice.",
                "The invoice shows the wrong address.",
                "Please send me the invoice again.",
            ),
            ("Could I get a copy of the invoice?", "There is a mistake in my invoice."),
        ),
        "defect": (
            ("The kettle does not switch on any more.", "The screen is cracked.", "The drill broke on the first day."),
            ("The coffee machine is broken and does not switch on.", "One of the glasses arrived cracked."),
        ),
        "cancellation": (
            ("Please cancel my order.", "I want to cancel the order, I ordered twice.",
             "I no longer need it, please cancel."),
            ("I ordered by mistake, could you cancel that?", "Kindly cancel what I ordered yesterday."),
        ),
        "account": (
            ("I cannot log in to my account.", "I forgot my password.", "My account is locked."),
            ("The shop says that my password is wrong and I cannot log in.", "Please unlock my account."),
        ),
    },
    "de": {
        "delivery": (
            ("Wo bleibt mein Paket?", "Die Lieferung ist noch nicht angekommen.", "Wann wird mein Paket geliefert?"),
            ("Ich warte immer noch auf die Lieferung.", "Das Paket sollte am Montag ankommen."),
        ),
        "return": (
            ("Ich möchte die Jacke zurückgeben.", "Die Schuhe sind zu klein, ich schicke sie zurück.",
             "Wie kann ich die Lampe zurücksenden?"),
            ("Die Hose passt nicht und ich will sie zurückgeben.", "Der Stuhl gefällt mir nicht, er geht zurück."),
        ),
        "invoice": (
            ("Ich habe keine Rechnung bekommen.", "Auf der Rechnung steht die falsche Adresse.",
             "Bitte schicken Sie mir die Rechnung noch einmal."),
            ("Könnte ich eine Kopie der Rechnung haben?", "In meiner Rechnung ist ein Fehler."),
        ),
        "defect": (
            ("Der Wasserkocher geht nicht mehr an.", "Der Bildschirm hat einen Riss.",
             "Die Bohrmaschine war am ersten Tag kaputt."),
            ("Die Kaffeemaschine ist kaputt und geht nicht an.", "Ein Glas kam mit einem Riss an."),
        ),
        "cancellation": (
            ("Bitte stornieren Sie meine Bestellung.", "Ich habe doppelt bestellt und möchte stornieren.",
             "Ich brauche es nicht mehr, bitte stornieren."),
            ("Ich habe aus Versehen bestellt, können Sie das stornieren?",
             "Stornieren Sie bitte, was ich gestern bestellt habe."),
        ),
        "account": (
            ("Ich kann mich nicht in mein Konto einloggen.", "Ich habe mein Passwort vergessen.",
             "Mein Konto ist gesperrt."),
            ("Der Shop sagt, mein Passwort sei falsch, ich kann mich nicht einloggen.",
             "Bitte entsperren Sie mein Konto."),
        ),
    },
    "zh": {
        "delivery": (
            ("我的包裹在哪里？", "快递还没有到。", "包裹什么时候送到？"),
            ("我还在等包裹送到。", "快递本该周一就到。"),
        ),
        "return": (
            ("我想退这件外套。", "鞋子太小，我要退货。", "这盏灯怎么退货？"),
            ("裤子不合身，我要退货。", "椅子我不喜欢，想退。"),
        ),
        "invoice": (
            ("我没有收到发票。", "发票上的地址写错了。", "请把发票再发给我一次。"),
            ("可以给我一份发票副本吗？", "我的发票有错误。"),
        ),
        "defect": (
            ("水壶打不开了。", "屏幕裂了。", "电钻第一天就坏了。"),
            ("咖啡机坏了，打不开。", "有一个杯子到货时就裂了。"),
        ),
        "cancellation": (
            ("请取消我的订单。", "我重复下单了，想取消。", "我不需要了，请取消。"),
            ("我下错单了，能取消吗？", "昨天下的单请帮我取消。"),
        ),
        "account": (
            ("我登录不了账户。", "我忘记密码了。", "我的账户被锁了。"),
            ("商城说密码错误，登录不了。", "请帮我解锁账户。"),
        ),
    },
}  # fmt: skip
