"""contimg_lab: the DSA-110 continuum imaging pipeline, seen from a notebook."""
