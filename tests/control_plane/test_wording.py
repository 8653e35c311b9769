import pytest

from control_plane import wording
from control_plane.domain.permissions import PERMISSIONS
from control_plane.domain.terms import TERMS


@pytest.mark.parametrize(
    ("languages", "locale"),
    [("de-AT,de;q=0.9,en;q=0.8", "de"), ("zh_Hans_CN", "zh"), ("fr,en-GB", "en"), ("", "en"), ("fr", "en")],
)
def test_the_best_of_our_locales_is_taken(languages, locale):
    assert wording.locale_of(languages) == locale


def test_bytes_are_said_in_a_unit_people_read():
    assert "1.5 GiB" in wording.say("disk_full", {"needed": 3 * 2**29, "free": 0}, "en")


@pytest.mark.parametrize(
    ("seconds", "said"), [(1.5, "1.5 s"), (90.0, "90 s"), (1800.0, "30 min"), (5400, "90 min"), (86_400.0, "24 h")]
)
def test_a_time_limit_is_said_in_a_unit_people_read(seconds, said):
    assert f"longer than the {said} that" in wording.say("time_limit", {"allowed": seconds}, "en")


def test_a_foreign_code_is_said_with_its_own_text():
    assert wording.say("some_method_code", {"text": "The sky is too high."}, "de") == "The sky is too high."


def test_a_method_is_heard_in_the_readers_language():
    told = {
        "text": {"en": "Step 3 {failed}.", "de": "Schritt {step}, {never!r} {files}"},
        "step": 3,
        "files": ["a", "b"],
    }
    assert wording.say("some_method_code", told, "en") == "Step 3 {failed}."
    assert wording.say("some_method_code", told, "zh") == "Step 3 {failed}."
    assert wording.say("some_method_code", told, "de") == "Schritt 3, {never!r} a, b"
    assert wording.say("method_refused", told, "de").endswith("Schritt 3, {never!r} a, b")


def test_codes_among_the_parameters_become_words():
    given = {"input": "base", "accepted": ["base", "adapter"], "given": "gguf"}
    assert "a base model, a customized model (adapter), not a packaged model (GGUF)" in wording.say(
        "input_unfit", given, "en"
    )
    assert all(permission in TERMS for permission in PERMISSIONS)
    assert "“submit jobs”" in wording.say("denied", {"permission": "job.submit"}, "en")
    assert "fehlgeschlagen" in wording.say("job_over", {"state": "FAILED"}, "de")
    assert wording.say("job_over", {"state": {"odd": 1}}, "en").endswith("({'odd': 1}).")


def test_a_missing_parameter_never_hides_the_sentence():
    assert wording.say("method_unknown", {}, "en") == "There is no method “{method}”."
