"""llama.cpp's quantizer as a command: ``llama_quantizer.py SOURCE TARGET PRECISION THREADS``."""

import ctypes
import sys

import llama_cpp


def main(source: str, target: str, precision: str, threads: int) -> int:
    """Quantize; llama.cpp's own status, 0 when the target is written."""
    chosen = llama_cpp.llama_model_quantize_default_params()
    chosen.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{precision.upper()}")
    chosen.nthread = threads
    chosen.allow_requantize = True  # from Q8_0 too: the loss is the user's choice, and the method's page says so
    return int(llama_cpp.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(chosen)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4], int(sys.argv[4])))
