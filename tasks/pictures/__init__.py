"""What is known of image files: decoded, counted, costed, and put into a PDF as they are."""
