"""What the benchmarks harden: made-up Deployments in the styles people write, streamed to disk."""

from __future__ import annotations

from pathlib import Path

# Three styles, so that no cache and no single shape carries the result: block with indentless lists, block with
# indented lists, and one with flow collections, quotes and a security context of its own.
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
spec:
  replicas: {replicas}
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
        readinessProbe:
          httpGet:
            path: /ready
            port: http
        volumeMounts:
        - name: settings
          mountPath: /etc/web
          readOnly: true
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
spec:
    replicas: {replicas}
    strategy:
        type: RollingUpdate
    selector:
        matchLabels:
            app: {name}
    template:
        metadata:
            labels:
                app: {name}
        spec:
            serviceAccountName: worker
            initContainers:
                # wait for the schema
                - name: migrate
                  image: registry.example.com/shop/migrate:{number}
                  command: ["./migrate", "--up"]
            containers:
                - name: worker
                  image: registry.example.com/shop/worker:{number}
                  args:
                      - --queue=orders
                      - --concurrency=4
                  env:
                      - name: QUEUE
                        valueFrom:
                            configMapKeyRef:
                                name: worker
                                key: queue
                  resources:
                      requests:
                          cpu: 50m
""",
    """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop, labels: {{app: {name}}}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  replicas: {replicas}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      securityContext: {{}}
      containers:
        - name: api
          image: "registry.example.com/shop/api:2.{number}"
          command: [/api, "--listen=0.0.0.0:8080"]
          ports: [{{name: http, containerPort: 8080}}]
          securityContext:
            privileged: false
            runAsUser: 1000
          livenessProbe:
            httpGet: {{path: /live, port: 8080}}
            periodSeconds: 10
          resources:
            limits: {{cpu: 200m, memory: 128Mi}}
            requests: {{cpu: 100m, memory: 64Mi}}
""",
)
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
