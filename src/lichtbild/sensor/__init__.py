"""Sensor — photons to digital numbers.

s = sensor.load("phone-1-inch")                      # or imx477, …: sensor.names(); or a .toml file
shot = types.Exposure(iso=400, time_s=1 / 30, aperture=1.9)
mosaic = sensor.expose(light, s, shot, seed=1, frame=0)   # light: Rec.2020 in cd/m², as the lens passes it
frame = sensor.frame(mosaic, s, shot)                # with black, white, noise, matrices: ready for export.dng
"""

from .colour import camera_colour, electrons, iso_speed, lux_s, matrix, neutral, reflected
from .exposure import expected, expose
from .file import load, names
from .frame import frame
from .profile import with_noise
from .types import Sensor, SensorError

__all__ = [
    "Sensor", "SensorError", "camera_colour", "electrons", "expected", "expose", "frame", "iso_speed", "load", "lux_s",
    "matrix", "names", "neutral", "reflected", "with_noise",
]  # fmt: skip
