"""Charts that something in a tree has rendered live here: which kinds of object do, the values they give, and where an
override of these is written."""
