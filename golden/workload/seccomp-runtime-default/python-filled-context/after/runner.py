"""Starts a pod for each build."""

from kubernetes import client


def build_pod(settings):
    context = {
        "seccompProfile": {"type": "RuntimeDefault"},
    }  # what the settings say wins
    if settings.fs_group:
        context["fsGroup"] = settings.fs_group
    context.update(settings.extra_context)
    if not context:
        context = None
    return client.V1Pod(
        metadata=client.V1ObjectMeta(name="build", namespace="ci"),
        spec=client.V1PodSpec(
            security_context=context,
            containers=[client.V1Container(name="build", image=settings.image)],
        ),
    )
