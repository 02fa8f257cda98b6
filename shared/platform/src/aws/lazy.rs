//! Clients that wait for their first use.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

/// Something that is made when it is used first, and then shared by all copies of this handle. A client takes half a million instructions to
/// make, and few events need all that their function holds.
pub struct Lazy<T>(Arc<LazyLock<T, Box<dyn FnOnce() -> T + Send + Sync>>>);

impl<T> Lazy<T> {
    /// By these means, later.
    pub fn new(make: impl FnOnce() -> T + Send + Sync + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(make))))
    }
}

impl<T: Send + Sync + 'static> From<T> for Lazy<T> {
    fn from(made: T) -> Self {
        Self::new(move || made)
    }
}

impl<T> Clone for Lazy<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lazy")
    }
}

impl<T> Deref for Lazy<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn it_is_made_at_the_first_use_and_once() {
        let made = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&made);
        let lazy = Lazy::new(move || count.fetch_add(1, Ordering::Relaxed));
        let copy = lazy.clone();
        assert_eq!(made.load(Ordering::Relaxed), 0);
        assert_eq!((*lazy, *copy), (0, 0));
        assert_eq!(made.load(Ordering::Relaxed), 1);
    }
}
