"""JPEG pictures (ITU-T T.81): scans to quantized DCT coefficients, and back to the same bytes."""
