"""Images in their registries: the OCI distribution API, as far as digests and configs of images need it.

Source: github.com/opencontainers/distribution-spec, spec.md; of tokens, distribution.github.io/distribution/spec/auth.
Nothing but the name of an image is sent. Only ``harden lock`` uses this package.
"""
