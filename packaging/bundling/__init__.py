"""What the bundle is made of and how it is checked: for the spec, `./run bundle` and tests."""
