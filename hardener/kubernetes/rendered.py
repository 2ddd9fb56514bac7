"""Objects that a controller of the cluster renders into workloads, so that the tree does not show their pods."""

RENDERED_ELSEWHERE: frozenset[tuple[str, str]] = frozenset({
    ("helm.toolkit.fluxcd.io", "HelmRelease"), ("kustomize.toolkit.fluxcd.io", "Kustomization"),
    ("helm.cattle.io", "HelmChart"), ("helm.cattle.io", "HelmChartConfig"),
    ("argoproj.io", "Application"), ("argoproj.io", "ApplicationSet"),
    ("monitoring.coreos.com", "Prometheus"), ("monitoring.coreos.com", "Alertmanager"),
    ("monitoring.coreos.com", "ThanosRuler"),
})  # fmt: skip
"""By API group and kind."""
