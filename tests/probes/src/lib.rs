//! The components are in `examples/`; this library is empty so that the package has a place for them.
