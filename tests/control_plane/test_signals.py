import threading
from types import SimpleNamespace

from control_plane.signals import LocalSignals
from patience import PATIENCE


def test_a_wake_between_looking_and_waiting_is_not_missed():
    signals = LocalSignals()
    seen = {"job:1": signals.version("job:1")}
    signals.wake("job:1")
    assert signals.wait(frozenset({"job:1"}), seen, seconds=0) == {"job:1": 2}


def test_a_waiting_thread_is_woken():
    signals, woken = LocalSignals(), []
    thread = threading.Thread(target=lambda: woken.append(signals.wait(frozenset({"fleet"}), {"fleet": 1}, PATIENCE)))
    thread.start()
    signals.wake("fleet")
    thread.join(timeout=PATIENCE)
    assert woken == [{"fleet": 2}]


def test_a_callback_ends_with_its_subscription():
    signals, heard = LocalSignals(), []
    unsubscribe = signals.subscribe(["machine:a"], heard.append)
    signals.wake("machine:a", "machine:b")
    unsubscribe()
    signals.wake("machine:a")
    assert heard == ["machine:a"]


def test_a_wake_runs_nobody_who_waits_on_another_topic(monkeypatch):
    signals, ran, waiting = LocalSignals(), [], threading.Event()

    class Counted(threading.Event):
        def wait(self, timeout=None):
            waiting.set()
            woken = super().wait(timeout)
            ran.append(threading.current_thread().name)
            return woken

    monkeypatch.setattr("control_plane.signals.threading", SimpleNamespace(Event=Counted, Lock=threading.Lock))
    thread = threading.Thread(target=lambda: signals.wait(frozenset({"job:2"}), {}, PATIENCE), name="of job:2")
    thread.start()
    assert waiting.wait(PATIENCE)
    for _ in range(100):
        signals.wake("job:1")
    assert not ran
    signals.wake("job:2")
    thread.join(timeout=PATIENCE)
    assert ran == ["of job:2"]


def test_what_is_woken_after_a_moment_is_beyond_it():
    signals, topics = LocalSignals(), ("job:1", "job:2", "job:3")
    signals.wake("job:1", "job:2")
    moment = signals.moment()
    signals.wake("job:2")
    seen = signals.seen_at(moment, topics)
    assert [seen[topic] == signals.version(topic) for topic in topics] == [True, False, True]
    assert signals.wait(frozenset(topics), seen, seconds=PATIENCE)["job:2"] == signals.version("job:2")


def test_a_moment_of_another_process_has_seen_nothing():
    signals = LocalSignals()
    for moment in (LocalSignals().moment(), "", "x", signals.moment() + "٣", signals.moment() + "9" * 30):
        assert signals.seen_at(moment, ["fleet"])["fleet"] < signals.version("fleet")
