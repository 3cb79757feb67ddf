//! Tables as text: comma-separated values.

mod columns;
mod file;
mod parse;

pub use file::{CsvFile, read_csv};
