//! A row of a sheet before it is understood; one buffer is used for every row.

use super::cell::Raw;

/// What stands in a cell that has content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A text.
    Text,
    /// A workbook's number.
    Number,
    /// `#REF!` and the like.
    Error,
}

/// Where a cell's content comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It was written there.
    Written,
    /// It is the cached value of a formula.
    Cached,
    /// A formula of which no value is cached.
    Uncached,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    column: u16,
    content: Content,
    origin: Origin,
    start: usize,
    end: usize,
}

/// The cells of a row that have content.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// The row's number, from 1.
    pub(super) number: u32,
    /// How many cells the row has, the empty ones included. Only CSV counts them.
    pub(super) width: usize,
    slots: Vec<Slot>,
    text: String,
}

/// A cell of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell<'a> {
    /// The column, from 0.
    pub(super) column: u16,
    /// What stands there.
    pub(super) content: Content,
    /// Where it comes from.
    pub(super) origin: Origin,
    /// The text or the number as it is written; trimmed.
    pub(super) text: &'a str,
}

impl<'a> Cell<'a> {
    /// What is to be read, if there is anything.
    pub(super) fn raw(self) -> Option<Raw<'a>> {
        if self.text.is_empty() || self.origin == Origin::Uncached {
            return None;
        }
        match self.content {
            Content::Text => Some(Raw::Text(self.text)),
            Content::Number => Some(Raw::Number(self.text)),
            Content::Error => None,
        }
    }
}

impl Row {
    /// Begins another row.
    pub(super) fn begin(&mut self, number: u32) {
        self.number = number;
        self.width = 0;
        self.slots.clear();
        self.text.clear();
    }

    /// Takes a cell. One without content leaves no trace, except a formula's.
    pub(super) fn push(&mut self, column: u16, content: Content, origin: Origin, text: &str) {
        // NBSP is white space to Rust, too.
        let trimmed = text.trim();
        let text = if trimmed == "-" { "" } else { trimmed };
        if text.is_empty() && origin == Origin::Written {
            return;
        }
        let start = self.text.len();
        self.text.push_str(text);
        self.slots.push(Slot {
            column,
            content,
            origin,
            start,
            end: self.text.len(),
        });
    }

    /// The cells, from left to right.
    pub(super) fn cells(&self) -> impl Iterator<Item = Cell<'_>> {
        self.slots.iter().map(|slot| Cell {
            column: slot.column,
            content: slot.content,
            origin: slot.origin,
            text: self.text.get(slot.start..slot.end).unwrap_or(""),
        })
    }

    /// Whether nothing stands in the row. A formula dragged down over empty rows yields empty texts, and is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.slots
            .iter()
            .all(|slot| slot.start == slot.end && slot.origin == Origin::Cached)
    }

    /// How many bytes the row keeps, for those who keep rows.
    pub(super) fn weight(&self) -> usize {
        self.text.len() + self.slots.len() * size_of::<Slot>()
    }
}
