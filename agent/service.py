"""What the system's service manager is told, so that the agent runs from each start on and trainings outlive it."""

from __future__ import annotations

import plistlib
from pathlib import Path

LABEL = "tunesmith.agent"


def systemd(executable: Path, data: Path, user: str) -> str:
    """A unit of systemd. `KillMode=process`: stopping or upgrading the agent leaves its trainings alone."""
    return f"""[Unit]
Description=Tunesmith agent
Wants=network-online.target
After=network-online.target

[Service]
User={_plain(user)}
Environment="TUNESMITH_AGENT_DATA={_plain(str(data))}"
ExecStart="{_plain(str(executable))}" agent run
KillMode=process
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
"""


def launchd(executable: Path, data: Path) -> str:
    """A launchd agent. `AbandonProcessGroup`: the same for macOS."""
    log = str(data / "agent.log")
    told = {
        "Label": LABEL,
        "ProgramArguments": [str(executable), "agent", "run"],
        "EnvironmentVariables": {"TUNESMITH_AGENT_DATA": str(data)},
        "RunAtLoad": True,
        "KeepAlive": True,
        "AbandonProcessGroup": True,
        "StandardOutPath": log,
        "StandardErrorPath": log,
    }
    return plistlib.dumps(told).decode()


def _plain(text: str) -> str:
    """Text in double quotes of a unit, where a percent sign and a backslash mean more."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
