//! Tables of numbers as text: comma-separated values.

use std::path::Path;
use std::sync::Arc;

use nemos_core::{Backend, Matrix};
use nemos_timeseries::{Ts, TsdFrame};

use crate::Error;

/// Reads signals from a file of comma-separated numbers under a line of names.
///
/// The first column holds the times in seconds, in order; each other column is a signal. An empty cell, `nan` and `NA`
/// are missing values.
///
/// # Errors
/// [`Error::Open`]; [`Error::Csv`], which names the line and the column; [`Error::TimeSeries`] if times are not in order, or
/// two columns have the same name.
///
/// # Example
/// ```
/// use nemos_core::Cpu;
/// let path = std::env::temp_dir().join("nemos_read_csv_example.csv");
/// std::fs::write(&path, "time,x,y\n0.0,1.5,2\n0.1,,3\n")?;
/// let position = nemos_io::read_csv::<Cpu>(&path)?;
/// assert_eq!(position.column_names(), ["x", "y"]);
/// assert_eq!(position.column("y")?.to_vec(), [2.0, 3.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_csv<B: Backend>(path: impl AsRef<Path>) -> Result<TsdFrame<B>, Error> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(|source| Error::Open {
        path: path.into(),
        source: Arc::new(source),
    })?;
    let refuse = |line: usize, column: usize, got: &str, expected| Error::Csv {
        path: path.into(),
        line,
        column,
        got: got.chars().take(40).collect(),
        expected,
    };
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        refuse(before.iter().filter(|&&byte| byte == b'\n').count() + 1, 1, "", "text in UTF-8")
    })?;
    let mut lines = text
        .trim_start_matches('\u{feff}')
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    let (_, header) = lines.next().ok_or_else(|| refuse(1, 1, "", "a line of names"))?;
    let names: Vec<&str> = header.split(',').map(unquoted).collect();
    if names.iter().all(|name| name.parse::<f64>().is_ok()) {
        return Err(refuse(1, 1, header, "a line of names, before the numbers"));
    }
    let width = names.len() - 1;
    let (mut times, mut values) = (Vec::new(), Vec::new());
    for (index, line) in lines {
        let mut n_cells = 0;
        for (column, cell) in line.split(',').enumerate() {
            let number = number(unquoted(cell)).filter(|number| column > 0 || number.is_finite());
            match number {
                Some(time) if column == 0 => times.push(time),
                Some(value) => values.push(value),
                None => return Err(refuse(index + 1, column + 1, cell, "a number")),
            }
            n_cells += 1;
        }
        if n_cells != names.len() {
            return Err(refuse(
                index + 1,
                n_cells.min(names.len()) + 1,
                line,
                "one number for each name of the first line",
            ));
        }
    }
    let values = Matrix::from_vec(values, [times.len(), width]).map_err(|error| Error::TimeSeries(error.into()))?;
    Ok(TsdFrame::new(Ts::new(times)?, values)?.with_names(names[1..].iter().copied())?)
}

fn unquoted(cell: &str) -> &str {
    let cell = cell.trim();
    cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"')).unwrap_or(cell)
}

fn number(cell: &str) -> Option<f64> {
    match cell {
        "" | "NA" => Some(f64::NAN),
        other => other.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nemos_core::Cpu;

    fn read(name: &str, text: &[u8]) -> Result<TsdFrame<Cpu>, Error> {
        let path = std::env::temp_dir().join(format!("nemos_csv_{}_{name}.csv", std::process::id()));
        std::fs::write(&path, text).unwrap();
        let frame = read_csv(&path);
        std::fs::remove_file(path).unwrap();
        frame
    }

    #[test]
    fn numbers_names_and_missing_values_are_read() {
        let frame = read(
            "good",
            "\u{feff}\"t\", \"left paw\",y\r\n0,1e-3,nan\r\n\r\n 2.5 ,NA,-7\r\n".as_bytes(),
        )
        .unwrap();
        assert_eq!(frame.column_names(), ["left paw", "y"]);
        assert_eq!(frame.sample_times(), [0.0, 2.5]);
        let values = frame.values().to_vec();
        assert_eq!((values[0], values[3]), (1e-3, -7.0));
        assert!(values[1].is_nan() && values[2].is_nan());
        assert!(read("empty", b"t,x\n").unwrap().is_empty());
    }

    #[test]
    fn errors_name_the_line_and_the_column() {
        let place = |name: &str, text: &[u8]| match read(name, text) {
            Err(Error::Csv { line, column, .. }) => (line, column),
            other => panic!("{other:?}"),
        };
        assert_eq!(place("word", b"t,x,y\n0,1,2\n1,2,three\n"), (3, 3));
        assert_eq!(place("short", b"t,x,y\n0,1\n"), (2, 3));
        assert_eq!(place("long", b"t,x\n0,1,2\n"), (2, 3));
        assert_eq!(place("time", b"t,x\n0,1\n\n,2\n"), (4, 1));
        assert_eq!(place("headless", b"0,1\n1,2\n"), (1, 1));
        assert_eq!(place("nothing", b""), (1, 1));
        assert_eq!(place("latin", b"t,x\n0,\xe9\n"), (2, 1));
        assert!(matches!(read("order", b"t,x\n1,1\n0,1\n"), Err(Error::TimeSeries(_))));
    }
}
