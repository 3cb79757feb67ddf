//! Recordings in, fitted models out.
//!
//! Whatever number type a file stores, values arrive as `f64`. Nothing that a file says about itself is believed before
//! the bytes are there: a damaged file is an error, and never a panic or a huge allocation.
//!
//! | item | what it is |
//! |---|---|
//! | [`NwbFile`], [`NwbUnits`], [`NwbSeries`] | units, intervals and series of an NWB file, read when they are asked for |
//! | [`Pynapple`] | objects of pynapple, in and out |
//! | [`read_csv`] | signals from comma-separated numbers |
//! | [`NpzFile`] | named arrays of a `.npz` file, as NumPy and pynapple write it |
//! | [`read_npy`], [`write_npy`] | one array in a `.npy` file |
//! | [`SaveModel`] | fitted models in and out of safetensors, and of NeMoS's files |
//! | [`SavedModel`] | what such a file holds, and the basis that makes the model's features |

mod arrays;
mod csv;
mod error;
mod hdf5;
mod names;
mod nemos_file;
mod nemos_penalty;
mod npy;
mod npz;
mod npz_writer;
mod nwb;
mod nwb_part;
mod nwb_series;
mod nwb_table;
mod nwb_units;
mod pynapple;
mod safetensors;
mod save_model;
mod saved;
mod write;

pub use csv::read_csv;
pub use error::Error;
pub use npy::{read_npy, write_npy};
pub use npz::NpzFile;
pub use nwb::{NwbEntry, NwbFile, NwbKind};
pub use nwb_series::NwbSeries;
pub use nwb_units::NwbUnits;
pub use pynapple::Pynapple;
pub use save_model::SaveModel;
pub use saved::SavedModel;
