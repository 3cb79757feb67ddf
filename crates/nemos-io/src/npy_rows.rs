//! A `.npy` file as rows that stay where they are.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use nemos_core::{Backend, Design, Matrix, Names, Rows, Samples, ToDesign, check_rows_exist};
use npyz::{NpyFile, NpyHeader, Order, TypeChar};

use crate::Error;
use crate::npy::{damaged, number_type, read_halves, read_header, read_numbers};

/// The rows of a `.npy` file, which are read a chunk at a time: features or counts that do not fit into memory.
///
/// The file has one axis, and is a column, or two, `[n_rows, n_columns]`. Numbers of all types that [`read_npy`](crate::read_npy) reads
/// stay as they are on disk: counts as `uint8` take a byte each. Rows are best written in NumPy's own order (C); in Fortran's, every
/// chunk is as many pieces as there are columns.
///
/// # Example
/// ```
/// use ndarray::Array2;
/// use nemos_core::{Cpu, Matrix, ToDesign};
/// use nemos_glm::{Glm, Poisson};
/// use nemos_io::{NpyRows, write_npy};
/// let path = std::env::temp_dir().join("nemos_npy_rows_example.npy");
/// write_npy(&path, Array2::from_shape_fn((100, 2), |(bin, k)| (0.1 * (bin * (k + 1)) as f64).sin()).view())?;
///
/// let stimuli = NpyRows::open(&path)?;
/// let counts: Matrix<Cpu> = Matrix::from_column((0..100).map(|bin| f64::from(bin % 3)).collect());
/// let fitted = Glm::new(Poisson).fit(&stimuli, &counts)?;
/// assert_eq!(fitted.coef().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct NpyRows {
    path: PathBuf,
    file: Arc<Mutex<File>>,
    header: NpyHeader,
    number: (TypeChar, u64),
    /// Where the first value begins, in bytes.
    start: u64,
    dims: [usize; 2],
}

impl NpyRows {
    /// Opens a file, and reads what it says of itself.
    ///
    /// # Errors
    /// [`Error::Open`], [`Error::Header`], [`Error::UnsupportedType`], [`Error::TooLarge`]; [`Error::NotRows`] if it has more than two
    /// axes; [`Error::Truncated`] and [`Error::Damaged`] if it is shorter or longer than it says.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let open = |source| Error::Open {
            path: path.into(),
            source: Arc::new(source),
        };
        let name = path.to_string_lossy();
        let file = File::open(path).map_err(open)?;
        let length = file.metadata().map_err(open)?.len();
        let mut reader = BufReader::new(&file);
        let header = read_header(&mut reader, &name)?;
        let start = reader.stream_position().map_err(open)?;
        let Some(number) = number_type(&header) else {
            return Err(Error::UnsupportedType {
                name: name.into(),
                dtype: header.dtype().descr(),
            });
        };
        let shape: Vec<usize> = header.shape().iter().map(|&length| length as usize).collect();
        let dims = match shape[..] {
            [rows] => [rows, 1],
            [rows, columns] => [rows, columns],
            _ => return Err(Error::NotRows { path: path.into(), shape }),
        };
        let expected = dims[0] * dims[1];
        let got = length.saturating_sub(start) / number.1;
        if got < expected as u64 {
            return Err(Error::Truncated {
                name: name.into(),
                expected,
                got: got as usize,
                source: Arc::new(io::ErrorKind::UnexpectedEof.into()),
            });
        }
        if length - start > expected as u64 * number.1 {
            return Err(damaged(&name, io::Error::other("there are bytes that belong to no value")));
        }
        Ok(NpyRows {
            path: path.into(),
            file: Arc::new(Mutex::new(file)),
            header,
            number,
            start,
            dims,
        })
    }

    /// Rows and columns.
    pub fn dims(&self) -> [usize; 2] {
        self.dims
    }

    /// These values, in the order of the file.
    fn values(&self, range: Range<usize>) -> Result<Vec<f64>, Error> {
        let name = self.path.to_string_lossy();
        let mut bytes = vec![0; range.len() * self.number.1 as usize];
        let place = self.start + range.start as u64 * self.number.1;
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let read = file.seek(SeekFrom::Start(place)).and_then(|_| file.read_exact(&mut bytes));
        drop(file);
        read.map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => Error::Truncated {
                name: name.clone().into(),
                expected: self.dims[0] * self.dims[1],
                got: range.start,
                source: Arc::new(source),
            },
            _ => Error::Open {
                path: self.path.clone(),
                source: Arc::new(source),
            },
        })?;
        let is_big = self.header.dtype().descr().contains('>');
        match self.number {
            (TypeChar::Float, 2) => read_halves(&mut bytes.as_slice(), range.len(), is_big, &name),
            number => read_numbers(
                NpyFile::with_header(self.header.clone(), bytes.as_slice()),
                number,
                range.len(),
                &name,
            ),
        }
    }

    fn rows(&self, rows: Range<usize>) -> Result<Vec<f64>, Error> {
        let [n_rows, width] = self.dims;
        if self.header.order() == Order::C || width == 1 {
            return self.values(rows.start * width..rows.end * width);
        }
        let mut values = vec![0.0; rows.len() * width];
        for column in 0..width {
            let of_column = self.values(column * n_rows + rows.start..column * n_rows + rows.end)?;
            for (row, value) in of_column.into_iter().enumerate() {
                values[row * width + column] = value;
            }
        }
        Ok(values)
    }
}

impl fmt::Debug for NpyRows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("NpyRows");
        shown.field("path", &self.path).field("dims", &self.dims).finish_non_exhaustive()
    }
}

impl<B: Backend> Rows<B> for NpyRows {
    fn n_rows(&self) -> usize {
        self.dims[0]
    }

    fn n_columns(&self) -> usize {
        self.dims[1]
    }

    fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, nemos_core::Error> {
        check_rows_exist(&rows, self.dims[0])?;
        let values = self.rows(rows.clone()).map_err(|error| nemos_core::Error::Read {
            start: rows.start,
            end: rows.end,
            source: Arc::new(io::Error::other(error)),
        })?;
        Matrix::from_vec(values, [rows.len(), self.dims[1]])
    }
}

impl<B: Backend> ToDesign<B> for NpyRows {
    fn to_design(&self) -> Design<'_, B> {
        Design::from_rows(self)
    }
}

impl<B: Backend> Samples<B> for NpyRows {
    type Output = Matrix<B>;

    fn wrap(&self, values: Matrix<B>, _names: Names) -> Matrix<B> {
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, s};
    use nemos_core::Cpu;

    /// A file of this type, order and shape, with the numbers from zero on.
    fn file(name: &str, header: &str, data: &[u8]) -> PathBuf {
        let path = std::env::temp_dir().join(format!("nemos_npy_rows_{}_{name}.npy", std::process::id()));
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn chunk(rows: &NpyRows, range: Range<usize>) -> Array2<f64> {
        Rows::<Cpu>::chunk(rows, range).unwrap().to_array()
    }

    #[test]
    fn chunks_are_those_of_the_whole_array() {
        let bytes: Vec<u8> = (0..12).collect();
        let doubles: Vec<u8> = (0..12).flat_map(|value| f64::from(value).to_be_bytes()).collect();
        let all = Array2::from_shape_fn((4, 3), |(row, column)| (row * 3 + column) as f64);
        let turned = Array2::from_shape_fn((4, 3), |(row, column)| (column * 4 + row) as f64);
        for (name, descr, fortran, data, expected) in [
            ("bytes", "|u1", "False", &bytes, &all),
            ("doubles", ">f8", "False", &doubles, &all),
            ("fortran", "|u1", "True", &bytes, &turned),
        ] {
            let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': (4, 3), }}\n");
            let path = file(name, &header, data);
            let rows = NpyRows::open(&path).unwrap();
            assert_eq!(rows.dims(), [4, 3]);
            for range in [0..4, 1..3, 3..4, 2..2] {
                assert_eq!(chunk(&rows, range.clone()), expected.slice(s![range, ..]), "{name}");
            }
            assert!(Rows::<Cpu>::chunk(&rows, 2..5).is_err());
            let gathered = Rows::<Cpu>::gather(&rows, &[3, 0, 1]).unwrap().to_array();
            assert_eq!(gathered, expected.select(ndarray::Axis(0), &[3, 0, 1]));
            std::fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn a_file_that_is_cut_while_it_is_read_is_an_error() {
        let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (6,), }\n";
        let path = file("cut", header, &[1, 2, 3, 4, 5, 6]);
        let rows = NpyRows::open(&path).unwrap();
        assert_eq!(rows.dims(), [6, 1]);
        let length = std::fs::metadata(&path).unwrap().len();
        File::options().write(true).open(&path).unwrap().set_len(length - 2).unwrap();
        let error = Rows::<Cpu>::chunk(&rows, 3..6).unwrap_err().to_string();
        assert!(error.contains("rows 3..6") && error.contains("cut short"), "{error}");
        assert!(matches!(NpyRows::open(&path), Err(Error::Truncated { expected: 6, got: 4, .. })));
        // Twice as many bytes as there are values: they are of another type than the header says.
        File::options().write(true).open(&path).unwrap().set_len(length + 6).unwrap();
        assert!(matches!(NpyRows::open(&path), Err(Error::Damaged { .. })));
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn more_than_two_axes_are_no_rows() {
        let path = file("cube", "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 3), }\n", &[0; 6]);
        let error = NpyRows::open(&path).unwrap_err();
        assert!(matches!(&error, Error::NotRows { shape, .. } if shape == &[1, 2, 3]), "{error}");
        std::fs::remove_file(path).unwrap();
    }
}
