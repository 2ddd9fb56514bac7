from kubernetes import client


def pod(settings, context=None, **options):
    chosen = None
    if settings.user:
        chosen = client.V1SecurityContext(run_as_user=int(settings.user))
    debug = client.V1Container(name="debug", image="example.com/debug:1")
    if settings.debug:
        debug.security_context = client.V1SecurityContext(privileged=True)
    return client.V1Pod(
        metadata=client.V1ObjectMeta(name="web"),
        spec=client.V1PodSpec(
            containers=[
                client.V1Container(name="web", image="example.com/web:1", security_context=context),
                client.V1Container(
                    name="side",
                    image="example.com/side:1",
                    security_context=chosen,  # of the settings
                ),
                client.V1Container(
                    name="log",
                    image="example.com/log:1",
                    security_context=options.get("log") if settings.log else None,
                ),
                client.V1Container(
                    name="cache",
                    image="example.com/cache:1",
                    security_context=settings.cache or client.V1SecurityContext(run_as_user=1000),
                ),
                debug,
            ]
        ),
    )
