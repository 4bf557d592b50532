"""What is known of PDFs: opened, judged, rendered, mended, stripped, saved."""
