"""Whatever stands between the bytes of a reply and the values of the model."""
