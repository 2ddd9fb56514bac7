"""Read and rewrite the Kubernetes objects of Python files in place, touching no byte that nobody asked to change.

`parsed.parse` reads a file as plain data with positions: one document for each object that its code makes.
`rewrite.rewrite` changes it through that data. What cannot be done faithfully raises `yaml.TextError`. `gate.passes`
tells for nearly all files that they make none, without the parser: so nothing is imported here.
"""
