"""Quantities in SI base units, so that 250 nM and 0.25 µM are the same: a table of the units that notes are written in.

A unit is a symbol with an SI prefix where it takes one (`uM`, `µM`, `kPa`), or a word of the table. Molar
concentration and mass concentration are different quantities, as are a temperature and its difference.
"""

_PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
_PREFIXED = {  # symbol → quantity, factor to the base unit
    "M": ("mol/L", 1.0), "mol/L": ("mol/L", 1.0), "mol/l": ("mol/L", 1.0), "mol": ("mol", 1.0),
    "g": ("kg", 1e-3), "g/L": ("kg/m3", 1.0), "g/l": ("kg/m3", 1.0), "g/mL": ("kg/m3", 1e3), "g/ml": ("kg/m3", 1e3),
    "L": ("m3", 1e-3), "l": ("m3", 1e-3),
    "m": ("m", 1.0), "s": ("s", 1.0), "Pa": ("Pa", 1.0), "N": ("N", 1.0), "J": ("J", 1.0), "W": ("W", 1.0),
    "Hz": ("Hz", 1.0), "V": ("V", 1.0), "A": ("A", 1.0), "K": ("K", 1.0), "bar": ("Pa", 1e5),
}  # fmt: skip
_OTHERS = {  # no prefix: symbol → quantity, factor, what is added after it
    "%": ("1", 0.01, 0.0), "cm": ("m", 1e-2, 0.0), "in": ("m", 0.0254, 0.0),
    "min": ("s", 60.0, 0.0), "h": ("s", 3600.0, 0.0), "d": ("s", 86400.0, 0.0),
    "°C": ("K", 1.0, 273.15), "℃": ("K", 1.0, 273.15), "degC": ("K", 1.0, 273.15), "°F": ("K", 5 / 9, 459.67 * 5 / 9),
    "psi": ("Pa", 6894.757293168, 0.0), "ksi": ("Pa", 6894757.293168, 0.0), "atm": ("Pa", 101325.0, 0.0),
    "lbf": ("N", 4.4482216152605, 0.0), "kgf": ("N", 9.80665, 0.0), "N/mm2": ("Pa", 1e6, 0.0),
}  # fmt: skip


def in_base_units(number: float, unit: str) -> tuple[str, float] | None:
    """(The quantity, its value in base units); None for a unit that is not in the table."""
    symbol = unit.strip().replace("µ", "u").replace("μ", "u").replace("²", "2").replace("ℓ", "L")
    if symbol in _OTHERS:
        quantity, factor, offset = _OTHERS[symbol]
        return quantity, number * factor + offset
    for prefix, scale in _PREFIXES.items():
        rest = symbol[len(prefix) :]
        if symbol.startswith(prefix) and rest in _PREFIXED:
            quantity, factor = _PREFIXED[rest]
            return quantity, number * scale * factor
    return None
