"""Lab — what is measured of pictures, cameras and lenses. `metrics` compares pictures, `edge` measures sharpness."""
