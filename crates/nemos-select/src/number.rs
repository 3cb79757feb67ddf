//! Numbers in files: JSON has no infinities and no NaN, so that these are written as words.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Word(String),
}

impl From<f64> for Written {
    fn from(value: f64) -> Self {
        if value.is_finite() {
            Written::Number(value)
        } else {
            Written::Word(value.to_string())
        }
    }
}

/// Vectors of numbers, as a field of what is saved.
pub(crate) fn serialize<S: Serializer>(values: &[f64], to: S) -> Result<S::Ok, S::Error> {
    values.iter().map(|&value| Written::from(value)).collect::<Vec<_>>().serialize(to)
}

/// The same numbers back.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
    let read = |written| match written {
        Written::Number(value) => Ok(value),
        Written::Word(word) => word.parse().map_err(serde::de::Error::custom),
    };
    Vec::<Written>::deserialize(from)?.into_iter().map(read).collect()
}
