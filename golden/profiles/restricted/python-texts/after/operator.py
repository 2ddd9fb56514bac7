"""An operator."""
import kopf
import yaml
import kubernetes

TEMPLATE = """
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  type: NodePort   # for tests
  selector: {{app: {name}}}
  ports:
  - port: 80
"""


@kopf.on.create("example.com", "v1", "widgets")
def create(spec, name, namespace, **kwargs):
    image = spec["image"]
    doc = yaml.safe_load(f"""
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: {name}
          labels: {{app: "{name}"}}
        spec:
          replicas: {spec.get("replicas", 1)}
          selector:
            matchLabels: {{app: "{name}"}}
          template:
            metadata:
              labels: {{app: "{name}"}}
            spec:
              securityContext:
                seccompProfile:
                  type: RuntimeDefault
              containers:
              - name: web   # the only one
                image: "{image}:{spec['tag']}"
    """)
    service = yaml.safe_load(TEMPLATE.format(name=name))
    job = yaml.safe_load("""\
apiVersion: batch/v1
kind: Job
metadata: {name: %s}
spec:
  template:
    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        seccompProfile:
          type: RuntimeDefault
      containers:
      - name: x
        image: busybox:1.36
        command: [sh, -c, "exit 0"]
        resources:
          requests:
            cpu: 25m
            memory: 128Mi
          limits:
            cpu: "1"
            memory: 2Gi
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities:
            drop: [ALL]
        volumeMounts:
        - name: harden-x-tmp
          mountPath: /tmp
      volumes:
      - name: harden-x-tmp
        emptyDir: {}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: %s
""" % (name, name))
    kopf.adopt(doc)
