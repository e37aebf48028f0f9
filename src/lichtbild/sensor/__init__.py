"""Sensor — photons to digital numbers."""
