"""Where the dashboard shows what an event is about."""

# kind of a subject → its page, below the dashboard's address; `name` and `id` are the subject's
PAGES = {
    "workflow_run": "/p/{project}/cases/{name}/run/{id}",
    "evaluation": "/p/{project}/evaluations/{id}",
    "job": "/p/{project}/jobs/{id}",
    "dataset": "/p/{project}/data/{name}",
    "source": "/p/{project}/data/sources/of/{name}",
    "machine": "/machines/{id}",
    "control_plane": "/",
    "workflow": "/p/{project}/workflows/{id}",
    "listener": "/p/{project}/listeners/{id}",
}
