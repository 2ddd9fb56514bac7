"""A Helm chart lives here: rendered by helm, and which of its values reach what a run wants to change; the chart is
never written."""
