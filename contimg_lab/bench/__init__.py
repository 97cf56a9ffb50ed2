"""What ``contimg-lab bench`` runs."""
