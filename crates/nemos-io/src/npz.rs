//! Named arrays in NumPy's `.npz` format: a zip archive of `.npy` files.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::ArrayD;
use zip::ZipArchive;

use crate::Error;
use crate::npy::{is_not_numeric, read_array, read_texts};

/// A `.npz` file: named arrays of numbers.
///
/// Members that hold text or pickled Python objects are left alone: [`names`](NpzFile::names) does not list them, and
/// nothing is ever unpickled.
///
/// # Example
/// ```
/// use nemos_io::NpzFile;
/// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// # std::env::set_current_dir(root).unwrap();
/// let recording = NpzFile::open("examples/data/place_cell_1.npz")?;
/// let position = recording.vector("position")?;
/// assert_eq!(position.len(), 177_761);
/// # Ok::<(), nemos_io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct NpzFile {
    path: PathBuf,
    names: Vec<String>,
    members: Vec<String>,
}

impl NpzFile {
    /// Opens a file and lists its arrays; values are read when they are asked for.
    ///
    /// # Errors
    /// [`Error::Open`] or [`Error::NotAnArchive`]: what is wrong with the file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let mut archive = open_archive(path)?;
        let members = array_names(&archive);
        let mut names = members.clone();
        // A member whose header is damaged stays in the list: asking for it says what is wrong.
        names.retain(|name| match archive.by_name(&member(name)) {
            Ok(file) => !is_not_numeric(file, name),
            Err(_) => true,
        });
        let path = path.into();
        Ok(NpzFile { path, names, members })
    }

    /// Names of the arrays of numbers, in alphabetical order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Reads one array.
    ///
    /// # Errors
    /// [`Error::NoArray`] names those that exist; [`Error::Header`], [`Error::UnsupportedType`], [`Error::TooLarge`],
    /// [`Error::Truncated`], [`Error::Damaged`] say what is wrong with this one.
    pub fn array(&self, name: &str) -> Result<ArrayD<f64>, Error> {
        let mut archive = open_archive(&self.path)?;
        if archive.index_for_name(&member(name)).is_none() {
            return Err(Error::NoArray {
                path: self.path.clone(),
                name: name.into(),
                available: self.names.clone(),
            });
        }
        let file = archive.by_name(&member(name)).map_err(|error| Error::Header {
            name: self.label(name),
            source: Arc::new(error.into()),
        })?;
        read_array(BufReader::new(file), &self.label(name))
    }

    /// Reads one array of text.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, Error> {
        let mut archive = open_archive(&self.path)?;
        let file = archive.by_name(&member(name)).map_err(|error| Error::Header {
            name: self.label(name),
            source: Arc::new(error.into()),
        })?;
        read_texts(BufReader::new(file), &self.label(name))
    }

    /// An array and its file, for errors.
    fn label(&self, name: &str) -> String {
        format!("{name:?} in {}", self.path.display())
    }

    /// Whether there is a member of this name, of whatever kind.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|other| other == name)
    }

    /// Reads one array that has a single axis.
    ///
    /// # Errors
    /// As [`array`](NpzFile::array), and [`Error::NotAVector`].
    pub fn vector(&self, name: &str) -> Result<Vec<f64>, Error> {
        let array = self.array(name)?;
        if array.ndim() != 1 {
            return Err(Error::NotAVector {
                name: self.label(name),
                shape: array.shape().into(),
            });
        }
        Ok(array.into_iter().collect())
    }
}

fn member(name: &str) -> String {
    npyz::npz::file_name_from_array_name(name)
}

/// Names of all members that NumPy would take for arrays, sorted.
fn array_names(archive: &ZipArchive<BufReader<File>>) -> Vec<String> {
    let mut names: Vec<String> = archive
        .file_names()
        .filter_map(|file| npyz::npz::array_name_from_file_name(&file.ok()?).map(String::from))
        .collect();
    names.sort();
    names
}

fn open_archive(path: &Path) -> Result<ZipArchive<BufReader<File>>, Error> {
    let file = File::open(path).map_err(|source| Error::Open {
        path: path.into(),
        source: Arc::new(source),
    })?;
    ZipArchive::new(BufReader::new(file)).map_err(|error| Error::NotAnArchive {
        path: path.into(),
        source: Arc::new(error.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/");
    const SAVED: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/cases/saved_models/poisson_ridge.npz"
    );

    fn scratch(name: &str, bytes: &[u8]) -> PathBuf {
        let path = std::env::temp_dir().join(format!("nemos_npz_{}_{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        path
    }

    #[test]
    fn a_recording_is_read_by_name() {
        let recording = NpzFile::open(format!("{DATA}subthalamic.npz")).unwrap();
        assert_eq!(recording.names(), ["direction", "spikes", "time_ms"]);
        let spikes = recording.array("spikes").unwrap();
        assert_eq!(spikes.shape(), [50, 2000]);
        assert!(spikes.iter().all(|&count| count == 0.0 || count == 1.0));
        assert_eq!(recording.vector("time_ms").unwrap().len(), 2000);
    }

    #[test]
    fn text_is_not_listed_and_refused_by_name() {
        let saved = NpzFile::open(SAVED).unwrap();
        assert!(saved.names().iter().any(|name| name.contains("coef")), "{:?}", saved.names());
        let all = array_names(&open_archive(Path::new(SAVED)).unwrap());
        let text = all
            .iter()
            .find(|name| !saved.names().contains(name))
            .expect("the name of a class is text");
        assert!(matches!(saved.array(text), Err(Error::UnsupportedType { .. })));
    }

    #[test]
    fn errors_name_what_exists() {
        let recording = NpzFile::open(format!("{DATA}subthalamic.npz")).unwrap();
        let error = recording.array("position").unwrap_err().to_string();
        assert!(error.contains("position") && error.contains("time_ms"), "{error}");
        let error = recording.vector("spikes").unwrap_err();
        assert!(
            matches!(error, Error::NotAVector { .. }) && error.to_string().starts_with("array \"spikes\" in "),
            "{error}"
        );
        assert!(matches!(NpzFile::open("no/such/file.npz"), Err(Error::Open { .. })));
    }

    #[test]
    fn what_is_no_archive_or_half_of_one_is_an_error() {
        let whole = std::fs::read(format!("{DATA}subthalamic.npz")).unwrap();
        for (name, bytes) in [("text", &b"not a zip"[..]), ("empty", b""), ("half", &whole[..whole.len() / 2])] {
            let path = scratch(name, bytes);
            assert!(matches!(NpzFile::open(&path), Err(Error::NotAnArchive { .. })), "{name}");
            std::fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn a_flipped_byte_is_an_error_and_never_a_panic() {
        let whole = std::fs::read(format!("{DATA}subthalamic.npz")).unwrap();
        let expected: Vec<_> = read_all(&NpzFile::open(format!("{DATA}subthalamic.npz")).unwrap()).unwrap();
        for index in (0..whole.len()).step_by(97) {
            let mut bytes = whole.clone();
            bytes[index] ^= 0x5a;
            let path = scratch("flipped", &bytes);
            if let Ok(Ok(arrays)) = NpzFile::open(&path).map(|file| read_all(&file)) {
                // Some bytes say nothing about values: times of files, for instance, or a member's own name.
                assert!(arrays.iter().all(|array| expected.contains(array)), "byte {index}");
            }
            std::fs::remove_file(path).unwrap();
        }
    }

    fn read_all(file: &NpzFile) -> Result<Vec<ArrayD<f64>>, Error> {
        file.names().iter().map(|name| file.array(name)).collect()
    }
}
