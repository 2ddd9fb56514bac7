"""The engine that changes Python files in place: every layout and library, and nothing beside what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hardener.sources.open_values import Expression
from hardener.sources.python.parsed import parse
from hardener.sources.python.rewrite import check, rewrite
from hardener.sources.yaml import Hunk, TextError
from hardener.support.data_path import below

Mutate = Callable[[list[Any]], None]


def put(*path: str | int, to: Any, behind: str | None = None) -> Mutate:
    """A value of the first document, in place of the old one, or as the last key, or ``behind`` another."""

    def mutate(documents: list[Any]) -> None:
        value = _at(documents, path[:-1])
        if behind is None:
            value[path[-1]] = to
            return
        items = list(value.items())
        value.clear()
        for name, item in items:
            value[name] = item
            if name == behind:
                value[path[-1]] = to

    return mutate


def drop(*path: str | int) -> Mutate:
    def mutate(documents: list[Any]) -> None:
        del _at(documents, path[:-1])[path[-1]]

    return mutate


def _at(documents: list[Any], path: tuple[str | int, ...]) -> Any:
    value = documents[0]
    for part in path:
        value = value[part]
    return value


LAYOUTS = {
    "one a line with a comma": (
        """\
from kubernetes import client

spec = client.V1PodSpec(
    host_network=True,  # why
    containers=[c],
    # the end
)
""",
        put("spec", "automountServiceAccountToken", to=False),
        """\
from kubernetes import client

spec = client.V1PodSpec(
    host_network=True,  # why
    containers=[c],
    automount_service_account_token=False,
    # the end
)
""",
    ),
    "one a line without a comma": (
        """\
from kubernetes import client

spec = client.V1PodSpec(
    host_network=True,
    containers=[c]  # why
)
""",
        put("spec", "automountServiceAccountToken", to=False),
        """\
from kubernetes import client

spec = client.V1PodSpec(
    host_network=True,
    containers=[c],  # why
    automount_service_account_token=False
)
""",
    ),
    "behind its neighbour": (
        """\
from kubernetes import client

spec = client.V1PodSpec(
    host_network=True,

    # what runs
    containers=[c],
)
""",
        put("spec", "hostPID", to=False, behind="hostNetwork"),
        """\
from kubernetes import client

spec = client.V1PodSpec(
    host_network=True,
    host_pid=False,

    # what runs
    containers=[c],
)
""",
    ),
    "the bracket closes behind the last": (
        """\
from kubernetes import client

spec = client.V1PodSpec(
    host_network=True,
    containers=[c])
""",
        put("spec", "hostPID", to=False),
        """\
from kubernetes import client

spec = client.V1PodSpec(
    host_network=True,
    containers=[c],
    host_pid=False)
""",
    ),
    "below the first argument": (
        """\
from kubernetes import client

spec = client.V1PodSpec(host_network=True,
                        containers=[c])
""",
        put("spec", "hostPID", to=False),
        """\
from kubernetes import client

spec = client.V1PodSpec(host_network=True,
                        containers=[c],
                        host_pid=False)
""",
    ),
    "on one line": (
        """\
from kubernetes import client

spec = client.V1PodSpec(host_network=True)
""",
        put("spec", "hostPID", to=False),
        """\
from kubernetes import client

spec = client.V1PodSpec(host_network=True, host_pid=False)
""",
    ),
    "on one line with a comma": (
        """\
from kubernetes import client

spec = client.V1PodSpec(host_network=True,)  # all
""",
        put("spec", "hostPID", to=False),
        """\
from kubernetes import client

spec = client.V1PodSpec(host_network=True, host_pid=False,)  # all
""",
    ),
    "nothing between brackets": (
        """\
from kubernetes import client

spec = client.V1PodSpec()
""",
        put("spec", "hostPID", to=False),
        """\
from kubernetes import client

spec = client.V1PodSpec(host_pid=False)
""",
    ),
    "a line that gets too long": (
        """\
from kubernetes import client

containers.append(client.V1Container(name='web', image='nginx'))
""",
        put("spec", "containers", 0, "securityContext", to={"allowPrivilegeEscalation": False}),
        """\
from kubernetes import client

containers.append(
    client.V1Container(
        name='web',
        image='nginx',
        security_context=client.V1SecurityContext(allow_privilege_escalation=False),
    )
)
""",
    ),
    "a line of a comprehension that gets too long": (
        """\
from kubernetes import client

found = [client.V1Container(name=n, image='nginx') for n in names if n]
""",
        put("spec", "containers", 0, "securityContext", to={"allowPrivilegeEscalation": False}),
        """\
from kubernetes import client

found = [
    client.V1Container(
        name=n,
        image='nginx',
        security_context=client.V1SecurityContext(allow_privilege_escalation=False),
    )
    for n in names
    if n
]
""",
    ),
    "two on a line between lines": (
        """\
from kubernetes import client

spec = client.V1PodSpec(
    host_network=True, containers=[client.V1Container(name='a')]
)
""",
        put("spec", "containers", 0, "securityContext", to={"allowPrivilegeEscalation": False}),
        """\
from kubernetes import client

spec = client.V1PodSpec(
    host_network=True,
    containers=[
        client.V1Container(
            name='a',
            security_context=client.V1SecurityContext(allow_privilege_escalation=False),
        )
    ],
)
""",
    ),
    "an explicit None": (
        """\
from kubernetes import client

spec = client.V1PodSpec(
    containers=[c],
    security_context=None,
)
""",
        put("spec", "securityContext", to={"runAsNonRoot": True}),
        """\
from kubernetes import client

spec = client.V1PodSpec(
    containers=[c],
    security_context=client.V1PodSecurityContext(run_as_non_root=True),
)
""",
    ),
    "an empty list": (
        """\
from kubernetes import client

spec = client.V1PodSpec(
    containers=[],
)
""",
        put("spec", "containers", to=[{"name": "a", "image": "b"}]),
        """\
from kubernetes import client

spec = client.V1PodSpec(
    containers=[client.V1Container(name="a", image="b")],
)
""",
    ),
    "an empty list with a comment": (
        """\
from kubernetes import client

spec = client.V1PodSpec(
    containers=[c],
    volumes=[
        # none yet
    ],
)
""",
        put("spec", "volumes", to=[{"name": "tmp", "emptyDir": {}}]),
        """\
from kubernetes import client

spec = client.V1PodSpec(
    containers=[c],
    volumes=[
        client.V1Volume(name="tmp", empty_dir=client.V1EmptyDirVolumeSource()),
        # none yet
    ],
)
""",
    ),
    "an item behind the last": (
        """\
from kubernetes import client

spec = client.V1PodSpec(
    volumes=[
        client.V1Volume(name='a'),
    ]
)
""",
        put("spec", "volumes", to=[{"name": "a"}, {"name": "b"}]),
        """\
from kubernetes import client

spec = client.V1PodSpec(
    volumes=[
        client.V1Volume(name='a'),
        client.V1Volume(name='b'),
    ]
)
""",
    ),
    "an item before the first": (
        """\
from kubernetes import client

spec = client.V1PodSpec(
    volumes=[
        client.V1Volume(name='a'),  # a
    ]
)
""",
        put("spec", "volumes", to=[{"name": "b"}, {"name": "a"}]),
        """\
from kubernetes import client

spec = client.V1PodSpec(
    volumes=[
        client.V1Volume(name='b'),
        client.V1Volume(name='a'),  # a
    ]
)
""",
    ),
    "a tuple of one": (
        """\
from kubernetes import client

spec = client.V1PodSpec(
    containers=[client.V1Container(name='a', args=('x',))],
)
""",
        put("spec", "containers", 0, "args", to=["x", "y"]),
        """\
from kubernetes import client

spec = client.V1PodSpec(
    containers=[client.V1Container(name='a', args=('x', 'y'))],
)
""",
    ),
    "a tuple becomes one of one": (
        """\
from kubernetes import client

spec = client.V1PodSpec(
    containers=[client.V1Container(name='a', args=('x', 'y'))],
)
""",
        put("spec", "containers", 0, "args", to=["y"]),
        """\
from kubernetes import client

spec = client.V1PodSpec(
    containers=[client.V1Container(name='a', args=('y',))],
)
""",
    ),
    "an argument goes with its line": (
        """\
from kubernetes import client

spec = client.V1PodSpec(
    host_network=True,  # why
    # what runs
    containers=[c],
)
""",
        drop("spec", "hostNetwork"),
        """\
from kubernetes import client

spec = client.V1PodSpec(
    # what runs
    containers=[c],
)
""",
    ),
    "the last argument goes": (
        """\
from kubernetes import client

spec = client.V1PodSpec(
    containers=[c],
    host_network=True
)
""",
        drop("spec", "hostNetwork"),
        """\
from kubernetes import client

spec = client.V1PodSpec(
    containers=[c]
)
""",
    ),
    "the last argument before the bracket goes": (
        """\
from kubernetes import client

spec = client.V1PodSpec(containers=[c],
                        host_network=True)
""",
        drop("spec", "hostNetwork"),
        """\
from kubernetes import client

spec = client.V1PodSpec(containers=[c])
""",
    ),
    "an argument of a line goes": (
        """\
from kubernetes import client

spec = client.V1PodSpec(host_network=True, containers=[c])
""",
        drop("spec", "hostNetwork"),
        """\
from kubernetes import client

spec = client.V1PodSpec(containers=[c])
""",
    ),
    "the only argument goes": (
        """\
from kubernetes import client

spec = client.V1PodSpec(
    host_network=True,
)
""",
        drop("spec", "hostNetwork"),
        """\
from kubernetes import client

spec = client.V1PodSpec()
""",
    ),
    "quotes stay": (
        """\
from kubernetes import client

spec = client.V1PodSpec(
    containers=[client.V1Container(name="a", image='b')],
)
""",
        put("spec", "containers", 0, "image", to="it's"),
        """\
from kubernetes import client

spec = client.V1PodSpec(
    containers=[client.V1Container(name="a", image="it's")],
)
""",
    ),
    "an alias": (
        """\
from kubernetes.client import V1PodSpec as Spec

spec = Spec(containers=[c])
""",
        put("spec", "securityContext", to={"runAsNonRoot": True}),
        """\
from kubernetes.client import V1PodSecurityContext, V1PodSpec as Spec

spec = Spec(containers=[c], security_context=V1PodSecurityContext(run_as_non_root=True))
""",
    ),
    "names one a line": (
        """\
from kubernetes.client import (
    V1PodSpec,  # pods
)

spec = V1PodSpec(containers=[c])
""",
        put("spec", "securityContext", to={"runAsNonRoot": True}),
        """\
from kubernetes.client import (
    V1PodSecurityContext,
    V1PodSpec,  # pods
)

spec = V1PodSpec(
    containers=[c],
    security_context=V1PodSecurityContext(run_as_non_root=True),
)
""",
    ),
    "names in their order": (
        """\
from kubernetes.client import (
    V1Container,
    V1PodSpec,
    V1Volume,
)

spec = V1PodSpec(containers=[])
""",
        put("spec", "securityContext", to={"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}),
        """\
from kubernetes.client import (
    V1Container,
    V1PodSecurityContext,
    V1PodSpec,
    V1SeccompProfile,
    V1Volume,
)

spec = V1PodSpec(
    containers=[],
    security_context=V1PodSecurityContext(
        run_as_non_root=True,
        seccomp_profile=V1SeccompProfile(type="RuntimeDefault"),
    ),
)
""",
    ),
    "names in a function": (
        """\
def f():
    from kubernetes.client import V1PodSpec, V1Container
    return V1PodSpec(containers=[c])
""",
        put("spec", "securityContext", to={"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}),
        """\
def f():
    from kubernetes.client import (
        V1PodSpec,
        V1Container,
        V1PodSecurityContext,
        V1SeccompProfile,
    )
    return V1PodSpec(
        containers=[c],
        security_context=V1PodSecurityContext(
            run_as_non_root=True,
            seccomp_profile=V1SeccompProfile(type="RuntimeDefault"),
        ),
    )
""",
    ),
    "all names": (
        """\
from kubernetes.client import *

spec = V1PodSpec(containers=[c])
""",
        put("spec", "securityContext", to={"runAsNonRoot": True}),
        """\
from kubernetes.client import *

spec = V1PodSpec(
    containers=[c],
    security_context=V1PodSecurityContext(run_as_non_root=True),
)
""",
    ),
    "a module a class": (
        """\
from kubernetes.client.models.v1_pod_spec import V1PodSpec

spec = V1PodSpec(containers=[c])
""",
        put("spec", "securityContext", to={"runAsNonRoot": True}),
        """\
from kubernetes.client.models.v1_pod_spec import V1PodSpec
from kubernetes.client.models.v1_pod_security_context import V1PodSecurityContext

spec = V1PodSpec(
    containers=[c],
    security_context=V1PodSecurityContext(run_as_non_root=True),
)
""",
    ),
    "a class of another group": (
        """\
from pulumi_kubernetes.apps.v1 import DeploymentSpecArgs
from pulumi_kubernetes.core.v1 import PodTemplateSpecArgs

spec = DeploymentSpecArgs(template=PodTemplateSpecArgs(spec={'containers': [c], 'host_network': True}))
""",
        put("metadata", to={"labels": {"a-b": "c"}}),
        """\
from pulumi_kubernetes.apps.v1 import DeploymentSpecArgs
from pulumi_kubernetes.core.v1 import PodTemplateSpecArgs
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

spec = DeploymentSpecArgs(
    template=PodTemplateSpecArgs(
        spec={'containers': [c], 'host_network': True},
        metadata=ObjectMetaArgs(labels={'a-b': 'c'}),
    )
)
""",
    ),
    "a class of Pulumi": (
        """\
import pulumi_kubernetes as k8s

deployment = k8s.apps.v1.Deployment(
    'web',
    spec=k8s.apps.v1.DeploymentSpecArgs(replicas=1),
    opts=opts,
)
""",
        put("spec", "template", to={"spec": {"hostNetwork": False}}),
        """\
import pulumi_kubernetes as k8s

deployment = k8s.apps.v1.Deployment(
    'web',
    spec=k8s.apps.v1.DeploymentSpecArgs(
        replicas=1,
        template=k8s.core.v1.PodTemplateSpecArgs(
            spec=k8s.core.v1.PodSpecArgs(host_network=False),
        ),
    ),
    opts=opts,
)
""",
    ),
    "a dict of Pulumi": (
        """\
import pulumi_kubernetes as k8s

pod = k8s.core.v1.Pod('web', spec={'containers': [{'name': 'a'}]})
""",
        put("spec", "securityContext", to={"runAsNonRoot": True}),
        """\
import pulumi_kubernetes as k8s

pod = k8s.core.v1.Pod(
    'web',
    spec={'containers': [{'name': 'a'}], 'security_context': {'run_as_non_root': True}},
)
""",
    ),
    "quantities of cdk8s": (
        """\
from imports import k8s

spec = k8s.PodSpec(containers=[k8s.Container(name='a'), {'name': 'b'}])
""",
        put(
            "spec",
            "containers",
            to=[
                {"name": "a", "resources": {"limits": {"memory": "1Gi"}}},
                {"name": "b", "resources": {"limits": {"memory": "1Gi"}}},
            ],
        ),
        """\
from imports import k8s

spec = k8s.PodSpec(
    containers=[
        k8s.Container(
            name='a',
            resources=k8s.ResourceRequirements(
                limits={'memory': k8s.Quantity.from_string('1Gi')},
            ),
        ),
        {
            'name': 'b',
            'resources': {'limits': {'memory': k8s.Quantity.from_string('1Gi')}},
        },
    ]
)
""",
    ),
    "a probe of cdk8s": (
        """\
from imports import k8s

spec = k8s.PodSpec(containers=[k8s.Container(name='a')])
""",
        put(
            "spec",
            "containers",
            0,
            "livenessProbe",
            to={"httpGet": {"path": "/", "port": 80}, "exec": {"command": ["true"]}},
        ),
        """\
from imports import k8s

spec = k8s.PodSpec(
    containers=[
        k8s.Container(
            name='a',
            liveness_probe=k8s.Probe(
                http_get=k8s.HttpGetAction(
                    path='/',
                    port=k8s.IntOrString.from_number(80),
                ),
                exec=k8s.ExecAction(command=['true']),
            ),
        )
    ]
)
""",
    ),
    "lightkube": (
        """\
from lightkube.models.core_v1 import PodSpec

spec = PodSpec(containers=[])
""",
        put("spec", "securityContext", to={"seLinuxOptions": {"level": "s0"}}),
        """\
from lightkube.models.core_v1 import PodSecurityContext, PodSpec, SELinuxOptions

spec = PodSpec(
    containers=[],
    securityContext=PodSecurityContext(seLinuxOptions=SELinuxOptions(level="s0")),
)
""",
    ),
    "the quotes of a dict": (
        """\
pod = {
    'apiVersion': 'v1',
    'kind': 'Pod',
    'spec': {
        'containers': [c],
    },
}
""",
        put("spec", "securityContext", to={"runAsNonRoot": True}),
        """\
pod = {
    'apiVersion': 'v1',
    'kind': 'Pod',
    'spec': {
        'containers': [c],
        'securityContext': {'runAsNonRoot': True},
    },
}
""",
    ),
    "keywords of dict()": (
        """\
pod = dict(a=1)
pod = {'apiVersion': 'v1', 'kind': 'Pod', 'spec': dict(containers=[dict(name='a')])}
""",
        put("spec", "containers", 0, "securityContext", to={"allowPrivilegeEscalation": False}),
        """\
pod = dict(a=1)
pod = {
    'apiVersion': 'v1',
    'kind': 'Pod',
    'spec': dict(
        containers=[
            dict(name='a', securityContext=dict(allowPrivilegeEscalation=False))
        ]
    ),
}
""",
    ),
    "a constant": (
        """\
from kubernetes import client

NAME = 'a'
spec = client.V1PodSpec(service_account_name=NAME, containers=[c])
""",
        put("spec", "serviceAccountName", to="b"),
        """\
from kubernetes import client

NAME = 'b'
spec = client.V1PodSpec(service_account_name=NAME, containers=[c])
""",
    ),
    "a hugged argument": (
        """\
from kubernetes import client

spec = client.V1PodSpec(containers=[
    client.V1Container(name='a'),
])
""",
        put("spec", "securityContext", to={"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}),
        """\
from kubernetes import client

spec = client.V1PodSpec(containers=[
    client.V1Container(name='a'),
],
    security_context=client.V1PodSecurityContext(
        run_as_non_root=True,
        seccomp_profile=client.V1SeccompProfile(type='RuntimeDefault'),
    ))
""",
    ),
    "another value in a line that is too long": (
        """\
pod = {'apiVersion': 'v1', 'kind': 'Pod', 'spec': {'hostNetwork': True, 'hostname': 'a', 'containers': [c]}}
""",
        put("spec", "hostNetwork", to=False),
        """\
pod = {'apiVersion': 'v1', 'kind': 'Pod', 'spec': {'hostNetwork': False, 'hostname': 'a', 'containers': [c]}}
""",
    ),
    "an assigned class": (
        """\
from kubernetes import client

Box = client.V1Container
box = Box(name='a')
""",
        put("spec", "containers", 0, "securityContext", to={"allowPrivilegeEscalation": False}),
        """\
from kubernetes import client

Box = client.V1Container
box = Box(
    name='a',
    security_context=client.V1SecurityContext(allow_privilege_escalation=False),
)
""",
    ),
    "eight columns": (
        """\
from kubernetes import client

spec = client.V1PodSpec(
        host_network=True,
        containers=[client.V1Container(name='a', image='b', command=['c'])])
""",
        put("spec", "containers", 0, "securityContext", to={"allowPrivilegeEscalation": False}),
        """\
from kubernetes import client

spec = client.V1PodSpec(
        host_network=True,
        containers=[
                client.V1Container(
                        name='a',
                        image='b',
                        command=['c'],
                        security_context=client.V1SecurityContext(
                                allow_privilege_escalation=False,
                        ),
                )
        ])
""",
    ),
    "tabs": (
        """\
from kubernetes import client

spec = client.V1PodSpec(
	host_network=True,
	containers=[client.V1Container(name='a', image='b', command=['c'])]
)
""",
        put("spec", "containers", 0, "securityContext", to={"allowPrivilegeEscalation": False}),
        """\
from kubernetes import client

spec = client.V1PodSpec(
	host_network=True,
	containers=[
		client.V1Container(
			name='a',
			image='b',
			command=['c'],
			security_context=client.V1SecurityContext(allow_privilege_escalation=False),
		)
	]
)
""",
    ),
    "letters of all kinds": (
        """\
from kubernetes import client

spec = client.V1PodSpec(hostname='Grüße')
""",
        put("spec", "hostname", to="größer\n\x07"),
        """\
from kubernetes import client

spec = client.V1PodSpec(hostname='größer\\n\\x07')
""",
    ),
    "words of Python": (
        """\
from kubernetes import client

spec = client.V1PodSpec(containers=[client.V1Container(name='a')])
""",
        put("spec", "containers", 0, "livenessProbe", to={"exec": {"command": ["true"]}}),
        """\
from kubernetes import client

spec = client.V1PodSpec(
    containers=[
        client.V1Container(
            name='a',
            liveness_probe=client.V1Probe(_exec=client.V1ExecAction(command=['true'])),
        )
    ]
)
""",
    ),
}
KUBE = "from kubernetes import client\n\n"
CDK8S = "from imports import k8s\n\n"
REFUSED: dict[str, tuple[str, Mutate, str, int]] = {
    "an expression": (
        KUBE + "spec = client.V1PodSpec(hostname=name())\n", put("spec", "hostname", to="a"),
        "an expression is not replaced (a call)", 3,
    ),
    "what a spread may add": (
        KUBE + "spec = client.V1PodSpec(\n    **base\n)\n", put("spec", "hostname", to="a"),
        "hostname may come from **base (line 4)", 3,
    ),
    "what no class has": (
        KUBE + "spec = client.V1PodSpec(hostname='a')\n", put("spec", "odd", to=1), "PodSpec has no field odd", 3,
    ),
    "a list that is put together": (
        KUBE + "spec = client.V1PodSpec(volumes=[a] + more)\n",
        put("spec", "volumes", to=[Expression("${a}"), {"name": "b"}]),
        "the list may get more items from more (line 3)", 3,
    ),
    "a copy of an expression": (
        KUBE + "spec = client.V1PodSpec(hostname=name)\n", put("spec", "subdomain", to="${name}"),
        "an expression is not copied", 3,
    ),
    "a number as a quantity": (
        KUBE + "r = client.V1Container(resources=client.V1ResourceRequirements())\n",
        put("spec", "containers", 0, "resources", "limits", to={"cpu": 1}), "a quantity has to be a text", 3,
    ),
    "another wrapper": (
        CDK8S + "p = k8s.KubeService(self, 'a', spec=k8s.ServiceSpec(ports=[\n"
        "    k8s.ServicePort(port=80, target_port=k8s.IntOrString.from_number(80)),\n]))\n",
        put("spec", "ports", 0, "targetPort", to="http"), "a text and a number are wrapped in different ways", 4,
    ),
    "one text for two values": (
        KUBE + "N = 'a'\nspec = client.V1PodSpec(containers=[client.V1Container(name=N), dict(name=N)])\n",
        put("spec", "containers", 0, "name", to="b"),
        "used in several places, which would differ", 3,
    ),
    "what a class stands for": (
        KUBE + "pod = client.V1Pod(kind='Pod')\n", put("apiVersion", to="v2"),
        "a value that is not in one place is not replaced", 3,
    ),
    "a comment in what goes": (
        KUBE + "spec = client.V1PodSpec(containers=[\n    1,  # one\n], volumes=[])\n", drop("spec", "containers"),
        "a comment would be lost", 3,
    ),
    "a variable that would stand alone": (
        KUBE + "c = client.V1Container(name='a')\nspec = client.V1PodSpec(containers=[c])\n",
        drop("spec", "containers", 0), "the text does not come out as it was decided", 4,
    ),
}  # fmt: skip


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("name", LAYOUTS)
def test_a_change_fits_its_surroundings(name: str, newline: str) -> None:
    before, mutate, after = LAYOUTS[name]
    assert rewrite(before.replace("\n", newline), mutate).text == after.replace("\n", newline)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_written_is_refused(name: str) -> None:
    before, mutate, reason, line = REFUSED[name]
    with pytest.raises(TextError) as refused:
        rewrite(before, mutate)
    assert (refused.value.reason, refused.value.line) == (reason, line)


def test_a_shared_value_is_written_once() -> None:
    before = KUBE + 'LABELS = {"a": "b"}\nx = client.V1Pod(metadata=client.V1ObjectMeta(labels=LABELS))\n'
    before += before.splitlines(keepends=True)[-1].replace("x", "y")

    def mutate(documents: list[Any]) -> None:
        for document in documents:
            document["metadata"]["labels"]["c"] = "d"

    assert rewrite(before, mutate).text == before.replace('{"a": "b"}', '{"a": "b", "c": "d"}')


def test_a_hunk_holds_only_what_changes() -> None:
    before = KUBE + "spec = client.V1PodSpec(\n    hostname='a',\n    containers=[c],\n)\n"
    hunks = rewrite(before, put("spec", "subdomain", to="b", behind="hostname")).hunks
    assert hunks == [Hunk(5, [], 5, ["    subdomain='b',\n"])]


def test_no_change_is_no_change() -> None:
    before = KUBE + "spec = client.V1PodSpec( hostname = 'a' )\n"
    result = rewrite(before, lambda documents: None)
    assert (result.text, result.hunks) == (before, [])


_TWO = """\
LIMITS = {"cpu": "1"}
pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [
    {"name": "a", "image": "a:1", "resources": {"limits": LIMITS}},
    {"name": "b", "image": "b:1", "resources": {"limits": LIMITS}},
]}}
"""
_SPREAD = """\
pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [
    {**base, "name": "a"},
    {"name": "b", "image": "b:1"},
]}}
"""


@pytest.mark.parametrize(
    ("text", "containers", "path", "reason"),
    [
        # One text of two places: what is touched in one would differ from the other.
        (_TWO, lambda a, b: [a | {"resources": {"limits": {"cpu": "2"}}}, b], (0, "resources", "limits"), "several"),
        (_TWO, lambda a, b: [a | {"tty": True}, b], (0, "tty"), ""),
        # The item at an index is the one of its name: the first one may get no key, the second one moved there may.
        (_SPREAD, lambda a, b: [a | {"tty": True}, b], (0, "tty"), "may come from"),
        (_SPREAD, lambda a, b: [b | {"tty": True}, {"name": "c", "image": "c:1"}], (0, "tty"), ""),
    ],
)  # fmt: skip
def test_a_change_is_tried_where_it_is_made_and_where_the_same_text_stands(
    text: str, containers: Any, path: tuple[str | int, ...], reason: str
) -> None:
    parsed = parse(text)
    wanted = parsed.data()
    spec = wanted[0]["spec"]
    spec["containers"] = containers(*spec["containers"])
    touched = below([(0, "spec", "containers", *path)])
    if reason:
        with pytest.raises(TextError, match=reason):
            check(parsed, {0: wanted[0]}, touched)
    else:
        check(parsed, {0: wanted[0]}, touched)
