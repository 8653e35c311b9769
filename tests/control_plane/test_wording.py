import pytest

from control_plane import wording


@pytest.mark.parametrize(
    ("languages", "locale"),
    [("de-AT,de;q=0.9,en;q=0.8", "de"), ("zh_Hans_CN", "zh"), ("fr,en-GB", "en"), ("", "en"), ("fr", "en")],
)
def test_the_best_of_our_locales_is_taken(languages, locale):
    assert wording.locale_of(languages) == locale


def test_bytes_are_said_in_a_unit_people_read():
    assert "1.5 GiB" in wording.say("disk_full", {"needed": 3 * 2**29, "free": 0}, "en")


def test_a_foreign_code_is_said_with_its_own_text():
    assert wording.say("some_method_code", {"text": "The sky is too high."}, "de") == "The sky is too high."


def test_a_missing_parameter_never_hides_the_sentence():
    assert wording.say("method_unknown", {}, "en") == "There is no method “{method}”."
