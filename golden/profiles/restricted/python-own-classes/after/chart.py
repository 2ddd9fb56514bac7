import yaml


def deployment(name, replicas, extra_volumes, extra_env):
    return yaml.safe_load(f"""
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  replicas: {replicas}
  selector:
    matchLabels: {{app: web}}
  template:
    metadata:
      labels: {{app: web}}
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        seccompProfile:
          type: RuntimeDefault
      containers:
      - name: web
        image: registry.example.com/web:1
        args: [serve]
        env:
          - name: MODE
            value: production
          {extra_env}
        resources:
          requests:
            cpu: 25m
            memory: 128Mi
          limits:
            cpu: "1"
            memory: 2Gi
        securityContext:
          allowPrivilegeEscalation: false
          capabilities:
            drop: [ALL]
      volumes:
        - name: data
          emptyDir: {{}}
        {extra_volumes}
""")
