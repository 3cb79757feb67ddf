//! Writing `.npz` files: a zip archive of `.npy` files.

use std::io::{self, Cursor, Write};
use std::path::Path;
use std::sync::Arc;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::{Error, write};

/// Collects arrays, and writes them as one file.
pub(crate) struct NpzWriter {
    archive: ZipWriter<Cursor<Vec<u8>>>,
    failure: Option<io::Error>,
}

impl NpzWriter {
    pub(crate) fn new() -> Self {
        NpzWriter {
            archive: ZipWriter::new(Cursor::new(Vec::new())),
            failure: None,
        }
    }

    /// An array of numbers, row after row.
    pub(crate) fn floats(&mut self, name: &str, shape: &[usize], values: impl IntoIterator<Item = f64>) {
        self.member(name, "<f8", shape, values.into_iter().flat_map(f64::to_le_bytes).collect());
    }

    /// An array of whole numbers, row after row.
    pub(crate) fn integers(&mut self, name: &str, shape: &[usize], values: impl IntoIterator<Item = i64>) {
        self.member(name, "<i8", shape, values.into_iter().flat_map(i64::to_le_bytes).collect());
    }

    /// An array of texts.
    pub(crate) fn texts(&mut self, name: &str, shape: &[usize], texts: &[&str]) {
        let width = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(1);
        let padded = |text: &str| {
            let letters: Vec<u32> = text.chars().map(u32::from).collect();
            (0..width).flat_map(move |index| letters.get(index).copied().unwrap_or(0).to_le_bytes())
        };
        let bytes = texts.iter().flat_map(|text| padded(text)).collect();
        self.member(name, &format!("<U{width}"), shape, bytes);
    }

    /// Writes the file, replacing one that exists whole or not at all.
    pub(crate) fn write(mut self, path: &Path) -> Result<(), Error> {
        let bytes = match self.failure.take() {
            Some(failure) => Err(failure),
            None => self.archive.finish().map_err(io::Error::from),
        };
        let bytes = bytes.map_err(|source| Error::Write {
            path: path.into(),
            source: Arc::new(source),
        })?;
        write::replace(path, bytes.get_ref())
    }

    fn member(&mut self, name: &str, dtype: &str, shape: &[usize], bytes: Vec<u8>) {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(bytes.len() >= 1 << 31);
        let mut add = || {
            self.archive.start_file(format!("{name}.npy"), options)?;
            self.archive.write_all(&header(dtype, shape))?;
            self.archive.write_all(&bytes)
        };
        if let Err(error) = add() {
            self.failure.get_or_insert(error);
        }
    }
}

/// The header of a `.npy` file of version 1; data start at a multiple of 64 bytes.
fn header(dtype: &str, shape: &[usize]) -> Vec<u8> {
    let axes: String = shape.iter().map(|length| format!("{length}, ")).collect();
    let mut text = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({}), }}", axes.trim_end());
    while !(text.len() + 11).is_multiple_of(64) {
        text.push(' ');
    }
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NpzFile;

    #[test]
    fn what_is_written_is_read_back() {
        let path = std::env::temp_dir().join(format!("nemos_npz_writer_{}.npz", std::process::id()));
        let mut writer = NpzWriter::new();
        writer.floats("x", &[2, 3], (0..6).map(|x| f64::from(x) / 7.0));
        writer.floats("number", &[], [0.5]);
        writer.integers("n", &[2], [-3, 1 << 40]);
        writer.texts("words", &[2], &["ab", "größer"]);
        writer.write(&path).unwrap();
        let file = NpzFile::open(&path).unwrap();
        assert_eq!(file.names(), ["n", "number", "x"]);
        assert_eq!(file.array("x").unwrap().shape(), [2, 3]);
        assert_eq!(file.array("x").unwrap()[[1, 2]], 5.0 / 7.0);
        assert_eq!(file.array("number").unwrap().ndim(), 0);
        assert_eq!(file.vector("n").unwrap(), [-3.0, (1_i64 << 40) as f64]);
        assert_eq!(file.texts("words").unwrap(), ["ab", "größer"]);
        assert!(file.texts("x").is_err());
        std::fs::remove_file(path).unwrap();
    }
}
