"""Cases that people save, share and hand on: their plan as strangers write it, and the archive that carries one."""
