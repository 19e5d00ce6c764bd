"""Copies of what is somebody's: a ZIP file, made beside requests and kept for a day."""
