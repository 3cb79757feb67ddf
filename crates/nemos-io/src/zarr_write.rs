//! Rows written as a Zarr array.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use nemos_core::tensor::DType;
use nemos_core::{Backend, Rows, row_chunks};
use zarrs::array::codec::ZstdCodec;
use zarrs::array::{Array, ArrayBuilder, ArrayError, Element, data_type};
use zarrs::filesystem::FilesystemStore;

use crate::Error;
use crate::zarr_rows::damaged;

/// Writes rows as a Zarr array of version 3, so many of them to a chunk: counts as `uint8` or `uint16` where all of them fit, other numbers
/// as floats of the backend's precision; compressed with Zstandard.
///
/// Rows are read twice, a chunk at a time. The folder is made if it is not there, and says that it is an array when all rows are.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Rows};
/// use nemos_io::{ZarrRows, write_zarr};
/// use nemos_timeseries::{IntervalSet, Ts, TsGroup};
/// # let folder = std::env::temp_dir().join(format!("nemos_write_zarr_example_{}", std::process::id()));
/// let units = TsGroup::new([Ts::new([0.1, 0.5, 0.7])?, Ts::new([1.9])?], &IntervalSet::new([(0.0, 2.0)])?);
/// write_zarr::<Cpu>(&folder, &units.binned(0.5)?, 10_000)?;
/// let counts = ZarrRows::open(&folder, "")?;
/// assert_eq!(Rows::<Cpu>::chunk(&counts, 1..4)?.to_vec(), [2.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Zarr`] if there is an array already, or it cannot be written; errors of the rows.
pub fn write_zarr<B: Backend>(folder: impl AsRef<Path>, rows: &(impl Rows<B> + ?Sized), chunk_rows: usize) -> Result<(), Error> {
    let folder = folder.as_ref();
    if ["zarr.json", ".zarray"].iter().any(|file| folder.join(file).exists()) {
        return Err(damaged(folder, "there is something already; remove it first"));
    }
    let chunks = || row_chunks(rows.n_rows(), chunk_rows.max(1));
    let mut largest = 0.0_f64;
    for range in chunks() {
        let values = read(rows, range)?;
        let is_count = |value: &f64| *value >= 0.0 && value.fract() == 0.0 && (*value != 0.0 || value.is_sign_positive());
        if !values.iter().all(is_count) {
            largest = f64::INFINITY;
            break;
        }
        largest = values.into_iter().fold(largest, f64::max);
    }
    let write: Store;
    let dims = [rows.n_rows() as u64, rows.n_columns() as u64];
    let chunk = [chunk_rows.max(1) as u64, dims[1].max(1)];
    let (dims, chunk) = (dims.to_vec(), chunk.to_vec());
    let mut builder = if largest <= f64::from(u8::MAX) {
        write = |array, rows, values| store(array, rows, values.into_iter().map(|value| value as u8).collect());
        ArrayBuilder::new(dims, chunk, data_type::uint8(), 0_u8)
    } else if largest <= f64::from(u16::MAX) {
        write = |array, rows, values| store(array, rows, values.into_iter().map(|value| value as u16).collect());
        ArrayBuilder::new(dims, chunk, data_type::uint16(), 0_u16)
    } else if B::DTYPE == DType::F64 {
        write = store;
        ArrayBuilder::new(dims, chunk, data_type::float64(), 0.0_f64)
    } else {
        write = |array, rows, values| store(array, rows, values.into_iter().map(|value| value as f32).collect());
        ArrayBuilder::new(dims, chunk, data_type::float32(), 0.0_f32)
    };
    std::fs::create_dir_all(folder).map_err(|error| damaged(folder, error))?;
    let files = Arc::new(FilesystemStore::new(folder).map_err(|error| damaged(folder, error))?);
    let array = builder
        .bytes_to_bytes_codecs(vec![Arc::new(ZstdCodec::new(LEVEL, false))])
        .build(files, "/")
        .map_err(|error| damaged(folder, error))?;
    for range in chunks() {
        let values = read(rows, range.clone())?;
        if !values.is_empty() {
            write(&array, range, values).map_err(|error| damaged(folder, error))?;
        }
    }
    // Last: a folder without it is no array.
    array.store_metadata().map_err(|error| damaged(folder, error))
}

type Folder = Array<FilesystemStore>;
/// How some rows are stored.
type Store = fn(&Folder, Range<usize>, Vec<f64>) -> Result<(), ArrayError>;

/// What Zstandard itself takes where nothing else is asked for.
const LEVEL: i32 = 3;

fn read<B: Backend>(rows: &(impl Rows<B> + ?Sized), range: Range<usize>) -> Result<Vec<f64>, Error> {
    let read = rows.chunk(range).and_then(|chunk| chunk.try_to_vec());
    read.map_err(|error| nemos_glm::Error::from(error).into())
}

fn store<T: Element>(array: &Folder, rows: Range<usize>, values: Vec<T>) -> Result<(), ArrayError> {
    let part = [rows.start as u64..rows.end as u64, 0..array.shape()[1]];
    array.store_array_subset(&part, values)
}
