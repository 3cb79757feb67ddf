//! Recordings in, fitted models out.
//!
//! A recording is a file of named arrays; whatever number type it stores, values arrive as `f64`. Nothing that a file
//! says about itself is believed before the bytes are there: a damaged file is an error, and never a panic or a huge
//! allocation.
//!
//! | item | what it is |
//! |---|---|
//! | [`NpzFile`] | named arrays of a `.npz` file, as NumPy and pynapple write it |
//! | [`read_npy`], [`write_npy`] | one array in a `.npy` file |
//! | [`SaveModel`] | fitted models in and out of safetensors, and of NeMoS's files |
//! | [`SavedModel`] | what such a file holds |

mod error;
mod names;
mod nemos_file;
mod nemos_penalty;
mod npy;
mod npz;
mod npz_writer;
mod safetensors;
mod save_model;
mod saved;
mod specification;
mod write;

pub use error::Error;
pub use npy::{read_npy, write_npy};
pub use npz::NpzFile;
pub use save_model::SaveModel;
pub use saved::SavedModel;
