//! The sections of `docs/costs.md`, which several measurements write, each its own.

use std::fs;

const PLACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/costs.md");
/// The order of the file. What is not listed comes last.
const ORDER: [&str; 6] = [
    "Routes",
    "Batches",
    "Payroll",
    "Facturas at once",
    "Starts",
    "Beside other runtimes",
];

/// Puts a section into the report, in the place of the one of the same title, and prints it. `text` is all that follows the title.
pub fn put_section(title: &str, text: &str) {
    println!("\n## {title}\n\n{text}");
    let report = fs::read_to_string(PLACE).expect("docs/costs.md is there");
    fs::write(PLACE, with_section(&report, title, text)).expect("docs/costs.md can be written");
}

/// Puts in what stands before all sections.
pub fn put_head(head: &str) {
    let report = fs::read_to_string(PLACE).expect("docs/costs.md is there");
    let sections = report.find("\n## ").map_or("", |start| &report[start..]);
    let report = format!("{}\n{sections}", head.trim_end());
    fs::write(PLACE, report).expect("docs/costs.md can be written");
}

fn with_section(report: &str, title: &str, text: &str) -> String {
    let mut parts = report.split("\n## ");
    let head = parts.next().unwrap_or_default();
    let place = |section: &str| {
        let known = ORDER.iter().position(|known| section.starts_with(known));
        known.unwrap_or(ORDER.len())
    };
    let mut sections: Vec<String> = parts
        .filter(|section| section.lines().next() != Some(title))
        .map(|section| section.trim_end().to_owned())
        .collect();
    sections.push(format!("{title}\n\n{}", text.trim()));
    sections.sort_by_key(|section| place(section));
    let mut report = head.trim_end().to_owned();
    for section in sections {
        report.push_str("\n\n## ");
        report.push_str(&section);
    }
    report.push('\n');
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_takes_the_place_of_the_one_before() {
        let report =
            "# What\n\nhead\n\n## Routes\n\nold\n\n### Part\n\nof it\n\n## Starts\n\nfast\n";
        assert_eq!(
            with_section(report, "Routes", "new\n"),
            "# What\n\nhead\n\n## Routes\n\nnew\n\n## Starts\n\nfast\n"
        );
        assert_eq!(
            with_section(report, "Batches", "many"),
            "# What\n\nhead\n\n## Routes\n\nold\n\n### Part\n\nof it\n\n## Batches\n\nmany\n\n## Starts\n\nfast\n"
        );
    }
}
