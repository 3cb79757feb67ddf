//! A Zarr array as rows that stay where they are.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nemos_core::{Backend, Design, Matrix, Names, Rows, Samples, ToDesign, check_columns_exist, check_memory, check_rows_exist};
use zarrs::array::chunk_cache::{ChunkCache, ChunkCacheDecodedLruChunkLimitThreadLocal, ChunkCachePartialDecoderLruChunkLimitThreadLocal};
use zarrs::array::data_type::{
    BoolDataType, Float32DataType, Float64DataType, Int8DataType, Int16DataType, Int32DataType, Int64DataType, UInt8DataType,
    UInt16DataType, UInt32DataType, UInt64DataType,
};
use zarrs::array::{Array, ArrayError, ArrayShardedExt, CodecOptions, DataType, ElementOwned, FromArrayBytes};
use zarrs::filesystem::FilesystemStore;
use zarrs::storage::{ReadableStorage, ReadableStorageTraits};

use crate::Error;
use crate::error::unread;

/// The rows of an array in a Zarr folder, version 3 or 2, which are read a chunk at a time: features or counts that do not fit into
/// memory, compressed.
///
/// The array has one axis, and is a column, or two, `[n_rows, n_columns]`, of floats of 32 or 64 bits, integers or booleans, compressed with
/// gzip or Zstandard or not at all, sharded or not. Chunks that were never written hold its fill value. Each thread keeps the last chunk of
/// the file that it has decoded (all those of some rows, where columns are in several): chunks of some thousand rows are best. Of a sharded
/// array the index of a shard is kept, and chunks within it are decoded for each block of rows.
///
/// # Example
/// ```
/// use ndarray::Array2;
/// use nemos_core::Cpu;
/// use nemos_glm::{Glm, Poisson};
/// use nemos_io::{ZarrRows, write_zarr};
/// # let folder = std::env::temp_dir().join(format!("nemos_zarr_example_{}", std::process::id()));
/// let sine = Array2::from_shape_fn((100, 2), |(bin, k)| (0.1 * (bin * (k + 1)) as f64).sin());
/// let counts = Array2::from_shape_fn((100, 1), |(bin, _)| (bin % 3) as u8);
/// write_zarr::<Cpu>(folder.join("stimuli"), &sine, 40)?;
/// write_zarr::<Cpu>(folder.join("counts"), &counts, 40)?;
///
/// let (stimuli, counts) = (ZarrRows::open(&folder, "stimuli")?, ZarrRows::open(&folder, "counts")?);
/// let fitted = Glm::new(Poisson).fit::<Cpu>(&stimuli, &counts)?;
/// assert_eq!(fitted.coef().len(), 2);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ZarrRows {
    path: PathBuf,
    chunks: Arc<dyn ChunkCache>,
    numbers: ToNumbers,
    dims: [usize; 2],
    n_axes: usize,
}

type Folder = Array<dyn ReadableStorageTraits>;
/// Values of some rows and columns as numbers.
type ToNumbers = fn(&dyn ChunkCache, &[Range<u64>]) -> Result<Vec<f64>, ArrayError>;

/// How numbers of a type are read; nothing for types that hold no numbers.
fn reader(data_type: &DataType) -> Option<ToNumbers> {
    let readers: [(bool, ToNumbers); 11] = [
        (data_type.is::<Float64DataType>(), small::<f64>),
        (data_type.is::<Float32DataType>(), small::<f32>),
        (data_type.is::<UInt8DataType>(), small::<u8>),
        (data_type.is::<UInt16DataType>(), small::<u16>),
        (data_type.is::<UInt32DataType>(), small::<u32>),
        (data_type.is::<UInt64DataType>(), |chunks, part| {
            wide::<u64>(chunks, part, |number| number as f64)
        }),
        (data_type.is::<Int8DataType>(), small::<i8>),
        (data_type.is::<Int16DataType>(), small::<i16>),
        (data_type.is::<Int32DataType>(), small::<i32>),
        (data_type.is::<Int64DataType>(), |chunks, part| {
            wide::<i64>(chunks, part, |number| number as f64)
        }),
        (data_type.is::<BoolDataType>(), |chunks, part| {
            wide::<bool>(chunks, part, |flag| f64::from(u8::from(flag)))
        }),
    ];
    readers.into_iter().find_map(|(is_it, read)| is_it.then_some(read))
}

/// Numbers of a type that `f64` holds without loss.
fn small<T: ElementOwned + Into<f64>>(chunks: &dyn ChunkCache, part: &[Range<u64>]) -> Result<Vec<f64>, ArrayError> {
    wide::<T>(chunks, part, Into::into)
}

fn wide<T: ElementOwned>(chunks: &dyn ChunkCache, part: &[Range<u64>], to_f64: fn(T) -> f64) -> Result<Vec<f64>, ArrayError> {
    // By the thread that asks, alone: the others have rows of their own.
    let options = CodecOptions::default().with_concurrent_target(1);
    let bytes = chunks.retrieve_array_subset_bytes(&part, &options)?;
    let shape: Vec<u64> = part.iter().map(|range| range.end - range.start).collect();
    let values = Vec::<T>::from_array_bytes_arc(bytes, &shape, chunks.array().data_type())?;
    Ok(values.into_iter().map(to_f64).collect())
}

impl ZarrRows {
    /// Opens an array of a folder by its path there: empty where the folder is the array itself.
    ///
    /// # Errors
    /// [`Error::Zarr`] if there is no such array, if it is damaged or encoded in a way that is not read; [`Error::UnsupportedType`]
    /// if it holds no numbers; [`Error::NotRows`] if it has more than two axes, or none; [`Error::TooLarge`]; [`Error::Glm`] if a chunk
    /// does not fit into memory.
    pub fn open(folder: impl AsRef<Path>, array: &str) -> Result<Self, Error> {
        let inside = array.trim_matches('/');
        let path = match inside {
            "" => folder.as_ref().to_path_buf(),
            inside => folder.as_ref().join(inside),
        };
        let name = || path.to_string_lossy().into_owned();
        if !["zarr.json", ".zarray"].iter().any(|file| path.join(file).is_file()) {
            return Err(damaged(
                &path,
                "there is no zarr.json (or .zarray, of version 2) with what it holds; `array` is the path to the array within the folder",
            ));
        }
        let store: ReadableStorage = Arc::new(FilesystemStore::new(folder.as_ref()).map_err(|error| damaged(&path, error))?);
        let array: Folder = Array::open(store, &format!("/{inside}")).map_err(|error| damaged(&path, error))?;
        let Some(numbers) = reader(array.data_type()) else {
            return Err(Error::UnsupportedType {
                name: name(),
                dtype: format!("{:?}", array.data_type()).chars().take(60).collect(),
            });
        };
        let shape: Vec<usize> = array.shape().iter().map(|&length| length as usize).collect();
        let dims = match shape[..] {
            [rows] => [rows, 1],
            [rows, columns] => [rows, columns],
            _ => return Err(Error::NotRows { path, shape }),
        };
        let bytes = dims[0].checked_mul(dims[1]).and_then(|n| n.checked_mul(size_of::<f64>()));
        if bytes.is_none_or(|bytes| bytes > isize::MAX as usize) {
            return Err(Error::TooLarge { name: name() });
        }
        let (n_axes, is_sharded) = (shape.len(), array.is_sharded());
        let chunk = array.chunk_shape(&vec![0; n_axes]).map_err(|error| damaged(&path, error))?;
        if !is_sharded {
            let bytes = chunk.iter().map(|length| length.get() as f64).product::<f64>() * 8.0;
            check_memory("a chunk of the array", bytes).map_err(nemos_glm::Error::from)?;
        }
        // All that hold a row.
        let beside = chunk.get(1).map_or(1, |width| (dims[1] as u64).div_ceil(width.get())).max(1);
        let array = Arc::new(array);
        let chunks: Arc<dyn ChunkCache> = if is_sharded {
            Arc::new(ChunkCachePartialDecoderLruChunkLimitThreadLocal::new(array, beside))
        } else {
            Arc::new(ChunkCacheDecodedLruChunkLimitThreadLocal::new(array, beside))
        };
        Ok(ZarrRows {
            path,
            chunks,
            numbers,
            dims,
            n_axes,
        })
    }

    /// Rows and columns.
    pub fn dims(&self) -> [usize; 2] {
        self.dims
    }

    fn part<B: Backend>(&self, rows: Range<usize>, columns: Range<usize>) -> Result<Matrix<B>, nemos_core::Error> {
        let dims = [rows.len(), columns.len()];
        if dims.contains(&0) {
            return Ok(Matrix::zeros(dims));
        }
        let part = [rows.start as u64..rows.end as u64, columns.start as u64..columns.end as u64];
        let values = (self.numbers)(&*self.chunks, &part[..self.n_axes])
            .map_err(|error| damaged(&self.path, error))
            .map_err(unread(rows))?;
        Matrix::from_vec(values, dims)
    }
}

pub(crate) fn damaged(path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Zarr {
        path: path.into(),
        source: Arc::new(io::Error::other(source)),
    }
}

impl fmt::Debug for ZarrRows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("ZarrRows");
        shown.field("path", &self.path).field("dims", &self.dims).finish_non_exhaustive()
    }
}

impl<B: Backend> Rows<B> for ZarrRows {
    fn n_rows(&self) -> usize {
        self.dims[0]
    }

    fn n_columns(&self) -> usize {
        self.dims[1]
    }

    fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, nemos_core::Error> {
        check_rows_exist(&rows, self.dims[0])?;
        self.part(rows, 0..self.dims[1])
    }

    fn chunk_of(&self, rows: Range<usize>, columns: &[usize]) -> Result<Matrix<B>, nemos_core::Error> {
        check_rows_exist(&rows, self.dims[0])?;
        check_columns_exist(columns, self.dims[1])?;
        // Those between the first and the last: chunks that hold none of them stay unread.
        let first = columns.iter().copied().min().unwrap_or(0);
        let end = columns.iter().map(|column| column + 1).max().unwrap_or(0);
        let places: Vec<usize> = columns.iter().map(|column| column - first).collect();
        self.part::<B>(rows, first..end)?.select_columns(&places)
    }
}

impl<B: Backend> ToDesign<B> for ZarrRows {
    fn to_design(&self) -> Design<'_, B> {
        Design::from_rows(self)
    }
}

impl<B: Backend> Samples<B> for ZarrRows {
    type Output = Matrix<B>;

    fn wrap(&self, values: Matrix<B>, _names: Names) -> Matrix<B> {
        values
    }
}
