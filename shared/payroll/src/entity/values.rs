//! Texts that people give as reasons.

use std::ops::RangeInclusive;

/// Characters of a reason: why a closing is deleted or reopened.
pub const REASON: RangeInclusive<usize> = 10..=500;
/// Characters of a justification or a comment.
pub const JUSTIFICATION: RangeInclusive<usize> = 10..=1000;

/// The text without blanks around it, if it then has so many characters.
pub fn sized(text: &str, characters: &RangeInclusive<usize>) -> Option<String> {
    let text = text.trim();
    characters
        .contains(&text.chars().count())
        .then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_counted_in_characters_and_without_blanks_around_it() {
        assert_eq!(
            sized("  ñandú ñandú \n", &REASON).as_deref(),
            Some("ñandú ñandú")
        );
        assert_eq!(sized("  ñandúñand  ", &REASON), None);
        assert_eq!(sized(&"a".repeat(501), &REASON), None);
    }
}
