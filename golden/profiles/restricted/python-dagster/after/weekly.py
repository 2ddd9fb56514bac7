from dagster import job, op

GPU = {
    'dagster-k8s/config': {
        'container_config': {
            'image': 'registry.example.com/train:2',
            'securityContext': {'privileged': True, 'runAsUser': 1000},
            'envFrom': [{'secretRef': {'name': 'train'}}],
        },
        'pod_spec_config': {
            'serviceAccountName': 'trainer',
            'automountServiceAccountToken': True,
            'securityContext': {
                'runAsNonRoot': True,
                'seccompProfile': {'type': 'RuntimeDefault'},
            },
            'tolerations': [{'key': 'gpu', 'operator': 'Exists'}],
        },
    },
}


@op
def train():
    pass


@job(tags=GPU)
def weekly():
    train()


def manifests():
    return [weekly.tags]
