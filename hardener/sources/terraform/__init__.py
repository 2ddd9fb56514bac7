"""Read and rewrite Terraform files in place, touching no byte that nobody asked to change.

`source.SOURCE` answers for the language. `parsed.parse` reads a file as plain data with positions: one document per
block at the top, in the form of Terraform's JSON syntax. `rewrite.rewrite` changes it through that data, `rewrite.dump`
writes a new block. What cannot be done faithfully raises `yaml.TextError`. Nothing is imported here: of most files a
search tells that nothing in them is of interest.
"""
