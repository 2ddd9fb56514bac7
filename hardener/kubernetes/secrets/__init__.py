"""What a secret looks like lives here, and the objects that hold one or say where it is."""
