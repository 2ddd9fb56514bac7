"""What Git says of a repository: its index, remotes and blobs; and the program itself, which obeys nothing there."""
