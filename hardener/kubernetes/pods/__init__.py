"""What a pod starts, needs and writes lives here, as far as its template and its commands show."""
