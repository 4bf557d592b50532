"""PDF/A-2b (ISO 19005-2:2011): what is mended, what stands in the way, what is claimed."""
