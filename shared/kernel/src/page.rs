//! Pages of a list.

use serde::{Deserialize, Serialize};

/// A page size outside 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a page holds 1 to 100 items")]
pub struct InvalidLimit;

/// How many items a page may hold: 1 to 100, 25 unless asked otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Limit(u32);

impl Limit {
    /// The smallest page.
    pub const MIN: u32 = 1;
    /// The largest page.
    pub const MAX: u32 = 100;

    /// Checks a wanted page size.
    ///
    /// # Errors
    /// [`InvalidLimit`] outside 1 to 100.
    pub const fn new(limit: u32) -> Result<Self, InvalidLimit> {
        match limit {
            Self::MIN..=Self::MAX => Ok(Self(limit)),
            0 | 101.. => Err(InvalidLimit),
        }
    }

    /// The page size.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(25)
    }
}

impl TryFrom<u32> for Limit {
    type Error = InvalidLimit;

    fn try_from(limit: u32) -> Result<Self, Self::Error> {
        Self::new(limit)
    }
}

impl From<Limit> for u32 {
    fn from(limit: Limit) -> Self {
        limit.0
    }
}

/// A page and the cursor of the next one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items, possibly fewer than the limit.
    pub items: Vec<T>,
    /// The cursor of the next page; only `None` ends a list.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The only page of a list that is complete.
    #[must_use]
    pub const fn last(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    /// Changes every item.
    #[must_use]
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next: self.next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, false)]
    #[case(1, true)]
    #[case(100, true)]
    #[case(101, false)]
    fn a_page_holds_one_to_a_hundred(#[case] limit: u32, #[case] allowed: bool) {
        assert_eq!(Limit::new(limit).is_ok(), allowed);
    }

    #[test]
    fn twenty_five_unless_asked_otherwise() {
        assert_eq!(Limit::default().get(), 25);
    }

    #[test]
    fn the_end_of_a_list_is_an_explicit_null() {
        let page = Page::last(vec![1, 2]).map(|n| n * 2);
        assert_eq!(
            serde_json::to_string(&page).unwrap(),
            r#"{"items":[2,4],"next":null}"#
        );
    }
}
