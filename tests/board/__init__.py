"""Tests of the floor as words and lines."""
