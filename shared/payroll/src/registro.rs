//! A row of a file as it was understood.

use std::borrow::Cow;

use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::files::column_name;
use crate::lre::Code;
use crate::rut::Rut;

/// Whose value stands in a cell: a column of the book, or a column that a kind of file names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// A column of the book (LRE).
    Lre(Code),
    /// A column of another kind, by its name in `payroll_file_columns.csv`.
    Named(&'static str),
}

impl Field {
    /// The name on the wire: the code or the column's name.
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Self::Lre(code) => Cow::Owned(code.to_string()),
            Self::Named(name) => Cow::Borrowed(name),
        }
    }

    /// Reads the name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        let code = Code::parse(name).map(Self::Lre);
        code.or_else(|| column_name(name).map(Self::Named))
    }
}

/// What stands in a cell. An empty cell has no value at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Chilean pesos, whole; of at most 12 digits.
    Amount(i64),
    /// A number with at most two decimals, in hundredths.
    Hundredths(i64),
    /// A day.
    Date(Date),
    /// A RUT.
    Rut(Rut),
    /// A text, a code of a list, or a word of a list in its normal form.
    Text(Box<str>),
}

/// Cells of columns that could not be classified, each with its header.
pub type Others = Vec<(Arc<str>, Box<str>)>;

/// A data row.
///
/// As JSON, which is how it is kept, its members have names of one letter, and values say by their first letter what they are: a row has up to
/// 147 of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registro {
    /// The sheet's name; empty for CSV.
    #[serde(rename = "h", with = "sheet")]
    pub sheet: Arc<str>,
    /// The 1-based row of the sheet; for CSV the record's number.
    #[serde(rename = "f")]
    pub row: u32,
    /// Whose row it is.
    #[serde(rename = "r")]
    pub rut: Rut,
    /// The values by field, in the order of the file's columns; empty cells are left out.
    #[serde(rename = "v", with = "values")]
    pub values: Vec<(Field, Value)>,
    /// Cells of columns that could not be classified, by their header.
    #[serde(
        rename = "o",
        with = "others",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub others: Others,
}

impl Value {
    fn to_kept(&self) -> String {
        match self {
            Self::Amount(pesos) => format!("a{pesos}"),
            Self::Hundredths(hundredths) => format!("h{hundredths}"),
            Self::Date(day) => format!("d{day}"),
            Self::Rut(rut) => format!("r{rut}"),
            Self::Text(text) => format!("t{text}"),
        }
    }

    fn of_kept(text: &str) -> Option<Self> {
        let mut letters = text.chars();
        let kind = letters.next()?;
        let rest = letters.as_str();
        Some(match kind {
            'a' => Self::Amount(rest.parse().ok()?),
            'h' => Self::Hundredths(rest.parse().ok()?),
            'd' => Self::Date(rest.parse().ok()?),
            'r' => Self::Rut(Rut::parse(rest).ok()?),
            't' => Self::Text(rest.into()),
            _ => return None,
        })
    }
}

/// A text that rows share.
mod sheet {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        text: &Arc<str>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<str>, D::Error> {
        Ok(String::deserialize(deserializer)?.into())
    }
}

/// Headers and texts, as pairs.
mod others {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        others: &[(Arc<str>, Box<str>)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(others.iter().map(|(header, text)| (&**header, text)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Others, D::Error> {
        let pairs = Vec::<(String, Box<str>)>::deserialize(deserializer)?;
        Ok(pairs
            .into_iter()
            .map(|(header, text)| (header.into(), text))
            .collect())
    }
}

/// The values of a row as one object, in the order of the columns.
mod values {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        values: &[(Field, Value)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            values
                .iter()
                .map(|(field, value)| (field.name(), value.to_kept())),
        )
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(Field, Value)>, D::Error> {
        deserializer.deserialize_map(Values)
    }

    struct Values;

    impl<'de> Visitor<'de> for Values {
        type Value = Vec<(Field, Value)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the values of a row")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut values = Vec::with_capacity(map.size_hint().unwrap_or(32));
            while let Some((name, kept)) = map.next_entry::<Cow<'de, str>, Cow<'de, str>>()? {
                let field = Field::parse(&name);
                let field = field.ok_or_else(|| de::Error::custom("no field of a row"))?;
                let value = Value::of_kept(&kept);
                let value = value.ok_or_else(|| de::Error::custom("no value of a cell"))?;
                values.push((field, value));
            }
            Ok(values)
        }
    }
}

impl Registro {
    /// The value of a field, if the cell is not empty.
    pub fn value(&self, field: Field) -> Option<&Value> {
        self.values
            .iter()
            .find(|(known, _)| *known == field)
            .map(|(_, value)| value)
    }

    /// The amount of a column of the book; 0 for an empty cell.
    pub fn amount(&self, code: Code) -> i64 {
        match self.value(Field::Lre(code)) {
            Some(Value::Amount(amount)) => *amount,
            Some(Value::Hundredths(_) | Value::Date(_) | Value::Rut(_) | Value::Text(_)) | None => {
                0
            }
        }
    }
}
