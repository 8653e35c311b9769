"""The public API: one module of plain functions a noun, and the servicer that lists them."""
