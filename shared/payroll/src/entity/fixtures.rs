//! Values that the tests of entities share.
