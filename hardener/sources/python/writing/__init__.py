"""Changed data as the text of a program: literals, constructors, brackets, layout and imports."""
