//! Numbers that may be missing or infinite, in formats that know neither: they are written as "NaN", "inf" and "-inf".
//!
//! ```
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Saved {
//!     #[serde(with = "nemos_core::number")]
//!     value: f64,
//!     #[serde(with = "nemos_core::number::list")]
//!     scores: Vec<f64>,
//! }
//! ```

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Number {
    Finite(f64),
    Word(String),
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        if value.is_finite() {
            Number::Finite(value)
        } else {
            Number::Word(value.to_string())
        }
    }
}

impl Number {
    fn read<E: serde::de::Error>(self) -> Result<f64, E> {
        match self {
            Number::Finite(value) => Ok(value),
            Number::Word(word) => word.parse().map_err(E::custom),
        }
    }
}

/// Writes a number.
///
/// # Errors
/// As the format says.
pub fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    Number::from(*value).serialize(to)
}

/// Reads a number.
///
/// # Errors
/// If it is neither a number nor one of the words.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Number::deserialize(from)?.read()
}

/// Rows of such numbers.
pub mod list {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Number;

    /// Writes numbers.
    ///
    /// # Errors
    /// As the format says.
    pub fn serialize<S: Serializer>(values: &[f64], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(|&value| Number::from(value)))
    }

    /// Reads numbers.
    ///
    /// # Errors
    /// If one is neither a number nor one of the words.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
        Vec::<Number>::deserialize(from)?.into_iter().map(Number::read).collect()
    }
}
