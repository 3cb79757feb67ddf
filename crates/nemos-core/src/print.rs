//! Matrices in words: their shape, and as many numbers as fit on a screen.

use std::fmt;

use crate::{Backend, Matrix};

const ROWS: usize = 10;
const COLUMNS: usize = 8;
const WIDTH: usize = 10;

/// Five digits, or the six before the point of a number below a million, right-aligned in `width` characters; nothing but `NaN` for what is
/// missing.
pub fn five_digits(value: f64, width: usize) -> String {
    let plain = value == 0.0 || (1e-4..1e6).contains(&value.abs());
    if !value.is_finite() {
        return format!("{value:>width$}");
    }
    if !plain {
        return format!("{value:>width$.3e}");
    }
    let decimals = 4 - (value.abs().max(1.0).log10().floor() as usize).min(4);
    format!("{value:>width$.decimals$}")
}

/// `1 unit`, `2 units`.
pub fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

impl<B: Backend> fmt::Display for Matrix<B> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [rows, columns] = self.dims();
        writeln!(to, "matrix [{rows}, {columns}]")?;
        let shown = self.rows(0..rows.min(ROWS)).map(|rows| rows.to_vec()).unwrap_or_default();
        for row in shown.chunks(columns.max(1)) {
            for value in row.iter().take(COLUMNS) {
                write!(to, "{}", five_digits(*value, WIDTH))?;
            }
            writeln!(to, "{}", if columns > COLUMNS { "  …" } else { "" })?;
        }
        if rows > ROWS {
            writeln!(to, "… {} more rows", rows - ROWS)?;
        }
        Ok(())
    }
}

impl<B: Backend> fmt::Debug for Matrix<B> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [rows, columns] = self.dims();
        // A row or two, whatever their length.
        let first = self.rows(0..rows.min(2 + COLUMNS / columns.max(1))).map(|rows| rows.to_vec());
        let values = first.unwrap_or_default();
        let rest = if values.len() > COLUMNS || values.len() < rows * columns {
            ", …"
        } else {
            ""
        };
        let shown: Vec<String> = values.iter().take(COLUMNS).map(|value| format!("{value:?}")).collect();
        write!(to, "Matrix [{rows}, {columns}] [{}{rest}]", shown.join(", "))
    }
}

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use super::*;
    use crate::Cpu;

    #[test]
    fn a_matrix_prints_as_a_table() {
        let matrix = Matrix::<Cpu>::from_vec(vec![1.0, -20.5, f64::NAN, 1e-7, 12345.678, 1e9], [3, 2]).unwrap();
        let text = "matrix [3, 2]\n    1.0000   -20.500\n       NaN  1.000e-7\n     12346   1.000e9\n";
        assert_eq!(matrix.to_string(), text);
        assert_eq!(format!("{:?}", matrix.rows(0..1).unwrap()), "Matrix [1, 2] [1.0, -20.5]");
    }

    #[test]
    fn a_large_one_fits_on_a_screen() {
        let text = Matrix::<Cpu>::zeros([100_000, 300]).to_string();
        assert!(text.ends_with("… 99990 more rows\n") && text.lines().count() == 12, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 90), "{text}");
        assert!(format!("{:?}", Matrix::<Cpu>::zeros([100_000, 300])).len() < 80);
        assert_eq!(Matrix::<Cpu>::zeros([0, 3]).to_string(), "matrix [0, 3]\n");
    }
}
