"""What is known of an image lives here: references, the table of well-known images, what a config and its files say."""
