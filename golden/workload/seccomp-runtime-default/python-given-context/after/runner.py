"""Jobs of a framework: whoever uses it may give security contexts."""

from kubernetes import client


def container(name, image, security_context=None):
    return client.V1Container(
        name=name,
        image=image,
        security_context=security_context or client.V1SecurityContext(
            seccomp_profile=client.V1SeccompProfile(type="RuntimeDefault"),
        ),
    )


def with_options(name, image, options):
    context = {}
    if options.context:
        context = {"security_context": client.V1SecurityContext(**options.context)}
    return client.V1Container(
        name=name,
        image=image,
        **{
            "security_context": client.V1SecurityContext(
                seccomp_profile=client.V1SeccompProfile(type="RuntimeDefault"),
            ),
            **context,
        },
    )


def filled(name, image, hook):
    box = client.V1Container(
        name=name,
        image=image,
        security_context=client.V1SecurityContext(
            seccomp_profile=client.V1SeccompProfile(type="RuntimeDefault"),
        ),
    )
    hook.fill(box)
    return box


class Runner:
    def pod(self, image):
        box = client.V1Container(name="work", image=image)
        if self.privileged:
            # Mounts loop devices.
            box.security_context = client.V1SecurityContext(privileged=True)
        spec = client.V1PodSpec(
            containers=[box],
            init_containers=self.init_containers,
            security_context=client.V1PodSecurityContext(
                seccomp_profile=client.V1SeccompProfile(type="RuntimeDefault"),
            ),
        )
        if self.uid:
            spec.security_context = client.V1PodSecurityContext(run_as_user=self.uid)
        return client.V1Pod(
            metadata=client.V1ObjectMeta(name="work", annotations=self.annotations),
            spec=spec,
        )

    def job(self, image):
        return client.V1Job(
            metadata=client.V1ObjectMeta(name="job"),
            spec=client.V1JobSpec(
                template=client.V1PodTemplateSpec(
                    spec=client.V1PodSpec(
                        containers=[
                            client.V1Container(name="job", image=image, security_context=self.context),
                        ],
                        security_context=self.pod_context or client.V1PodSecurityContext(
                            seccomp_profile=client.V1SeccompProfile(type="RuntimeDefault"),
                        ),
                        restart_policy="Never",
                    )
                )
            ),
        )
