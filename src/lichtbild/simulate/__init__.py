"""Simulate — scenes become raw bursts with exact truth."""
