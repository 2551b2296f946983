"""Coverage-guided fuzzing of the decoder and the floor behind it, and the corpus that came of it."""
