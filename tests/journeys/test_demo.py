"""The shipped case on the real model, as `make demo` runs it: the slowest test, and the one that says most."""

from place import Place


def test_the_demo_ends_with_a_better_model_and_a_second_run_reuses_it(tmp_path):
    place = Place(tmp_path / "demo")
    first = place.tunesmith("demo", "--data", str(place.folder))
    assert "Verdict: better" in first
    assert "used again" not in first
    second = place.tunesmith("demo", "--data", str(place.folder))
    assert "Verdict: better" in second
    assert second.count("used again") >= 4
    assert place.trainers() == []
