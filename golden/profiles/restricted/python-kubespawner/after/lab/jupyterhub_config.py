c = get_config()  # noqa: F821

if True:
    c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
    c.KubeSpawner.image = "registry.example.com/lab:4"
    c.KubeSpawner.extra_pod_config = {
        "hostNetwork": True,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
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
            "resources": {
                "requests": {"cpu": "25m", "memory": "128Mi"},
                "limits": {"cpu": "1", "memory": "2Gi"},
            },
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            },
        },
    ]
    c.KubeSpawner.extra_containers = [
        {
            "name": "sync",
            "image": "registry.example.com/sync:2",
            "resources": {
                "requests": {"cpu": "25m", "memory": "128Mi"},
                "limits": {"cpu": "1", "memory": "2Gi"},
            },
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            "volumeMounts": [{"name": "harden-sync-tmp", "mountPath": "/tmp"}],
        }
    ]
    c.KubeSpawner.cpu_guarantee = 0.025
    c.KubeSpawner.mem_guarantee = "128M"
    c.KubeSpawner.cpu_limit = 1.0
    c.KubeSpawner.mem_limit = "2G"
    c.KubeSpawner.volumes = [{"name": "harden-sync-tmp", "emptyDir": {}}]
