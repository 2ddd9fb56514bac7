import kubernetes.client as k8s

SECURITY = k8s.V1SecurityContext(
    allow_privilege_escalation=False,
    run_as_user=1000,
    capabilities=k8s.V1Capabilities(drop=["ALL"]),
)
BASE = load_defaults()


class Launcher:
    def deployment(self, name, tag, sidecar, **more):
        return k8s.V1Deployment(
            api_version="apps/v1",
            kind="Deployment",
            metadata=k8s.V1ObjectMeta(name=name, namespace=self.namespace),
            spec=k8s.V1DeploymentSpec(
                selector=k8s.V1LabelSelector(match_labels={"app": name}),
                template=k8s.V1PodTemplateSpec(
                    metadata=k8s.V1ObjectMeta(labels={"app": name}),
                    spec=k8s.V1PodSpec(
                        containers=[
                            k8s.V1Container(name="main", image=f"registry.example.com/main:{tag}", **more),
                            k8s.V1Container(
                                name="cache",
                                image="redis:7",
                                resources=k8s.V1ResourceRequirements(requests={"cpu": "25m", "memory": "128Mi"}),
                                volume_mounts=[
                                    k8s.V1VolumeMount(name="harden-cache-tmp", mount_path="/tmp"),
                                    k8s.V1VolumeMount(name="harden-cache-data", mount_path="/data"),
                                ],
                                security_context=self.context or k8s.V1SecurityContext(
                                    allow_privilege_escalation=False,
                                    read_only_root_filesystem=True,
                                    capabilities=k8s.V1Capabilities(
                                        drop=["ALL"],
                                        add=["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"],
                                    ),
                                ),
                            ),
                            sidecar,
                        ],
                        volumes=[
                            k8s.V1Volume(name="harden-cache-tmp", empty_dir=k8s.V1EmptyDirVolumeSource()),
                            k8s.V1Volume(name="harden-cache-data", empty_dir=k8s.V1EmptyDirVolumeSource()),
                        ],
                    ),
                ),
            ),
        )

    def jobs(self, names):
        for name in names:
            job = k8s.V1Job(
                api_version="batch/v1",
                kind="Job",
                metadata=k8s.V1ObjectMeta(name=name, namespace="jobs"),
                spec=k8s.V1JobSpec(
                    template=k8s.V1PodTemplateSpec(
                        spec=k8s.V1PodSpec(
                            restart_policy="Never",
                            containers=[
                                k8s.V1Container(
                                    name=one,
                                    image="registry.example.com/job:2",
                                    resources=k8s.V1ResourceRequirements(
                                        requests={"cpu": "25m", "memory": "128Mi"},
                                        limits={"cpu": "1", "memory": "2Gi"},
                                    ),
                                    security_context=SECURITY,
                                )
                                for one in self.steps
                            ],
                            security_context=k8s.V1PodSecurityContext(
                                run_as_non_root=True,
                                seccomp_profile=k8s.V1SeccompProfile(type="RuntimeDefault"),
                            ),
                        ),
                    ),
                ),
            )
            job.spec.template.spec.automount_service_account_token = self.token
            self.api.create_namespaced_job("jobs", job)
