//! One array in NumPy's `.npy` format.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read};
use std::path::Path;
use std::sync::Arc;

use ndarray::{ArrayD, ArrayView, Dimension, IxDyn, ShapeBuilder};
use npyz::{Deserialize, NpyFile, NpyHeader, Order, TypeChar, WriteOptions, WriterBuilder};

use crate::arrays::half;
use crate::format::Format;
use crate::{Error, write};

/// Reads a `.npy` file of booleans, integers or floats.
///
/// Integers beyond 2⁵³ are rounded to the nearest `f64`.
///
/// # Errors
/// [`Error::Open`], [`Error::Header`], [`Error::UnsupportedType`], [`Error::TooLarge`], [`Error::Truncated`],
/// [`Error::Damaged`]: what is wrong with the file.
///
/// # Example
/// ```
/// use ndarray::array;
/// let path = std::env::temp_dir().join("nemos_read_npy_example.npy");
/// nemos_io::write_npy(&path, array![[1.0, 2.0], [3.0, 4.0]].view())?;
/// assert_eq!(nemos_io::read_npy(&path)?.shape(), [2, 2]);
/// # Ok::<(), nemos_io::Error>(())
/// ```
pub fn read_npy(path: impl AsRef<Path>) -> Result<ArrayD<f64>, Error> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|source| Error::Open {
        path: path.into(),
        source: Arc::new(source),
    })?;
    read_array(BufReader::new(file), &path.to_string_lossy())
}

/// Writes an array of any number of axes as a `.npy` file, row after row, replacing one that exists whole or not at all.
///
/// # Errors
/// [`Error::Ending`] if the name ends like another format, [`Error::Write`] if the system refuses.
pub fn write_npy<D: Dimension>(path: impl AsRef<Path>, array: ArrayView<'_, f64, D>) -> Result<(), Error> {
    Format::Npy.check_name(path.as_ref())?;
    write::replace_with(path.as_ref(), |file| {
        let shape: Vec<u64> = array.shape().iter().map(|&length| length as u64).collect();
        let mut writer = WriteOptions::new()
            .default_dtype()
            .shape(&shape)
            .writer(BufWriter::new(file))
            .begin_nd()?;
        writer.extend(array.iter().copied())?;
        writer.finish()
    })
}

/// Reads an array to the end of `reader`.
pub(crate) fn read_array(mut reader: impl Read, name: &str) -> Result<ArrayD<f64>, Error> {
    let header = read_header(&mut reader, name)?;
    let Some((kind, bytes)) = number_type(&header) else {
        return Err(Error::UnsupportedType {
            name: name.into(),
            dtype: header.dtype().descr(),
        });
    };
    let shape: Vec<usize> = header.shape().iter().map(|&length| length as usize).collect();
    let fortran = header.order() == Order::Fortran;
    let (n_values, is_big) = (
        header.shape().iter().product::<u64>() as usize,
        header.dtype().descr().contains('>'),
    );
    let values = match (kind, bytes) {
        (TypeChar::Float, 2) => read_halves(&mut reader, n_values, is_big, name),
        _ => read_numbers(NpyFile::with_header(header, &mut reader), (kind, bytes), n_values, name),
    }?;
    // Reading on makes a zip archive compare its checksum.
    match reader.read(&mut [0]) {
        Ok(0) => {}
        Ok(_) => return Err(damaged(name, io::Error::other("there are bytes that belong to no value"))),
        Err(source) => return Err(damaged(name, source)),
    }
    let array = ArrayD::from_shape_vec(IxDyn(&shape).set_f(fortran), values).map_err(|_| Error::TooLarge { name: name.into() })?;
    Ok(array.as_standard_layout().into_owned())
}

/// The first numbers, of a type that has a counterpart here.
fn read_numbers(file: NpyFile<impl Read>, number_type: (TypeChar, u64), n: usize, name: &str) -> Result<Vec<f64>, Error> {
    match number_type {
        (TypeChar::Bool, _) => read_values(file, n, name, |value: bool| f64::from(u8::from(value))),
        (TypeChar::Int, 1) => read_values(file, n, name, |value: i8| f64::from(value)),
        (TypeChar::Int, 2) => read_values(file, n, name, |value: i16| f64::from(value)),
        (TypeChar::Int, 4) => read_values(file, n, name, |value: i32| f64::from(value)),
        (TypeChar::Int, _) => read_values(file, n, name, |value: i64| value as f64),
        (TypeChar::Uint, 1) => read_values(file, n, name, |value: u8| f64::from(value)),
        (TypeChar::Uint, 2) => read_values(file, n, name, |value: u16| f64::from(value)),
        (TypeChar::Uint, 4) => read_values(file, n, name, |value: u32| f64::from(value)),
        (TypeChar::Uint, _) => read_values(file, n, name, |value: u64| value as f64),
        (_, 4) => read_values(file, n, name, |value: f32| f64::from(value)),
        _ => read_values(file, n, name, |value: f64| value),
    }
}

/// Floats of 16 bits, which have no counterpart here.
fn read_halves(reader: &mut impl Read, expected: usize, is_big: bool, name: &str) -> Result<Vec<f64>, Error> {
    let mut values = Vec::with_capacity(expected.min(1 << 16));
    while values.len() < expected {
        let mut bytes = [0; 2];
        reader.read_exact(&mut bytes).map_err(|source| Error::Truncated {
            name: name.into(),
            expected,
            got: values.len(),
            source: Arc::new(source),
        })?;
        values.push(half(if is_big {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        }));
    }
    Ok(values)
}

/// Reads an array of text, row after row, to the end of `reader`.
pub(crate) fn read_texts(mut reader: impl Read, name: &str) -> Result<Vec<String>, Error> {
    let header = read_header(&mut reader, name)?;
    let unsupported = Error::UnsupportedType {
        name: name.into(),
        dtype: header.dtype().descr(),
    };
    let npyz::DType::Plain(text) = header.dtype() else {
        return Err(unsupported);
    };
    let letter = match text.type_char() {
        TypeChar::UnicodeStr => 4,
        TypeChar::ByteStr => 1,
        _ => return Err(unsupported),
    };
    let width = usize::try_from(text.size_field())
        .ok()
        .and_then(|letters| letters.checked_mul(letter));
    let count = header.shape().iter().product::<u64>() as usize;
    let total = width.and_then(|width| width.checked_mul(count));
    let (Some(width), Some(total)) = (width, total) else {
        return Err(Error::TooLarge { name: name.into() });
    };
    // Memory follows what is read, not what the header promises; one byte more makes an archive compare its checksum.
    let mut bytes = Vec::new();
    let read = reader.take(total as u64 + 1).read_to_end(&mut bytes);
    if let Err(source) = read {
        return Err(damaged(name, source));
    }
    if bytes.len() != total || width == 0 {
        return Err(damaged(
            name,
            io::Error::other(format!("its text has {} bytes, not {total}", bytes.len())),
        ));
    }
    let is_big = header.dtype().descr().contains('>');
    Ok(bytes.chunks_exact(width).map(|bytes| decode(bytes, letter, is_big)).collect())
}

/// One text, which zeros fill up.
fn decode(bytes: &[u8], letter: usize, is_big: bool) -> String {
    let letters = bytes.chunks_exact(letter).map(|bytes| match *bytes {
        [a, b, c, d] if is_big => u32::from_be_bytes([a, b, c, d]),
        [a, b, c, d] => u32::from_le_bytes([a, b, c, d]),
        [a, ..] => u32::from(a),
        [] => 0,
    });
    let text: String = letters
        .map(|letter| char::from_u32(letter).unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    text.trim_end_matches('\0').into()
}

/// Whether the array that starts here holds something other than numbers.
pub(crate) fn is_not_numeric(mut reader: impl Read, name: &str) -> bool {
    match read_header(&mut reader, name) {
        Ok(header) => number_type(&header).is_none(),
        Err(error) => matches!(error, Error::UnsupportedType { .. }),
    }
}

/// The kind and width of the numbers, where they can be read.
pub(crate) fn number_type(header: &NpyHeader) -> Option<(TypeChar, u64)> {
    let npyz::DType::Plain(number) = header.dtype() else {
        return None;
    };
    let (kind, bytes) = (number.type_char(), number.size_field());
    match kind {
        TypeChar::Bool | TypeChar::Int | TypeChar::Uint => Some((kind, bytes)),
        TypeChar::Float if bytes == 2 || bytes == 4 || bytes == 8 => Some((kind, bytes)),
        _ => None,
    }
}

fn read_values<T: Deserialize>(
    file: NpyFile<impl Read>,
    expected: usize,
    name: &str,
    to_f64: impl Fn(T) -> f64,
) -> Result<Vec<f64>, Error> {
    let mut reader = file.data::<T>().map_err(|error| Error::Header {
        name: name.into(),
        source: Arc::new(io::Error::other(error)),
    })?;
    // Memory follows what is read, not what the header promises.
    let mut values = Vec::with_capacity(expected.min(1 << 16));
    while values.len() < expected {
        match reader.next() {
            Some(Ok(value)) => values.push(to_f64(value)),
            Some(Err(source)) => {
                return Err(Error::Truncated {
                    name: name.into(),
                    expected,
                    got: values.len(),
                    source: Arc::new(source),
                });
            }
            None => break,
        }
    }
    Ok(values)
}

/// Reads the header after checking it: the parser behind it multiplies lengths unchecked, and its time grows
/// exponentially with the depth of brackets.
pub(crate) fn read_header(reader: &mut impl Read, name: &str) -> Result<NpyHeader, Error> {
    let bytes = header_bytes(reader).map_err(|source| header_error(name, source))?;
    let text = String::from_utf8_lossy(&bytes);
    // An array of numbers has two: of the dictionary and of the shape. Records and dates have more.
    if text.matches(['(', '[', '{']).count() > 2 {
        return Err(Error::UnsupportedType {
            name: name.into(),
            dtype: text
                .split_once("'descr':")
                .map_or("a structure", |(_, rest)| rest.trim())
                .chars()
                .take(40)
                .collect(),
        });
    }
    // However the word before it is written, the lengths are in the only brackets within the dictionary.
    let shape = text.split_once(['(', '[']).map_or("", |(_, rest)| rest);
    let shape = shape.split_once([')', ']']).map_or(shape, |(tuple, _)| tuple);
    let mut addressable = Some(size_of::<f64>());
    for length in shape.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty()) {
        let length: Option<usize> = length.parse().ok();
        addressable = addressable.zip(length).and_then(|(size, length)| size.checked_mul(length.max(1)));
    }
    if addressable.is_none_or(|size| size > isize::MAX as usize) {
        return Err(Error::TooLarge { name: name.into() });
    }
    NpyHeader::from_reader(bytes.as_slice()).map_err(|source| header_error(name, source))
}

/// Magic bytes, version, length and text of a header.
fn header_bytes(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    // What NumPy itself accepts; the header of an array of numbers has about a hundred bytes.
    const LONGEST: usize = 10_000;
    let mut bytes = vec![0; 10];
    reader.read_exact(&mut bytes)?;
    let mut length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    if bytes[6] > 1 {
        let mut high = [0; 2];
        reader.read_exact(&mut high)?;
        bytes.extend(high);
        length += usize::from(u16::from_le_bytes(high)) << 16;
    }
    if length > LONGEST {
        return Err(io::Error::other(format!(
            "it claims {length} bytes, and at most {LONGEST} are read"
        )));
    }
    let start = bytes.len();
    bytes.resize(start + length, 0);
    reader.read_exact(&mut bytes[start..])?;
    Ok(bytes)
}

fn header_error(name: &str, source: io::Error) -> Error {
    Error::Header {
        name: name.into(),
        source: Arc::new(source),
    }
}

pub(crate) fn damaged(name: &str, source: io::Error) -> Error {
    Error::Damaged {
        name: name.into(),
        source: Arc::new(source),
    }
}

#[cfg(test)]
mod tests;
