"""What the bundle is made of and how it is checked; imported by the spec, `./run bundle` and tests."""
