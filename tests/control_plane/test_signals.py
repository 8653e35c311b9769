import threading

from control_plane.signals import LocalSignals


def test_a_wake_between_looking_and_waiting_is_not_missed():
    signals = LocalSignals()
    seen = {"job:1": signals.version("job:1")}
    signals.wake("job:1")
    assert signals.wait(frozenset({"job:1"}), seen, seconds=0) == {"job:1": 2}


def test_a_waiting_thread_is_woken():
    signals, woken = LocalSignals(), []
    thread = threading.Thread(target=lambda: woken.append(signals.wait(frozenset({"fleet"}), {"fleet": 1}, 30)))
    thread.start()
    signals.wake("fleet")
    thread.join(timeout=30)
    assert woken == [{"fleet": 2}]


def test_a_callback_ends_with_its_subscription():
    signals, heard = LocalSignals(), []
    unsubscribe = signals.subscribe(["machine:a"], heard.append)
    signals.wake("machine:a", "machine:b")
    unsubscribe()
    signals.wake("machine:a")
    assert heard == ["machine:a"]
