from dagster import job, op

GPU = {
    'dagster-k8s/config': {
        'container_config': {
            'image': 'registry.example.com/train:2',
            'securityContext': {
                'allowPrivilegeEscalation': False,
                'readOnlyRootFilesystem': True,
                'runAsUser': 1000,
                'capabilities': {'drop': ['ALL']},
            },
            'envFrom': [{'secretRef': {'name': 'train'}}],
            'volumeMounts': [{'name': 'harden-dagster-tmp', 'mountPath': '/tmp'}],
        },
        'pod_spec_config': {
            'serviceAccountName': 'trainer',
            'automountServiceAccountToken': True,
            'securityContext': {
                'runAsNonRoot': True,
                'seccompProfile': {'type': 'RuntimeDefault'},
            },
            'tolerations': [{'key': 'gpu', 'operator': 'Exists'}],
            'volumes': [{'name': 'harden-dagster-tmp', 'emptyDir': {}}],
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
