"""A pod that is put over the one of a template wins over it with each field that it has."""

from functools import reduce

from kubernetes import client

from house.pods import reconcile_pods


class Operator:
    def pod(self, template):
        pod = client.V1Pod(
            metadata=client.V1ObjectMeta(name="task"),
            spec=client.V1PodSpec(
                containers=[client.V1Container(name="base", image=self.image)],
                security_context=self.security_context,
            ),
        )
        return reconcile_pods(template, pod)

    def folded(self, base, override):
        pod = client.V1Pod(
            metadata=client.V1ObjectMeta(name="folded"),
            spec=client.V1PodSpec(
                containers=[client.V1Container(name="base", image=self.image)],
                security_context=self.security_context,
            ),
        )
        return reduce(reconcile_pods, [base, pod, override])
