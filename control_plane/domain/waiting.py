"""Why a job waits: code → sentence (the catalogue's key). Stored with the job as code and parameters."""

REASONS = {
    "not_planned": "It was just asked for; a machine is looked for at once.",
    "not_before": "The job is to start later, as its owner asked.",
    "no_machine": "No machine has joined the fleet yet.",
    "chosen_machine_offline": "The machine that was chosen for it is not online at the moment.",
    "no_machine_online": "No machine is online at the moment.",
    "machines_drained": "All machines that fit are drained: they take no new jobs.",
    "no_platform": "No machine can run this method: it needs {platforms}.",
    "memory": "No machine has enough memory: the job needs about {needed} and at most {free} is free.",
    "disk": "No machine has enough free disk: the job needs about {needed} and at most {free} is free.",
    "devices_busy": "All devices that fit are busy; {ahead} jobs are ahead of this one.",
    "offered": "A machine has been asked and is about to answer.",
    "machines_refused": "Every free machine that fits has just refused this; they are asked again soon.",
    "engines_failed": "The engine started on no machine with room for it: change the deployment or add a machine.",
    "on_battery": "The machines that fit run on battery.",
}
