"""The molecule that the answer writes as SMILES is the expected one, however it is spelled.

RDKit reads both and writes each in its canonical spelling. What a model writes is read by native code without a time
limit, so its length is limited instead.
"""

from typing import Any

from kit import checking
from kit.checking import Case, Check, Found, found

LONGEST = 400  # characters of a SMILES; natural products of a hundred atoms need fewer
IS_MOLECULE, ALIKE = 0.1, 0.3  # for a molecule at all; for how alike it is to the right one
RADIUS, BITS = 2, 2048  # of the fingerprints that tell how alike (Morgan, as ECFP4)


def make(field: str = "", strict: bool = False) -> Check:
    """1 for the same molecule, stereo signs included; without `strict` a part for one that is like it (Tanimoto).

    `field` is the dotted path of the SMILES in a JSON answer; "": the whole answer is the SMILES.
    """
    from rdkit import Chem, DataStructs, rdBase
    from rdkit.Chem import rdFingerprintGenerator

    prints = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)

    def molecule(text: str) -> Any:
        """The molecule of a SMILES, or None."""
        if not text or len(text) > LONGEST or not text.isascii() or any(map(str.isspace, text)) or "\0" in text:
            return None
        with rdBase.BlockLogs():
            return Chem.MolFromSmiles(text)

    def check(answer: str, case: Case) -> Found:
        wanted = molecule(_smiles(case.expected, field))
        if wanted is None:
            return found(0, "reference_no_molecule")
        given = molecule(_smiles(answer, field))
        if given is None:
            return found(0, "no_molecule")
        if Chem.MolToSmiles(given) == Chem.MolToSmiles(wanted):
            return found(1, "molecule_right")
        like = DataStructs.TanimotoSimilarity(prints.GetFingerprint(given), prints.GetFingerprint(wanted))
        return found(0 if strict else IS_MOLECULE + ALIKE * like, "molecule_other", percent=round(100 * like))

    return check


def _smiles(text: str, field: str) -> str:
    if not field:
        return text.strip()
    try:
        value = checking.field_of(text, field)
    except (ValueError, LookupError):
        return ""
    return value.strip() if isinstance(value, str) else ""
