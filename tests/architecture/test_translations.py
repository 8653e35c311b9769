"""Every text is in the catalogue, in German and Chinese, with its placeholders; the compiled catalogue is fresh."""

import gettext
import io
import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "control_plane/translations"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


@pytest.fixture(scope="module")
def texts():
    with (ROOT / "babel.cfg").open() as file:
        mapping, options = parse_mapping_cfg(file)
    found = extract_from_dir(str(ROOT), mapping, options)
    return {message for _, _, message, _, _ in found}


def catalogue(language):
    with (FOLDER / language / "LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file, locale=language)


@pytest.mark.parametrize("language", ["de", "zh"])
def test_each_text_is_translated(texts, language):
    known = {message.id: message for message in catalogue(language) if message.id}
    flat = {text if isinstance(text, str) else tuple(text) for text in texts}
    assert flat - set(known) == set(), "run `make translations` and translate what is new"
    assert set(known) - flat == set(), "run `make translations`: these are gone from the sources"
    assert [m.id for m in known.values() if m.fuzzy] == []
    empty = [m.id for m in known.values() if not all(m.string if isinstance(m.string, tuple) else [m.string])]
    assert empty == []


@pytest.mark.parametrize("language", ["de", "zh"])
def test_placeholders_survive(language):
    for message in catalogue(language):
        if not message.id or isinstance(message.id, tuple):
            continue
        assert set(PLACEHOLDER.findall(message.id)) == set(PLACEHOLDER.findall(message.string)), message.id


@pytest.mark.parametrize("language", ["de", "zh"])
def test_the_compiled_catalogue_is_fresh(language):
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    with (FOLDER / language / "LC_MESSAGES/messages.mo").open("rb") as file:
        kept = gettext.GNUTranslations(file)
    wanted = gettext.GNUTranslations(compiled)
    assert {k: v for k, v in kept._catalog.items() if k} == {k: v for k, v in wanted._catalog.items() if k}
