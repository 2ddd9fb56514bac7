"""What tests a transform lives here, the golden runner and its pytest plugin; tests of this program stand in
`tests/`."""
