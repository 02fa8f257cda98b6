//! Whatever a text contains, it stays a text.

use super::*;

/// What a browser makes of escaped text.
fn unescaped(page: &str) -> String {
    page.replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#38;", "&")
}

/// A document on which every free text is this one.
fn with_text(text: &str) -> String {
    let printed = Printed {
        issuer_name: text,
        issuer_address: Some(text),
        receiver_name: text,
        description: text,
        cae: text,
        reason: Some(text),
        ..document("B-0001-NC-00000002")
    };
    render(&printed).unwrap()
}

/// The characters that make markup, and how often each stands there.
fn markup(page: &str) -> [usize; 4] {
    ['<', '>', '"', '\''].map(|c| page.matches(c).count())
}

/// That the text stands in its six places as it is, and has changed nothing else.
fn is_only_text(text: &str) -> bool {
    let page = with_text(text);
    let unescaped = unescaped(&page);
    let entities = page.matches('&').count();
    markup(&page) == markup(&with_text("")) && entities == page.matches("&#").count() && {
        let plain = words::plain(text);
        unescaped.matches(plain.as_str()).count() >= 6
    }
}

#[rstest]
#[case::script("<script>alert(1)</script>")]
#[case::attribute(r#""><img src=x onerror="alert(1)">"#)]
#[case::single_quotes("' onmouseover='alert(1)")]
#[case::end_of_style("</style></title><h1>FACTURA</h1>")]
#[case::comment("<!-- -->")]
#[case::entity("&lt;b&gt; &amp; &#60;")]
#[case::template("{{ total }} {% if true %} {# #}")]
#[case::ampersand("Pérez & Hijos")]
#[case::two_hundred_letters(&"W".repeat(200))]
#[case::two_hundred_signs(&"<".repeat(200))]
fn a_hostile_name_is_only_a_name(#[case] name: &str) {
    assert!(is_only_text(name), "{}", with_text(name));
}

#[test]
fn a_name_cannot_turn_the_writing_around() {
    let page =
        with_text("\u{202E}7-00000000-03\u{202C} \u{2067}S.A.\u{2069} \u{200F}\u{200E}\u{061C}Uno");
    assert_shows(&page, &["<bdi>7-00000000-03 S.A. Uno</bdi>"]);
    // A name in another script stays, kept apart from what stands beside it.
    assert_shows(&with_text("שלום"), &["<bdi>שלום</bdi>"]);
}

proptest! {
    #[test]
    fn no_text_becomes_markup(text in prop_oneof![any::<String>(), "[<>&\"'/=#; a-z\u{202E}]{1,60}", "\\PC{1,200}"]) {
        prop_assert!(is_only_text(&text), "{}", with_text(&text));
    }
}
