//! HDF5 files: the one place that knows the crate that decodes them.

mod number;

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use hdf5_reader::messages::datatype::{Datatype, ReferenceType, StringSize, VarLenKind};
use hdf5_reader::{Dataset, FileStorage, Hdf5File, OpenOptions, SliceInfo, SliceInfoElem, Storage, StorageBuffer};
use ndarray::ArrayD;

use crate::Error;
use crate::ahead::expect_next;
use crate::arrays::in_rows;
use crate::filters;
use number::Number;

/// Deflate shrinks nothing further; what claims more is a damaged or a hostile file.
const BEST_COMPRESSION: usize = 1032;

/// Values take at most this many times the length of their file, unless all of them were written.
const MOST_MEMORY: u64 = 10;

/// Groups nest less deeply than this, and there are fewer.
const MOST_GROUPS: usize = 100_000;

/// The most bytes of chunks that are kept.
const CHUNK_CACHE: usize = 64 << 20;

/// The most bytes that describe one object.
const MOST_HEADER: usize = 64 << 20;

/// Times that are looked at together.
const BLOCK: usize = 1 << 16;

/// An open HDF5 file. Paths are `/group/name`.
pub(crate) struct Hdf5 {
    file: Hdf5File,
    path: PathBuf,
    /// How long the file is.
    n_bytes: u64,
    /// No object can have more bytes than this.
    most: usize,
    /// What a look at all times of a dataset found.
    orders: Mutex<HashMap<String, Arc<[BadTime]>>>,
    /// Where groups are, by their addresses.
    groups: OnceLock<HashMap<u64, String>>,
}

/// A time that is not finite, or before the one before it.
#[derive(Copy, Clone, Debug)]
pub(crate) struct BadTime {
    pub(crate) row: usize,
    pub(crate) time: f64,
    pub(crate) before: f64,
}

/// What the elements of a dataset are.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Elements {
    Numbers,
    /// An enumeration of a byte, as h5py writes booleans.
    Flags,
    Texts,
    /// Other objects of the file.
    References,
    Other,
}

impl Hdf5 {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let metadata = std::fs::metadata(path).map_err(|source| Error::Open {
            path: path.into(),
            source: Arc::new(source),
        })?;
        if metadata.is_dir() {
            return Err(damaged(
                path,
                "the folder",
                "it is no file; Zarr is not read: export it as HDF5 (pynwb: NWBHDF5IO.export)",
            ));
        }
        let n_bytes = metadata.len();
        let most = usize::try_from(n_bytes).unwrap_or(usize::MAX).saturating_mul(BEST_COMPRESSION);
        let cache = most.min(usize::try_from(n_bytes).unwrap_or(usize::MAX)).min(CHUNK_CACHE);
        let options = OpenOptions::default()
            .with_max_read_bytes(most)
            .with_max_chunk_bytes(most)
            .with_max_object_header_bytes(most.min(MOST_HEADER))
            .with_chunk_cache_bytes(cache)
            .with_filter_registry(filters::registry(most));
        let file = Ahead::open(path).and_then(|storage| Hdf5File::from_storage_with_options(Arc::new(storage), options));
        let file = file.map_err(|error| damaged(path, "the file", error))?;
        let path = path.into();
        // All bits set mean that the writer did not know.
        let expected = file.superblock().eof_address;
        if expected > n_bytes && expected != u64::MAX {
            return Err(Error::CutShort {
                path,
                got: n_bytes,
                expected,
            });
        }
        Ok(Hdf5 {
            file,
            path,
            n_bytes,
            most,
            orders: Mutex::default(),
            groups: OnceLock::new(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file cannot hold this many rows of a dataset: uncompressed ones take a byte at least.
    pub(crate) fn cannot_hold(&self, dataset: &str, n_rows: usize) -> Result<bool, Error> {
        let is_chunked = self.dataset(dataset)?.chunks().is_some();
        let most = if is_chunked {
            self.most / size_of::<f64>()
        } else {
            self.most / BEST_COMPRESSION
        };
        Ok(n_rows > most)
    }

    /// Whether the file has fewer bytes than so many rows, which are then none that could be listed.
    pub(crate) fn is_shorter_than(&self, n_rows: usize) -> bool {
        n_rows > self.most / BEST_COMPRESSION
    }

    /// Names of the groups and of the datasets in a group.
    pub(crate) fn members(&self, group: &str) -> Result<(Vec<String>, Vec<String>), Error> {
        let found = self.file.group(group).and_then(|group| group.member_names());
        found.map_err(|error| damaged(&self.path, group, error))
    }

    /// Whether a group has a dataset of this name.
    pub(crate) fn has(&self, group: &str, name: &str) -> Result<bool, Error> {
        let (_, datasets) = self.members(group)?;
        Ok(datasets.iter().any(|other| other == name))
    }

    /// Where a group is in the file, which is the same for all paths that lead to it.
    pub(crate) fn address(&self, group: &str) -> Result<u64, Error> {
        let found = self.file.group(group).map(|group| group.address());
        found.map_err(|error| damaged(&self.path, group, error))
    }

    /// An attribute of a group, where it is a text.
    pub(crate) fn group_text(&self, group: &str, name: &str) -> Option<String> {
        let attribute = self.file.group(group).and_then(|group| group.attribute(name));
        attribute.and_then(|attribute| attribute.read_string()).ok()
    }

    /// An attribute of a dataset, where it is a text.
    pub(crate) fn dataset_text(&self, dataset: &str, name: &str) -> Option<String> {
        let attribute = self.file.dataset(dataset).and_then(|dataset| dataset.attribute(name));
        attribute.and_then(|attribute| attribute.read_string()).ok()
    }

    /// A number in an attribute of a dataset; none if there is no such attribute.
    pub(crate) fn number(&self, dataset: &str, name: &str) -> Result<Option<f64>, Error> {
        let attribute = match self.dataset(dataset)?.attribute(name) {
            Err(hdf5_reader::error::Error::AttributeNotFound(_)) => return Ok(None),
            attribute => attribute,
        };
        let numbers = attribute.and_then(|attribute| attribute.read_1d::<Number>());
        let object = || format!("attribute {name} of {dataset}");
        let numbers = numbers.map_err(|error| damaged(&self.path, &object(), error))?;
        match numbers.as_slice() {
            [Number(number)] if number.is_finite() => Ok(Some(*number)),
            _ => Err(self.refuse(&object(), "it should be one number, and finite")),
        }
    }

    pub(crate) fn shape(&self, dataset: &str) -> Result<Vec<usize>, Error> {
        let dataset = self.dataset(dataset)?;
        Ok(dataset.shape().iter().map(|&length| length as usize).collect())
    }

    pub(crate) fn elements(&self, dataset: &str) -> Result<Elements, Error> {
        Ok(match self.dataset(dataset)?.dtype() {
            Datatype::FixedPoint { .. } | Datatype::FloatingPoint { size: 2 | 4 | 8, .. } => Elements::Numbers,
            Datatype::Enum { .. } => Elements::Flags,
            Datatype::String { .. } => Elements::Texts,
            Datatype::Reference {
                ref_type: ReferenceType::Object,
                size: 8,
            } => Elements::References,
            dtype if is_in_heap(dtype) => Elements::Texts,
            _ => Elements::Other,
        })
    }

    /// What the elements of a dataset are, in words.
    pub(crate) fn type_name(&self, dataset: &str) -> Result<&'static str, Error> {
        Ok(match self.dataset(dataset)?.dtype() {
            Datatype::FixedPoint { .. } => "integers",
            Datatype::FloatingPoint { size: 2 | 4 | 8, .. } => "floats",
            Datatype::FloatingPoint { .. } => "floats of an unusual size",
            Datatype::String { .. } => "texts",
            dtype if is_in_heap(dtype) => "texts",
            Datatype::Compound { .. } => "records of several fields",
            Datatype::Array { .. } => "arrays",
            Datatype::Enum { .. } => "flags",
            Datatype::VarLen { .. } => "lists of different lengths",
            Datatype::Reference { .. } => "references to other objects",
            Datatype::Bitfield { .. } => "fields of bits",
            Datatype::Opaque { .. } => "bytes without a meaning",
        })
    }

    /// All numbers of a dataset.
    pub(crate) fn floats(&self, dataset: &str) -> Result<ArrayD<f64>, Error> {
        let found = self.dataset(dataset)?;
        self.check_written(dataset, &found, found.num_elements().unwrap_or(u64::MAX), size_of::<f64>())?;
        self.numbers(dataset, found.read_array::<Number>())
    }

    /// Refuses to take memory that is out of all proportion to the file: for values that were never written.
    fn check_written(&self, dataset: &str, found: &Dataset, n_values: u64, size: usize) -> Result<(), Error> {
        if n_values.saturating_mul(size as u64) <= MOST_MEMORY * self.n_bytes {
            return Ok(());
        }
        let mut n_written = 0;
        if found.chunks().is_some() {
            for chunk in found.iter_chunks().map_err(|error| damaged(&self.path, dataset, error))? {
                let chunk = chunk.map_err(|error| damaged(&self.path, dataset, error))?;
                n_written += chunk.shape().iter().fold(1, |n, &length| u64::saturating_mul(n, length));
            }
        } else if let Ok(element) = found.raw_element_size()
            && n_values.saturating_mul(element as u64) <= self.n_bytes
        {
            // In one piece: there is room for it in the file, and reading finds out whether it is there.
            n_written = n_values;
        }
        if n_written < n_values {
            return Err(self.refuse(
                dataset,
                "most of its values were never written, and all of them would take far more memory than the file is long",
            ));
        }
        Ok(())
    }

    /// The objects that the elements of a dataset point to: the paths of groups; nothing for others.
    pub(crate) fn references(&self, dataset: &str) -> Result<Vec<Option<String>>, Error> {
        let found = self.dataset(dataset)?;
        self.check_written(dataset, &found, found.num_elements().unwrap_or(u64::MAX), size_of::<f64>())?;
        let bytes = found.read_raw_bytes().map_err(|error| damaged(&self.path, dataset, error))?;
        let (addresses, _) = bytes.as_chunks::<8>();
        let groups = self.groups();
        Ok(addresses
            .iter()
            .map(|bytes| groups.get(&u64::from_le_bytes(*bytes)).cloned())
            .collect())
    }

    /// The group that an attribute of a dataset points to, if there is one.
    pub(crate) fn reference(&self, dataset: &str, name: &str) -> Option<String> {
        let attribute = self.dataset(dataset).ok()?.attribute(name).ok()?;
        let address = attribute.raw_data.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))?;
        self.groups().get(&address).cloned()
    }

    /// All groups by their addresses, found once; the first path of each.
    fn groups(&self) -> &HashMap<u64, String> {
        self.groups.get_or_init(|| {
            let (mut found, mut seen) = (HashMap::new(), HashSet::new());
            let mut waiting = vec![String::new()];
            while let Some(path) = waiting.pop() {
                // What is damaged is not pointed to by anything that can be read.
                let Ok(group) = self.file.group(&path) else { continue };
                if !seen.insert(group.address()) || seen.len() > MOST_GROUPS {
                    continue;
                }
                let members = group.member_names().map(|(groups, _)| groups).unwrap_or_default();
                waiting.extend(members.into_iter().map(|name| format!("{path}/{name}")));
                found.insert(group.address(), path);
            }
            found
        })
    }

    /// The times in a dataset that are not finite, or before the one before them. All are looked at, once.
    pub(crate) fn bad_times(&self, dataset: &str, n_times: usize) -> Result<Arc<[BadTime]>, Error> {
        let known = || self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bad) = known().get(dataset) {
            return Ok(bad.clone());
        }
        let mut bad = Vec::new();
        let mut before = f64::NEG_INFINITY;
        for start in (0..n_times).step_by(BLOCK) {
            let times = in_rows(self.rows(dataset, start..n_times.min(start + BLOCK))?);
            for (row, time) in times.into_iter().enumerate() {
                if !(time.is_finite() && time >= before) {
                    bad.push(BadTime {
                        row: start + row,
                        time,
                        before,
                    });
                }
                before = time;
            }
        }
        let bad: Arc<[BadTime]> = bad.into();
        known().insert(dataset.into(), bad.clone());
        Ok(bad)
    }

    /// All numbers of a dataset, one after the other.
    pub(crate) fn vector(&self, dataset: &str) -> Result<Vec<f64>, Error> {
        Ok(in_rows(self.floats(dataset)?))
    }

    /// The first of some rows whose number is late enough, found by bisection in a few reads; their end if none is.
    pub(crate) fn first_row(&self, dataset: &str, rows: Range<usize>, is_late: impl Fn(f64) -> bool) -> Result<usize, Error> {
        let (mut low, mut high) = (rows.start, rows.end);
        while low < high {
            let middle = low + (high - low) / 2;
            let time = self.rows(dataset, middle..middle + 1)?.first().copied().unwrap_or(f64::NAN);
            if is_late(time) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }

    /// The numbers of some rows.
    pub(crate) fn rows(&self, dataset: &str, rows: Range<usize>) -> Result<ArrayD<f64>, Error> {
        let found = self.dataset(dataset)?;
        if rows.is_empty() || found.shape().is_empty() {
            let mut shape: Vec<usize> = found.shape().iter().map(|&length| length as usize).collect();
            if let Some(first) = shape.first_mut() {
                *first = 0;
                return ArrayD::from_shape_vec(shape, Vec::new()).map_err(|error| damaged(&self.path, dataset, io::Error::other(error)));
            }
            return self.floats(dataset);
        }
        let mut selection = SliceInfo::all(found.shape().len());
        selection.selections[0] = SliceInfoElem::Slice {
            start: rows.start as u64,
            end: rows.end as u64,
            step: 1,
        };
        let width = found.shape()[1..].iter().fold(1, |n, &length| u64::saturating_mul(n, length));
        self.check_written(dataset, &found, width.saturating_mul(rows.len() as u64), size_of::<f64>())?;
        self.numbers(dataset, found.read_slice::<Number>(&selection))
    }

    /// All texts of a dataset.
    pub(crate) fn texts(&self, dataset: &str) -> Result<Vec<String>, Error> {
        let found = self.dataset(dataset)?;
        // Memory is taken for each text as well, however short.
        let size = found.raw_element_size().map_or(usize::MAX, |size| size.max(size_of::<String>()));
        self.check_written(dataset, &found, found.num_elements().unwrap_or(u64::MAX), size)?;
        if is_in_heap(found.dtype()) {
            return self.heap_texts(dataset, &found);
        }
        found.read_strings().map_err(|error| damaged(&self.path, dataset, error))
    }

    /// Texts of any length. They lie beside the dataset, which holds the length of each and where it is.
    fn heap_texts(&self, dataset: &str, found: &Dataset) -> Result<Vec<String>, Error> {
        let references = found.read_raw_bytes().map_err(|error| damaged(&self.path, dataset, error))?;
        let references = references.chunks_exact(found.vlen_reference_size());
        let length = |reference: &[u8]| reference.first_chunk().map_or(0, |&length| u64::from(u32::from_le_bytes(length)));
        // Such texts are never compressed. Together they can only be longer than the file if many are the same one.
        let total = references.clone().map(length).fold(0, u64::saturating_add);
        if total > self.n_bytes {
            return Err(self.refuse(dataset, "its texts are longer than the file that should hold them"));
        }
        let texts = references.map(|reference| {
            let bytes = found.resolve_vlen_reference_bytes(reference, 1);
            let bytes = bytes.map_err(|error| damaged(&self.path, dataset, error))?;
            let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
            String::from_utf8(text.to_vec()).map_err(|error| damaged(&self.path, dataset, error))
        });
        texts.collect()
    }

    /// The error that an object cannot be used, and why.
    pub(crate) fn refuse(&self, object: &str, why: &'static str) -> Error {
        damaged(&self.path, object, why)
    }

    fn dataset(&self, dataset: &str) -> Result<Dataset, Error> {
        let found = self.file.dataset(dataset);
        found.map_err(|error| damaged(&self.path, dataset, error))
    }

    fn numbers(&self, dataset: &str, values: hdf5_reader::error::Result<ArrayD<Number>>) -> Result<ArrayD<f64>, Error> {
        let values = values.map_err(|error| damaged(&self.path, dataset, error))?;
        let shape = values.raw_dim();
        // In place: a number is a float by another name.
        let values = in_rows(values).into_iter().map(|Number(value)| value).collect();
        ArrayD::from_shape_vec(shape, values).map_err(|error| damaged(&self.path, dataset, error))
    }
}

/// A file whose next bytes are asked for when some are read.
struct Ahead {
    file: std::fs::File,
    storage: FileStorage,
}

impl Ahead {
    fn open(path: &Path) -> hdf5_reader::error::Result<Self> {
        let file = std::fs::File::open(path)?;
        let storage = FileStorage::from_file(file.try_clone()?)?;
        Ok(Ahead { file, storage })
    }
}

impl Storage for Ahead {
    fn len(&self) -> u64 {
        self.storage.len()
    }

    fn read_range(&self, offset: u64, length: usize) -> hdf5_reader::error::Result<StorageBuffer> {
        let read = self.storage.read_range(offset, length)?;
        expect_next(&self.file, offset + length as u64, length);
        Ok(read)
    }
}

/// Whether values are texts of any length, kept in a heap of the file.
fn is_in_heap(dtype: &Datatype) -> bool {
    match dtype {
        Datatype::String { size, .. } => *size == StringSize::Variable,
        Datatype::VarLen { base, kind, .. } => *kind == VarLenKind::String && base.is_vlen_string_base(),
        _ => false,
    }
}

fn damaged(path: &Path, object: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Hdf5 {
        path: path.into(),
        object: object.into(),
        source: Arc::new(io::Error::other(error)),
    }
}
