"""The project itself: its storeys, its public face, its package, and what its pages say."""
