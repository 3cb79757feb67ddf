//! Recordings in, fitted models out.
//!
//! Whatever number type a file stores, values arrive as `f64`. Nothing that a file says about itself is believed before
//! the bytes are there: a damaged file is an error, and never a panic or a huge allocation.
//!
//! | item | what it is |
//! |---|---|
//! | [`NwbFile`], [`NwbUnits`], [`NwbSeries`] | units, intervals and series of an NWB file, read when they are asked for |
//! | [`Pynapple`] | objects of pynapple, in and out |
//! | [`read_csv`], [`CsvFile`] | signals, units, trials and tables from comma-separated text |
//! | [`load_file`], [`SessionFolder`] | any of these, by content; all files of a session |
//! | [`Lenient`], [`LeftOut`] | what is damaged read nevertheless, with what was left out |
//! | [`NpzFile`] | named arrays of a `.npz` file, as NumPy and pynapple write it |
//! | [`read_npy`], [`write_npy`] | one array in a `.npy` file |
//! | [`NpyRows`], [`NwbRows`] | rows that stay in their file, and are read a chunk at a time |
//! | `ZarrRows`, `write_zarr` | the same in Zarr folders, with the feature `zarr` |
//! | [`SaveModel`] | fitted models in and out of safetensors, and of NeMoS's files |
//! | [`SavedModel`] | what such a file holds, and the basis that makes the model's features |

mod ahead;
mod arrays;
mod csv;
mod error;
mod filters;
mod format;
mod hdf5;
mod load;
mod lzf;
mod names;
mod nemos_file;
mod nemos_penalty;
mod npy;
mod npy_rows;
mod npz;
mod npz_writer;
mod nwb;
mod nwb_axis;
mod nwb_interval_series;
mod nwb_part;
mod nwb_regions;
mod nwb_rows;
mod nwb_series;
mod nwb_table;
mod nwb_units;
mod pynapple;
mod report;
mod rising;
mod safetensors;
mod save_model;
mod saved;
mod write;
#[cfg(feature = "zarr")]
mod zarr_rows;
#[cfg(feature = "zarr")]
mod zarr_write;

pub use csv::{CsvFile, read_csv};
pub use error::Error;
pub use load::{Loaded, SessionFolder, load_file};
pub use npy::{read_npy, write_npy};
pub use npy_rows::NpyRows;
pub use npz::NpzFile;
pub use nwb::{NwbEntry, NwbFile, NwbKind};
pub use nwb_rows::NwbRows;
pub use nwb_series::NwbSeries;
pub use nwb_units::NwbUnits;
pub use pynapple::Pynapple;
pub use report::{LeftOut, Lenient, Reason};
pub use save_model::SaveModel;
pub use saved::SavedModel;
#[cfg(feature = "zarr")]
pub use zarr_rows::ZarrRows;
#[cfg(feature = "zarr")]
pub use zarr_write::write_zarr;
