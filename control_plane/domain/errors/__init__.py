"""What can go wrong, as one hierarchy. Each class's docstring is the user's sentence; its placeholders are `params`.

A code and parameters travel and are stored; the words are made at the edge, in the reader's language
(`control_plane/wording.py`). One module a subject; all are imported from here.
"""

from control_plane.domain.errors.access import *
from control_plane.domain.errors.attempts import *
from control_plane.domain.errors.audit import *
from control_plane.domain.errors.cases import *
from control_plane.domain.errors.datasets import *
from control_plane.domain.errors.endpoints import *
from control_plane.domain.errors.family import *
from control_plane.domain.errors.files import *
from control_plane.domain.errors.fleet import *
from control_plane.domain.errors.jobs import *
from control_plane.domain.errors.labelling import *
from control_plane.domain.errors.listeners import *
from control_plane.domain.errors.methods import *
from control_plane.domain.errors.prompts import *
from control_plane.domain.errors.rewards import *
from control_plane.domain.errors.rows import *
from control_plane.domain.errors.serving import *
from control_plane.domain.errors.sources import *
from control_plane.domain.errors.things import *
from control_plane.domain.errors.triggers import *
from control_plane.domain.errors.wishes import *
from control_plane.domain.errors.workflows import *
