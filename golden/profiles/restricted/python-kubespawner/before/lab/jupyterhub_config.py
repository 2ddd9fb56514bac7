c = get_config()  # noqa: F821

if True:
    c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
    c.KubeSpawner.image = "registry.example.com/lab:4"
    c.KubeSpawner.extra_pod_config = {
        "hostNetwork": True,
        "securityContext": {"runAsUser": 1000},
        "automountServiceAccountToken": True,
    }
    c.KubeSpawner.extra_container_config = {
        "security_context": {"privileged": True, "runAsUser": 1000},
        "env_from": [{"secretRef": {"name": "lab"}}],
    }
    c.KubeSpawner.init_containers = [
        {
            "name": "prepare",
            "image": "registry.example.com/prepare:1",
            "command": ["sh", "-c", "cp -r /seed/. /home/jovyan"],
        },
    ]
    c.KubeSpawner.extra_containers = [{"name": "sync", "image": "registry.example.com/sync:2"}]
