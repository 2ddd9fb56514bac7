"""The files of a chart live here: what belongs to it, what it says of itself, and its copy in a folder of ours."""
