"""Tags of jobs and ops, keys in snake_case."""

from dagster import job, op


@op(
    tags={
        "dagster-k8s/config": {
            "container_config": {"resources": {"limits": {"memory": "2Gi"}}},
            "pod_spec_config": {
                "security_context": {"seccomp_profile": {"type": "RuntimeDefault"}},
            },
        }
    }
)
def load():
    pass


@job(
    tags={
        "team": "data",
        "dagster-k8s/config": {
            "container_config": {
                "name": "nightly",
                "image": "registry.example.com/nightly:4",
                "resources": {
                    "requests": {"cpu": "250m", "memory": "64Mi"},
                    "limits": {"cpu": "500m", "memory": "2560Mi"},
                },
                "security_context": {
                    "allow_privilege_escalation": False,
                    "read_only_root_filesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                # what the job reads
                "volume_mounts": [
                    {"name": "inputs", "mount_path": "/inputs", "read_only": True},
                    {"name": "harden-nightly-tmp", "mount_path": "/tmp"},
                ],
            },
            "pod_spec_config": {
                "volumes": [
                    {"name": "inputs", "config_map": {"name": "inputs"}},
                    {"name": "harden-nightly-tmp", "empty_dir": {}},
                ],
                "security_context": {
                    "run_as_non_root": True,
                    "run_as_user": 65532,
                    "seccomp_profile": {"type": "RuntimeDefault"},
                },
            },
            "job_spec_config": {"ttl_seconds_after_finished": 7200},
        },
    }
)
def nightly():
    load()


def manifests():
    return [load.tags, nightly.tags]
