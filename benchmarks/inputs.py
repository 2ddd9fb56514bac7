"""What the benchmarks harden: made-up Deployments in the styles people write, streamed to disk."""

from __future__ import annotations

from pathlib import Path

# Three styles, so that no cache and no single shape carries the result: block with indentless lists, block with
# indented lists, and one with flow collections and quotes. About 65 lines each, the mean of real applications
# (microservices-demo 67, podinfo 73).
_STYLES = (
    """\
# {name}: owned by the web team
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: shop
  labels:
    app: {name}
    tier: front
    app.kubernetes.io/part-of: shop
  annotations:
    example.com/on-call: web@example.com
spec:
  replicas: {replicas}
  revisionHistoryLimit: 3
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
        tier: front
    spec:
      containers:
      - name: web
        image: registry.example.com/shop/{name}:1.{number}
        ports:
        - containerPort: 8080
          name: http
        env:
        - name: LOG_LEVEL
          value: info # debug is expensive
        - name: API_URL
          value: http://api-{number}:8080/v1
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        - name: SESSION_SECONDS
          value: "3600"
        livenessProbe:
          httpGet:
            path: /live
            port: http
          initialDelaySeconds: 5
        readinessProbe:
          httpGet:
            path: /ready
            port: http
          periodSeconds: 3
        volumeMounts:
        - name: settings
          mountPath: /etc/web
          readOnly: true
      # both zones, so that one can go
      topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: topology.kubernetes.io/zone
        whenUnsatisfiable: ScheduleAnyway
        labelSelector:
          matchLabels:
            app: {name}
      volumes:
      - name: settings
        configMap:
          name: {name}-settings
""",
    """\
apiVersion: apps/v1
kind: Deployment
metadata:
    name: {name}
    annotations:
        description: "handles orders: {number}"
        prometheus.io/scrape: 'true'
        prometheus.io/port: '9102'
    labels:
        app: {name}
        team: orders
spec:
    replicas: {replicas}
    strategy:
        type: RollingUpdate
        rollingUpdate:
            maxSurge: 1
            maxUnavailable: 0
    selector:
        matchLabels:
            app: {name}
    template:
        metadata:
            labels:
                app: {name}
                team: orders
        spec:
            serviceAccountName: worker
            terminationGracePeriodSeconds: 60
            initContainers:
                # wait for the schema
                - name: migrate
                  image: registry.example.com/shop/migrate:{number}
                  command: ["./migrate", "--up"]
            containers:
                - name: worker
                  image: registry.example.com/shop/worker:{number}
                  imagePullPolicy: IfNotPresent
                  args:
                      - --queue=orders
                      - --concurrency=4
                      - --metrics=:9102
                  env:
                      - name: QUEUE
                        valueFrom:
                            configMapKeyRef:
                                name: worker
                                key: queue
                      - name: QUEUE_PASSWORD
                        valueFrom:
                            secretKeyRef:
                                name: worker
                                key: password
                  ports:
                      - name: metrics
                        containerPort: 9102
                  lifecycle:
                      preStop:
                          exec:
                              command: ["/app/drain"]
                  readinessProbe:
                      exec:
                          command: ["/app/ready"]
                      periodSeconds: 10
                  resources:
                      requests:
                          cpu: 50m
                          memory: 64Mi  # measured in June
""",
    """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop, labels: {{app: {name}, tier: back}}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  replicas: {replicas}
  template:
    metadata:
      labels: {{app: {name}, tier: back}}
      annotations:
        checksum/config: "0{number}"
    spec:
      securityContext: {{}}
      nodeSelector: {{kubernetes.io/os: linux}}
      tolerations:
        - {{key: dedicated, operator: Equal, value: shop, effect: NoSchedule}}
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              podAffinityTerm:
                topologyKey: kubernetes.io/hostname
                labelSelector:
                  matchExpressions:
                    - {{key: app, operator: In, values: [{name}]}}
      containers:
        - name: api
          image: "registry.example.com/shop/api:2.{number}"
          command: [/api, "--listen=0.0.0.0:8080"]
          ports: [{{name: http, containerPort: 8080}}]
          env:
            - {{name: DB_HOST, value: postgres}}
            - {{name: DB_PORT, value: "5432"}}
            - name: DB_PASSWORD
              valueFrom: {{secretKeyRef: {{name: postgres, key: password}}}}
          securityContext:
            privileged: false
            runAsUser: 1000
          livenessProbe:
            httpGet: {{path: /live, port: 8080}}
            periodSeconds: 10
          readinessProbe:
            httpGet: {{path: /ready, port: 8080}}
            failureThreshold: 2
          resources:
            limits: {{cpu: 200m, memory: 128Mi}}
            requests: {{cpu: 100m, memory: 64Mi}}
          volumeMounts:
            - {{name: cache, mountPath: /var/cache/api}}
            - {{name: tls, mountPath: /tls, readOnly: true}}
      volumes:
        - name: cache
          emptyDir: {{sizeLimit: 64Mi}}
        - name: tls
          secret:
            secretName: {name}-tls
            defaultMode: 0440
""",
)
# What a page of documentation shows: here the edits weigh more than the text.
_SMALL = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  replicas: {replicas}
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
    spec:
      containers:
      - name: web
        image: registry.example.com/shop/{name}:1.{number}
"""
_SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  selector:
    app: {name}
  ports:
  - port: 80
    targetPort: 8080
"""
_CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}-settings
data:
  settings.ini: |
    [web]
    workers = {number}
    name = {name}
"""


def deployment(number: int) -> str:
    """The text of one Deployment; its style goes with ``number``."""
    return _STYLES[number % len(_STYLES)].format(name=f"app-{number}", number=number, replicas=1 + number % 5)


def deployments(path: Path, count: int) -> Path:
    """Write ``count`` Deployments into one file."""
    with path.open("w", encoding="utf-8") as stream:
        for number in range(count):
            stream.write(("---\n" if number else "") + deployment(number))
    return path


def small_deployments(path: Path, count: int) -> Path:
    """Write ``count`` Deployments of 17 lines into one file; each of them gets 8 edits by default."""
    texts = [_SMALL.format(name=f"app-{n}", number=n, replicas=1 + n % 5) for n in range(count)]
    path.write_text("---\n".join(texts), encoding="utf-8")
    return path


def repository(folder: Path, documents: int) -> Path:
    """Write a Git repository of ``documents``: half Deployments, the rest Services and ConfigMaps. Returns one file."""
    for number in range(documents // 4):
        target = folder / f"team-{number % 10}" / f"app-{number}.yaml"
        target.parent.mkdir(parents=True, exist_ok=True)
        service = _SERVICE.format(name=f"app-{number}")
        settings = _CONFIG_MAP.format(name=f"app-{number}", number=number)
        parts = [deployment(number), service, settings, deployment(documents + number)]
        target.write_text("---\n".join(parts), encoding="utf-8")
    return folder / "team-0" / "app-0.yaml"


_NAMESPACE = """\
apiVersion: v1
kind: Namespace
metadata:
  name: {name}
"""
_TALKING = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {namespace}
spec:
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
    spec:
      containers:
      - name: server
        image: registry.example.com/shop/{name}:1.4
        ports:
        - name: http
          containerPort: 8080
        env:
        - name: ORDERS_URL
          value: http://{near}/v1
        - name: STOCK_ADDR
          value: {next}:80
        - name: LEDGER_ADDR
          value: {far}.{far_namespace}.svc.cluster.local:80
---
apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: {namespace}
spec:
  selector:
    app: {name}
  ports:
  - port: 80
    targetPort: http
"""
_POD = """\
---
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  containers:
  - name: web
    image: {image}
"""
_IN_A_NAMESPACE = 50


def application(folder: Path, workloads: int) -> Path:
    """Write a Git repository of ``workloads`` Deployments, each with a Service, that talk to each other: two of the
    same namespace and one of another. A folder with its Namespace and kustomization per fifty of them; one
    kustomization lists the folders."""
    (folder / ".git").mkdir(parents=True)
    groups = [range(start, min(start + _IN_A_NAMESPACE, workloads)) for start in range(0, workloads, _IN_A_NAMESPACE)]
    for index, group in enumerate(groups):
        target = folder / f"team-{index}"
        target.mkdir()
        (target / "namespace.yaml").write_text(_NAMESPACE.format(name=target.name), encoding="utf-8")
        names = ["namespace.yaml"]
        for number in group:
            near, follower = (group[(number - group.start + step) % len(group)] for step in (1, 7))
            far = (number * 31 + _IN_A_NAMESPACE) % workloads
            text = _TALKING.format(
                name=f"app-{number}", namespace=target.name, near=f"app-{near}", next=f"app-{follower}",
                far=f"app-{far}", far_namespace=f"team-{far // _IN_A_NAMESPACE}",
            )  # fmt: skip
            (target / f"app-{number}.yaml").write_text(text, encoding="utf-8")
            names.append(f"app-{number}.yaml")
        _kustomization(target, names)
    _kustomization(folder, [f"team-{index}" for index in range(len(groups))])
    return folder


def _kustomization(folder: Path, names: list[str]) -> None:
    (folder / "kustomization.yaml").write_text("resources:\n" + "".join(f"- {n}\n" for n in names), encoding="utf-8")


def pods(folder: Path, images: list[str]) -> Path:
    """Write a Git repository with one file that runs each of ``images`` once; the file."""
    (folder / ".git").mkdir(parents=True)
    file = folder / "pods.yaml"
    with file.open("w", encoding="utf-8") as handle:
        for number, image in enumerate(images):
            handle.write(_POD.format(name=f"app-{number}", image=image))
    return file


def one_namespace(folder: Path, workloads: int) -> None:
    """Write a Git repository of ``workloads`` Deployments, each with a Service, in one namespace; each calls two."""
    (folder / ".git").mkdir(parents=True)
    (folder / "namespace.yaml").write_text(_NAMESPACE.format(name="team"), encoding="utf-8")
    for number in range(workloads):
        text = _TALKING.format(
            name=f"app-{number}", namespace="team", near=f"app-{(number + 1) % workloads}",
            next=f"app-{(number + 7) % workloads}", far=f"app-{number * 31 % workloads}", far_namespace="team",
        )  # fmt: skip
        (folder / f"app-{number}.yaml").write_text(text, encoding="utf-8")


def kustomizations(folder: Path, count: int) -> None:
    """Write a Git repository of ``count`` kustomizations with one Deployment each, and one that lists them."""
    (folder / ".git").mkdir(parents=True)
    for number in range(count):
        target = folder / f"app-{number}"
        target.mkdir()
        (target / "app.yaml").write_text(deployment(number), encoding="utf-8")
        text = f"namespace: team-{number % 10}\nresources:\n- app.yaml\n"
        (target / "kustomization.yaml").write_text(text, encoding="utf-8")
    _kustomization(folder, [f"app-{number}" for number in range(count)])


_POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {name}
  namespace: team
spec:
  podSelector:
    matchLabels:
      app: {name}
  policyTypes: [Ingress]
  ingress:
  - from:
    - podSelector:
        matchLabels:
          app: {near}
    ports:
    - port: 8080
"""


def policies(folder: Path, count: int) -> None:
    """Write a Git repository of ``count`` workloads, each with a Service and a NetworkPolicy, in one namespace."""
    one_namespace(folder, count)
    for number in range(count):
        text = _POLICY.format(name=f"app-{number}", near=f"app-{(number - 1) % count}")
        (folder / f"policy-{number}.yaml").write_text(text, encoding="utf-8")


_POD_OF_ONE = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: web
    image: web:1
"""


def lines(count: int) -> str:
    """A Pod whose container has so many variables that its text has ``count`` lines."""
    head = f"{_POD_OF_ONE}    env:\n"
    pairs = (f"    - name: SETTING_{number}\n      value: value-{number}\n" for number in range((count - 9) // 2))
    return head + "".join(pairs)


def data(count: int) -> str:
    """A ConfigMap with ``count`` lines of text, and the Pod that mounts it."""
    pod = f"{_POD_OF_ONE}  volumes:\n  - name: settings\n    configMap:\n      name: settings\n---\n"
    text = "".join(f"    setting.{number} = value-{number}\n" for number in range(count))
    return f"{pod}apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  settings.ini: |\n{text}"


def containers(count: int) -> str:
    """A Pod of ``count`` containers."""
    each = "".join(
        f"  - name: web-{number}\n    image: registry.example.com/web-{number}:1\n" for number in range(count)
    )
    return f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n{each}"


def ports(count: int) -> str:
    """A Pod of one container with ``count`` ports, and a Service that leads to each of them by its name."""
    each = "".join(f"    - name: p{number}\n      containerPort: {1024 + number % 60_000}\n" for number in range(count))
    one = "  - name: p{0}\n    port: {1}\n    targetPort: p{0}\n"
    served = "".join(one.format(number, 1024 + number % 60_000) for number in range(count))
    pod = _POD_OF_ONE.replace("web\n", "web\n  labels: {app: web}\n", 1)
    head = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  selector: {app: web}\n  ports:\n"
    return f"{pod}    ports:\n{each}---\n{head}{served}"


_PATCH = """\
- patch: |
    apiVersion: v1
    kind: Pod
    metadata: {{name: {name}}}
    spec: {{containers: [{{name: web, env: [{{name: SETTING_{number}, value: "1"}}]}}]}}
"""


def patches(folder: Path, count: int, *, pods: int | None = None) -> None:
    """Write a Git repository of one kustomization with ``count`` patches, each for a Pod of its own, or all of them for
    as many ``pods`` as are named."""
    (folder / ".git").mkdir(parents=True)
    names = [f"web-{number}" for number in range(count if pods is None else pods)]
    text = "---\n".join(_POD_OF_ONE.replace("web\n", f"{name}\n", 1) for name in names)
    (folder / "app.yaml").write_text(text, encoding="utf-8")
    each = "".join(_PATCH.format(name=names[number % len(names)], number=number) for number in range(count))
    text = f"resources:\n- app.yaml\npatches:\n{each}"
    (folder / "kustomization.yaml").write_text(text, encoding="utf-8")


def passwords(count: int) -> str:
    """``count`` Pods, each with a password of its own in a variable; all of them begin alike."""
    each = "    env:\n    - name: DB_PASSWORD\n      value: hunter{0}xyzzyQ\n"
    pods = (_POD_OF_ONE.replace("web\n", f"web-{number}\n", 1) + each.format(number) for number in range(count))
    return "---\n".join(pods)
