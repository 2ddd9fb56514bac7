c = get_config()  # noqa: F821

c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
c.KubeSpawner.image = "quay.io/jupyter/minimal-notebook:2024-05-01"
c.KubeSpawner.privileged = False  # for docker
c.KubeSpawner.allow_privilege_escalation = False
c.KubeSpawner.fs_gid = 100
c.KubeSpawner.mem_limit = "4G"
c.KubeSpawner.cpu_limit = 0.5
c.KubeSpawner.environment = {"JUPYTER_ENABLE_LAB": "yes"}
c.KubeSpawner.pod_security_context = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}
c.KubeSpawner.container_security_context = {"capabilities": {"drop": ["ALL"]}}
# everything else is as it comes
c.JupyterHub.hub_ip = "0.0.0.0"
