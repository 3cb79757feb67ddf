//! A `.npy` file as rows that stay where they are.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Seek};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nemos_core::{Backend, Design, Matrix, Names, Rows, Samples, ToDesign, check_columns_exist, check_rows_exist};
use npyz::{NpyHeader, Order, TypeChar};

use crate::Error;
use crate::ahead::{expect_next, read_at};
use crate::arrays::{floats, integers};
use crate::error::unread;
use crate::npy::{damaged, number_type, read_header};

/// The rows of a `.npy` file, which are read a chunk at a time: features or counts that do not fit into memory.
///
/// The file has one axis, and is a column, or two, `[n_rows, n_columns]`. Numbers of all types that [`read_npy`](crate::read_npy) reads
/// stay as they are on disk: counts as `uint8` take a byte each. The block of rows after the one that was read is asked for ahead. Rows
/// are best written in NumPy's own order (C); in Fortran's, every chunk is as many pieces as there are columns.
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
    file: Arc<File>,
    header: NpyHeader,
    number: (TypeChar, u64),
    /// Where the first value begins, in bytes.
    start: u64,
    dims: [usize; 2],
}

/// Numbers that are decoded at a time.
const PIECE: usize = 1 << 13;

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
            file: Arc::new(file),
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

    /// The bytes of these values, in the order of the file.
    fn bytes(&self, range: Range<usize>) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; range.len() * self.number.1 as usize];
        let place = self.start + range.start as u64 * self.number.1;
        read_at(&self.file, &mut bytes, place).map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => Error::Truncated {
                name: self.path.to_string_lossy().into(),
                expected: self.dims[0] * self.dims[1],
                got: self.n_left().unwrap_or(range.start),
                source: Arc::new(source),
            },
            _ => Error::Open {
                path: self.path.clone(),
                source: Arc::new(source),
            },
        })?;
        Ok(bytes)
    }

    /// Values that the file has now.
    fn n_left(&self) -> Option<usize> {
        let length = self.file.metadata().ok()?.len();
        Some((length.saturating_sub(self.start) / self.number.1) as usize)
    }

    /// Says that as many values as these are read next.
    fn expect_after(&self, range: Range<usize>) {
        let length = range.len() * self.number.1 as usize;
        expect_next(&self.file, self.start + range.end as u64 * self.number.1, length);
    }

    /// Numbers of the type of the file.
    fn values(&self, bytes: &[u8]) -> Vec<f64> {
        let is_big = self.header.dtype().descr().contains('>');
        let (kind, size) = (self.number.0, self.number.1 as usize);
        let values = match kind {
            TypeChar::Float => floats(bytes, size, is_big),
            TypeChar::Bool => Some(bytes.iter().map(|byte| f64::from(u8::from(*byte != 0))).collect()),
            kind => integers(bytes, (size, kind == TypeChar::Int), is_big),
        };
        values.expect("invariant: the type was looked at when the file was opened")
    }

    fn is_by_row(&self) -> bool {
        self.header.order() == Order::C || self.dims[1] == 1
    }

    fn rows(&self, rows: Range<usize>) -> Result<Vec<f64>, Error> {
        let width = self.dims[1];
        if self.is_by_row() {
            let range = rows.start * width..rows.end * width;
            let mut values = Vec::with_capacity(range.len());
            // Few bytes at a time: those of all numbers take as much memory again.
            for piece in nemos_core::row_chunks(range.len(), PIECE) {
                values.extend(self.values(&self.bytes(range.start + piece.start..range.start + piece.end)?));
            }
            self.expect_after(range);
            return Ok(values);
        }
        self.by_column(rows, &(0..width).collect::<Vec<_>>())
    }

    /// These columns of some rows of a file that has its columns one after the other.
    fn by_column(&self, rows: Range<usize>, columns: &[usize]) -> Result<Vec<f64>, Error> {
        let (n_rows, width) = (self.dims[0], columns.len());
        let mut values = vec![0.0; rows.len() * width];
        for (place, &column) in columns.iter().enumerate() {
            let range = column * n_rows + rows.start..column * n_rows + rows.end;
            let of_column = self.values(&self.bytes(range.clone())?);
            self.expect_after(range);
            for (row, value) in of_column.into_iter().enumerate() {
                values[row * width + place] = value;
            }
        }
        Ok(values)
    }

    /// These columns of some rows: of a file that has its rows one after the other all bytes are read, and these numbers decoded.
    fn some_columns(&self, rows: Range<usize>, columns: &[usize]) -> Result<Vec<f64>, Error> {
        if !self.is_by_row() {
            return self.by_column(rows, columns);
        }
        let (width, size) = (self.dims[1], self.number.1 as usize);
        let mut values = Vec::with_capacity(rows.len() * columns.len());
        for piece in nemos_core::row_chunks(rows.len(), PIECE / width.max(1)) {
            let bytes = self.bytes((rows.start + piece.start) * width..(rows.start + piece.end) * width)?;
            let mut picked = Vec::with_capacity(piece.len() * columns.len() * size);
            for row in bytes.chunks_exact((width * size).max(1)) {
                for column in columns {
                    picked.extend_from_slice(&row[column * size..(column + 1) * size]);
                }
            }
            values.extend(self.values(&picked));
        }
        self.expect_after(rows.start * width..rows.end * width);
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
        let values = self.rows(rows.clone()).map_err(unread(rows.clone()))?;
        Matrix::from_vec(values, [rows.len(), self.dims[1]])
    }

    fn chunk_of(&self, rows: Range<usize>, columns: &[usize]) -> Result<Matrix<B>, nemos_core::Error> {
        check_rows_exist(&rows, self.dims[0])?;
        check_columns_exist(columns, self.dims[1])?;
        let values = self.some_columns(rows.clone(), columns).map_err(unread(rows.clone()))?;
        Matrix::from_vec(values, [rows.len(), columns.len()])
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
            let some = Rows::<Cpu>::chunk_of(&rows, 1..4, &[2, 0]).unwrap().to_array();
            assert_eq!(some, expected.select(ndarray::Axis(1), &[2, 0]).slice(s![1..4, ..]));
            assert!(Rows::<Cpu>::chunk_of(&rows, 0..1, &[3]).is_err());
            let gathered = Rows::<Cpu>::gather(&rows, &[3, 0, 1]).unwrap().to_array();
            assert_eq!(gathered, expected.select(ndarray::Axis(0), &[3, 0, 1]));
            std::fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn numbers_of_every_type_are_those_of_the_whole_array() {
        for (descr, bytes) in [
            ("<f2", vec![0x00, 0x3c, 0x00, 0xc0]),
            (">f4", [1.5_f32, -2.0].iter().flat_map(|x| x.to_be_bytes()).collect()),
            ("<i8", [1_i64, -5].iter().flat_map(|x| x.to_le_bytes()).collect()),
            (">u4", [7_u32, u32::MAX].iter().flat_map(|x| x.to_be_bytes()).collect()),
            ("<u8", [7_u64, u64::MAX].iter().flat_map(|x| x.to_le_bytes()).collect()),
            ("<i2", [-7_i16, 9].iter().flat_map(|x| x.to_le_bytes()).collect()),
            ("|i1", vec![255, 3]),
            ("|b1", vec![0, 1]),
        ] {
            let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (2,), }}\n");
            let path = file("types", &header, &bytes);
            let all = crate::read_npy(&path).unwrap();
            let rows = chunk(&NpyRows::open(&path).unwrap(), 0..2);
            assert_eq!(rows.iter().collect::<Vec<_>>(), all.iter().collect::<Vec<_>>(), "{descr}");
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
        assert!(error.contains("hold 6 values, but its data end after 4"), "{error}");
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
