//! Metadata: a small table with one row per unit, column or interval.

use crate::Error;
use crate::error::place_of;

/// One column of a [`Table`].
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Numbers, NaN where missing.
    Numbers(Vec<f64>),
    /// Texts.
    Texts(Vec<String>),
    /// Yes or no.
    Flags(Vec<bool>),
}

impl Column {
    /// How many rows it has.
    pub fn len(&self) -> usize {
        match self {
            Column::Numbers(values) => values.len(),
            Column::Texts(values) => values.len(),
            Column::Flags(values) => values.len(),
        }
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// These rows, in this order; nothing if one does not exist.
    pub fn select(&self, rows: &[usize]) -> Option<Self> {
        fn of<T: Clone>(values: &[T], rows: &[usize]) -> Option<Vec<T>> {
            rows.iter().map(|&row| values.get(row).cloned()).collect()
        }
        Some(match self {
            Column::Numbers(values) => Column::Numbers(of(values, rows)?),
            Column::Texts(values) => Column::Texts(of(values, rows)?),
            Column::Flags(values) => Column::Flags(of(values, rows)?),
        })
    }

    /// One value for each group of rows: the one that all agree on, or what says that they do not.
    fn merged(&self, groups: &[Vec<usize>]) -> Self {
        let numbers = |value: &dyn Fn(usize) -> f64| {
            let of_group = |rows: &Vec<usize>| {
                let first = value(rows[0]);
                if rows.iter().all(|&row| value(row) == first) {
                    first
                } else {
                    f64::NAN
                }
            };
            groups.iter().map(of_group).collect::<Vec<f64>>()
        };
        match self {
            Column::Numbers(values) => Column::Numbers(numbers(&|row| values[row])),
            Column::Texts(values) => {
                let of_group = |rows: &Vec<usize>| {
                    let mut texts: Vec<&str> = Vec::new();
                    for text in rows.iter().map(|&row| values[row].as_str()) {
                        if !texts.contains(&text) {
                            texts.push(text);
                        }
                    }
                    texts.join("|")
                };
                Column::Texts(groups.iter().map(of_group).collect())
            }
            Column::Flags(values) => {
                let flags = numbers(&|row| f64::from(u8::from(values[row])));
                if flags.iter().any(|flag| flag.is_nan()) {
                    Column::Numbers(flags)
                } else {
                    Column::Flags(groups.iter().map(|rows| values[rows[0]]).collect())
                }
            }
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Column::Numbers(_) => "numbers",
            Column::Texts(_) => "texts",
            Column::Flags(_) => "flags",
        }
    }
}

impl From<Vec<f64>> for Column {
    fn from(values: Vec<f64>) -> Self {
        Column::Numbers(values)
    }
}

impl From<Vec<String>> for Column {
    fn from(values: Vec<String>) -> Self {
        Column::Texts(values)
    }
}

impl From<Vec<&str>> for Column {
    fn from(values: Vec<&str>) -> Self {
        Column::Texts(values.into_iter().map(String::from).collect())
    }
}

impl From<Vec<bool>> for Column {
    fn from(values: Vec<bool>) -> Self {
        Column::Flags(values)
    }
}

/// What is known about each unit, column or interval: named columns of numbers, texts or flags.
///
/// # Example
/// ```
/// use nemos_timeseries::Table;
/// let table = Table::new(2).with("depth", vec![0.4, 1.1])?.with("area", vec!["CA1", "CA3"])?;
/// assert_eq!(table.numbers("depth")?, [0.4, 1.1]);
/// assert_eq!(table.texts("area")?[1], "CA3");
/// # Ok::<(), nemos_timeseries::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    n_rows: usize,
    columns: Vec<(String, Column)>,
}

impl Table {
    /// A table of this many rows, without columns.
    pub fn new(n_rows: usize) -> Self {
        Table {
            n_rows,
            columns: Vec::new(),
        }
    }

    /// The same table with one more column, or with another in its place.
    ///
    /// # Errors
    /// [`Error::MetadataRows`] unless the column has as many rows as the table.
    pub fn with(mut self, name: impl Into<String>, column: impl Into<Column>) -> Result<Self, Error> {
        let (name, column) = (name.into(), column.into());
        if column.len() != self.n_rows {
            return Err(Error::MetadataRows {
                name,
                got: column.len(),
                expected: self.n_rows,
            });
        }
        match self.columns.iter_mut().find(|(other, _)| *other == name) {
            Some((_, old)) => *old = column,
            None => self.columns.push((name, column)),
        }
        Ok(self)
    }

    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The columns and their names, in the order in which they came.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &Column)> {
        self.columns.iter().map(|(name, column)| (name.as_str(), column))
    }

    /// The column of this name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] if there is none.
    pub fn column(&self, name: &str) -> Result<&Column, Error> {
        let place = place_of(name, self.columns.iter().map(|(name, _)| name.as_str()))?;
        Ok(&self.columns[place].1)
    }

    /// The numbers of this name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] if there is no such column, [`Error::ColumnKind`] if it does not hold numbers.
    pub fn numbers(&self, name: &str) -> Result<&[f64], Error> {
        match self.column(name)? {
            Column::Numbers(values) => Ok(values),
            other => Err(kind(name, other, "numbers")),
        }
    }

    /// The texts of this name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] if there is no such column, [`Error::ColumnKind`] if it does not hold texts.
    pub fn texts(&self, name: &str) -> Result<&[String], Error> {
        match self.column(name)? {
            Column::Texts(values) => Ok(values),
            other => Err(kind(name, other, "texts")),
        }
    }

    /// The flags of this name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] if there is no such column, [`Error::ColumnKind`] if it does not hold flags.
    pub fn flags(&self, name: &str) -> Result<&[bool], Error> {
        match self.column(name)? {
            Column::Flags(values) => Ok(values),
            other => Err(kind(name, other, "flags")),
        }
    }

    /// These rows, all of which exist.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        let select = |column: &Column| column.select(rows).expect("invariant: rows of this table");
        let columns = self.columns.iter().map(|(name, column)| (name.clone(), select(column)));
        Table {
            n_rows: rows.len(),
            columns: columns.collect(),
        }
    }

    /// One row for each of these groups of rows, none of which is empty: what all of a group agree on stays. Where a group has
    /// several rows, a column `merged` says which.
    pub(crate) fn merged(&self, groups: &[Vec<usize>]) -> Self {
        let columns = self.columns.iter().map(|(name, column)| (name.clone(), column.merged(groups)));
        let mut table = Table {
            n_rows: groups.len(),
            columns: columns.collect(),
        };
        if groups.iter().any(|rows| rows.len() > 1) {
            let numbers = |rows: &Vec<usize>| rows.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
            let merged = groups.iter().map(|rows| if rows.len() > 1 { numbers(rows) } else { String::new() });
            table.columns.retain(|(name, _)| name != MERGED);
            table.columns.push((MERGED.into(), Column::Texts(merged.collect())));
        }
        table
    }
}

/// The column that says which rows became one.
const MERGED: &str = "merged";

fn kind(name: &str, column: &Column, wanted: &'static str) -> Error {
    Error::ColumnKind {
        name: name.into(),
        got: column.kind(),
        wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_has_the_rows_of_its_table_and_one_kind() {
        let table = Table::new(2).with("good", vec![true, false]).unwrap();
        assert!(matches!(
            table.clone().with("x", vec![1.0]),
            Err(Error::MetadataRows { got: 1, expected: 2, .. })
        ));
        assert!(matches!(
            table.numbers("good"),
            Err(Error::ColumnKind {
                got: "flags",
                wanted: "numbers",
                ..
            })
        ));
        assert!(matches!(table.flags("bad"), Err(Error::UnknownName { .. })));
        assert_eq!(table.select(&[1, 1, 0]).flags("good").unwrap(), [false, false, true]);
        let replaced = table.with("good", vec!["a", "b"]).unwrap();
        assert_eq!(replaced.columns().count(), 1);
    }
}
