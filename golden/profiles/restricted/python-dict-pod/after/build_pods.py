# Pods that build what a user asks for.
NAMESPACE = 'builds'


def build_pod(name, image, command):
    return {
        'apiVersion': 'v1',
        'kind': 'Pod',
        'metadata': {'name': f'build-{name}', 'namespace': NAMESPACE, 'labels': {'job': 'build'}},
        'spec': {
            'restartPolicy': 'Never',
            'automountServiceAccountToken': False,
            'securityContext': {
                'runAsNonRoot': True,
                'seccompProfile': {'type': 'RuntimeDefault'},
            },
            'containers': [
                {
                    'name': 'build',
                    'image': image,
                    'command': command,
                    'resources': {
                        'requests': {'cpu': '25m', 'memory': '128Mi'},
                        'limits': {'cpu': '1', 'memory': '2Gi'},
                    },
                    'securityContext': {
                        'privileged': False,
                        'allowPrivilegeEscalation': False,
                        'readOnlyRootFilesystem': True,
                        'runAsUser': 1000,
                        'capabilities': {'drop': ['ALL']},
                    },  # the user of all our images
                    'volumeMounts': [{'name': 'harden-build-tmp', 'mountPath': '/tmp'}],
                }
            ],
            'volumes': [{'name': 'harden-build-tmp', 'emptyDir': {}}],
        },
    }
