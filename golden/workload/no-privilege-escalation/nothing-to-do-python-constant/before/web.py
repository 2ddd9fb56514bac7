"""What is no argument and no setting stands somewhere as a whole, and what the program looks at may be added to."""

from kubernetes import client

from house.contexts import CONTEXT, make_context


def pod(settings):
    looked_at = client.V1Container(name="looked-at", image="example.com/a:1")
    if settings.context:
        looked_at.security_context = settings.context
    if settings.privileged:
        if looked_at.security_context is None:
            looked_at.security_context = client.V1SecurityContext()
        looked_at.security_context.privileged = True
    return client.V1Pod(
        metadata=client.V1ObjectMeta(name="web"),
        spec=client.V1PodSpec(
            containers=[
                looked_at,
                client.V1Container(name="constant", image="example.com/b:1", security_context=CONTEXT),
                client.V1Container(name="made", image="example.com/c:1", security_context=make_context()),
            ]
        ),
    )
