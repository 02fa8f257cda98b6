//! Texts that people give, and texts that are compared without regard to case and accents.

use std::ops::RangeInclusive;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Characters of a reason: why a factura is rejected or reopened, or a delegation given.
pub const MOTIVO: RangeInclusive<usize> = 3..=1000;
/// Characters of a comment at most.
pub const COMENTARIO: usize = 1000;

/// The text without blanks around it, if it then has so many characters.
#[must_use]
pub fn sized(text: &str, characters: &RangeInclusive<usize>) -> Option<String> {
    let text = text.trim();
    characters
        .contains(&text.chars().count())
        .then(|| text.to_owned())
}

/// The first so many characters.
#[must_use]
pub fn cut(text: &str, characters: usize) -> &str {
    text.char_indices()
        .nth(characters)
        .and_then(|(end, _)| text.get(..end))
        .unwrap_or(text)
}

/// The text in lower case and without accents.
#[must_use]
pub fn folded(text: &str) -> String {
    // Twice taken apart: lower case may bring marks of its own.
    text.nfd()
        .flat_map(char::to_lowercase)
        .nfd()
        .filter(|c| !is_combining_mark(*c))
        .collect()
}

/// The text in its composed form, so that one spelling has one sequence of characters.
#[must_use]
pub(crate) fn composed(text: &str) -> String {
    text.nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_counted_in_characters_and_without_blanks_around_it() {
        assert_eq!(sized(" ñandú \n", &(5..=5)).as_deref(), Some("ñandú"));
        assert_eq!(sized("  no  ", &MOTIVO), None);
        assert_eq!(sized(&"a".repeat(1001), &MOTIVO), None);
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("ñandú", 4), "ñand");
        assert_eq!(cut("ñandú", 5), "ñandú");
        assert_eq!(cut("", 3), "");
    }

    #[test]
    fn case_and_accents_fold_away() {
        assert_eq!(
            folded("Sistema de AUTOMATIZACIÓN"),
            "sistema de automatizacion"
        );
        assert_eq!(folded("Automatizacio\u{301}n"), "automatizacion");
        assert_eq!(folded("İ"), "i");
    }
}
