//! Any file that can be read, and folders of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::ArrayD;
use nemos_core::Backend;

use crate::format::Format;
use crate::{CsvFile, Error, NpzFile, NwbFile, Pynapple, SavedModel, read_npy};

/// What a file holds, whatever its format: what [`load_file`] gives.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "there is one for each file")]
pub enum Loaded<B: Backend> {
    /// A recording in HDF5.
    Nwb(NwbFile),
    /// An object of pynapple.
    Pynapple(Pynapple<B>),
    /// Named arrays of NumPy.
    Npz(NpzFile),
    /// One array of NumPy.
    Npy(ArrayD<f64>),
    /// A table of text.
    Csv(CsvFile),
    /// A fitted model.
    Model(SavedModel),
}

/// Reads any file that can be read: by its content, and by the ending of its name where that says nothing.
///
/// # Errors
/// [`Error::Open`]; [`Error::UnknownFormat`]; those of the reader of its format.
///
/// # Example
/// ```
/// use nemos_core::Cpu;
/// use nemos_io::{Loaded, load_file};
/// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// # std::env::set_current_dir(root).unwrap();
/// let Loaded::Nwb(session) = load_file::<Cpu>("examples/data/phy_A8604.nwb")? else { panic!("a session") };
/// assert_eq!(session.units()?.len(), 3);
/// assert!(matches!(load_file::<Cpu>("examples/data/subthalamic.npz")?, Loaded::Npz(_)));
/// # Ok::<(), nemos_io::Error>(())
/// ```
pub fn load_file<B: Backend>(path: impl AsRef<Path>) -> Result<Loaded<B>, Error> {
    let path = path.as_ref();
    Ok(match Format::of_file(path)? {
        Format::Hdf5 => Loaded::Nwb(NwbFile::open(path)?),
        Format::Npz => match Pynapple::read(path) {
            Ok(object) => Loaded::Pynapple(object),
            Err(Error::NotPynapple { .. }) => Loaded::Npz(NpzFile::open(path)?),
            Err(error) => return Err(error),
        },
        Format::Npy => Loaded::Npy(read_npy(path)?),
        Format::Csv => Loaded::Csv(CsvFile::open(path)?),
        Format::Safetensors => Loaded::Model(SavedModel::load(path)?),
    })
}

/// The files of a session in one folder, and in those within it. Nothing is read before it is asked for.
///
/// # Example
/// ```
/// use nemos_core::Cpu;
/// use nemos_io::{Loaded, SessionFolder};
/// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// # std::env::set_current_dir(root).unwrap();
/// let folder = SessionFolder::open("examples/data")?;
/// assert!(folder.names().iter().any(|name| name == "subthalamic"));
/// assert!(matches!(folder.load::<Cpu>("phy_A8604")?, Loaded::Nwb(_)));
/// # Ok::<(), nemos_io::Error>(())
/// ```
#[doc(alias("load_folder", "load_session", "Folder"))]
#[derive(Clone, Debug)]
#[must_use]
pub struct SessionFolder {
    path: PathBuf,
    names: Vec<String>,
    files: Vec<PathBuf>,
}

/// Folders nest less deeply than this.
const DEEPEST: usize = 16;

impl SessionFolder {
    /// Lists the files of a folder whose endings are those of formats that can be read.
    ///
    /// # Errors
    /// [`Error::Open`] if it is no folder, or cannot be listed.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let mut files = Vec::new();
        list(path, 0, &mut files)?;
        files.sort();
        let relative = |file: &PathBuf| file.strip_prefix(path).unwrap_or(file).to_path_buf();
        // A name without its ending, where that tells it from the others.
        let short = |file: &PathBuf| relative(file).with_extension("");
        let name = |file: &PathBuf| {
            let is_alone = files.iter().filter(|other| short(other) == short(file)).count() == 1;
            let name = if is_alone { short(file) } else { relative(file) };
            name.to_string_lossy().replace('\\', "/")
        };
        Ok(SessionFolder {
            path: path.into(),
            names: files.iter().map(name).collect(),
            files: files.clone(),
        })
    }

    /// The names to ask for files by: their paths within the folder, with an ending only where two differ in nothing else.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The files, in the order of their names.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Reads the file of this name.
    ///
    /// # Errors
    /// [`Error::NoEntry`] names those that there are; as [`load_file`].
    pub fn load<B: Backend>(&self, name: &str) -> Result<Loaded<B>, Error> {
        let place = self.names.iter().position(|other| other == name);
        let place = place.ok_or_else(|| Error::NoEntry {
            path: self.path.clone(),
            wanted: "file",
            name: name.into(),
            available: self.names.clone(),
        })?;
        load_file(&self.files[place])
    }
}

fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let cannot = |source| Error::Open {
        path: folder.into(),
        source: Arc::new(source),
    };
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(cannot)?);
        // A link may lead round; one to a file is followed.
        if kind.is_dir() && depth < DEEPEST {
            list(&path, depth + 1, files)?;
        } else if path.is_file() && Format::is_read(&path) {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nemos_core::Cpu;

    #[test]
    fn files_are_known_by_their_content() {
        let folder = std::env::temp_dir().join(format!("nemos_load_{}", std::process::id()));
        std::fs::create_dir_all(folder.join("day 2")).unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
        write("position.csv", b"time,x\n0,1\n");
        write("position.txt", b"time,x\n0,1\n");
        write("day 2/trials", b"start,stop\n0,1\n");
        write("notes.md", b"nothing");
        write("empty.npy", b"");
        crate::write_npy(folder.join("day 2/a.npy"), ndarray::array![1.0, 2.0].view()).unwrap();
        let session = SessionFolder::open(&folder).unwrap();
        assert_eq!(session.names(), ["day 2/a", "empty", "position.csv", "position.txt"]);
        assert!(matches!(session.load::<Cpu>("day 2/a").unwrap(), Loaded::Npy(array) if array.len() == 2));
        assert!(matches!(session.load::<Cpu>("position.txt").unwrap(), Loaded::Csv(_)));
        // Without an ending the content decides, and where it says nothing the ending does.
        assert!(matches!(load_file::<Cpu>(folder.join("day 2/trials")).unwrap(), Loaded::Csv(_)));
        assert!(matches!(session.load::<Cpu>("empty"), Err(Error::Header { .. })));
        std::fs::rename(folder.join("day 2/a.npy"), folder.join("a.csv")).unwrap();
        assert!(matches!(load_file::<Cpu>(folder.join("a.csv")).unwrap(), Loaded::Npy(_)));
        let error = session.load::<Cpu>("b").unwrap_err().to_string();
        assert!(error.contains("position.csv"), "{error}");
        write("bytes.bin", &[0, 1, 2, 3]);
        assert!(matches!(
            load_file::<Cpu>(folder.join("bytes.bin")),
            Err(Error::UnknownFormat { .. })
        ));
        assert!(matches!(SessionFolder::open(folder.join("none")), Err(Error::Open { .. })));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
