"""What an Ingress says, as plain data."""

from collections.abc import Iterator


def backends(value: object) -> Iterator[str]:
    """The names of the Services that the spec of an Ingress leads to, perhaps more than once.

    Of networking.k8s.io/v1 (service.name) and of the versions before it (serviceName), wherever they stand.
    """
    if isinstance(value, dict):
        for key, child in value.items():
            if key == "serviceName" and isinstance(child, str):
                yield child
            elif key == "service" and isinstance(child, dict) and isinstance(child.get("name"), str):
                yield child["name"]
            else:
                yield from backends(child)
    elif isinstance(value, list):
        for child in value:
            yield from backends(child)
