# Pods that build what a user asks for.
NAMESPACE = 'builds'


def build_pod(name, image, command):
    return {
        'apiVersion': 'v1',
        'kind': 'Pod',
        'metadata': {'name': f'build-{name}', 'namespace': NAMESPACE, 'labels': {'job': 'build'}},
        'spec': {
            'restartPolicy': 'Never',
            'securityContext': {
                'runAsNonRoot': True,
                'seccompProfile': {'type': 'RuntimeDefault'},
            },
            'containers': [
                {
                    'name': 'build',
                    'image': image,
                    'command': command,
                    'securityContext': {'privileged': False, 'runAsUser': 1000},  # the user of all our images
                }
            ],
        },
    }
