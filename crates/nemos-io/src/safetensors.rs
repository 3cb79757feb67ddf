//! Fitted models as safetensors: parameters are arrays that any language reads, and everything else is one of JSON.
//!
//! ```text
//! metadata   format = "nemos", version = "2"
//! arrays     coef [n_features, n_neurons(, n_classes)], intercept [n_neurons(, n_classes)], scale [n_neurons],
//!            dof_resid [n_neurons], header (bytes of JSON)
//! ```
//!
//! The JSON is an array rather than metadata because these may not exceed 100 MB, which a mask of ten thousand neurons does.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use ::safetensors::tensor::{Dtype, SafeTensors, View};
use ndarray::Array2;

use crate::format::Format;
use crate::saved::{Header, Kind};
use crate::{Error, SavedModel, write};

/// Raised when files of this version would be misread by older programs.
const VERSION: &str = "2";

impl SavedModel {
    /// Writes a safetensors file.
    ///
    /// # Errors
    /// [`Error::Ending`] if the name ends like another format; [`Error::NotSaved`] for a basis with functions of your own, and for options that are not finite;
    /// [`Error::Write`] if the system refuses.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        Format::Safetensors.check_name(path)?;
        self.check()?;
        let not_saved = |error: serde_json::Error| Error::NotSaved {
            source: Arc::new(error.into()),
        };
        let header = serde_json::to_vec(&self.header).map_err(not_saved)?;
        // JSON has no infinities: they would be found out when the file is needed.
        serde_json::from_slice::<Header>(&header).map_err(not_saved)?;
        let n_neurons = self.n_neurons();
        let classes = match self.header.kind {
            Kind::Glm { .. } => None,
            Kind::Classifier { n_classes } => Some(n_classes),
        };
        let per_class = |mut shape: Vec<usize>| {
            shape.extend(classes);
            shape
        };
        let arrays = [
            ("coef", Array::floats(&self.coef, per_class(vec![self.n_features(), n_neurons]))),
            ("intercept", Array::floats(&self.intercept, per_class(vec![n_neurons]))),
            ("scale", Array::floats(&self.scale, vec![n_neurons])),
            ("dof_resid", Array::floats(&self.dof_resid, vec![n_neurons])),
            ("header", Array::bytes(header)),
        ];
        let metadata = [("format", "nemos"), ("version", VERSION)].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let bytes = ::safetensors::serialize(arrays, Some(HashMap::from(metadata))).map_err(|error| Error::Write {
            path: path.into(),
            source: Arc::new(io::Error::other(error)),
        })?;
        write::replace(path, &bytes)
    }

    /// Reads a safetensors file.
    ///
    /// # Errors
    /// [`Error::Open`], [`Error::NotAModel`], [`Error::ModelVersion`] or [`Error::Model`]: what is wrong with the file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        read(path).map_err(|error| error.of_model(path))
    }
}

fn read(path: &Path) -> Result<SavedModel, Error> {
    let not_a_model = |error: io::Error| Error::NotAModel {
        path: path.into(),
        source: Arc::new(error),
    };
    let bytes = std::fs::read(path).map_err(|source| Error::Open {
        path: path.into(),
        source: Arc::new(source),
    })?;
    let (_, table) = SafeTensors::read_metadata(&bytes).map_err(|error| not_a_model(io::Error::other(error)))?;
    let metadata = table.metadata().clone().unwrap_or_default();
    if metadata.get("format").is_none_or(|format| format != "nemos") {
        return Err(not_a_model(io::Error::other("it holds arrays, but no model of nemos")));
    }
    let version = metadata.get("version").map_or("", String::as_str);
    if version != VERSION {
        return Err(Error::ModelVersion {
            path: path.into(),
            got: version.chars().take(20).collect(),
            expected: VERSION,
        });
    }
    let arrays = Arrays(SafeTensors::deserialize(&bytes).map_err(|error| not_a_model(io::Error::other(error)))?);
    let header = serde_json::from_slice(arrays.bytes("header", Dtype::U8)?.1).map_err(|error| not_a_model(error.into()))?;
    let (_, intercept) = arrays.floats("intercept")?;
    let (shape, coef) = arrays.floats("coef")?;
    let shape = (shape.first().copied().unwrap_or(0), intercept.len());
    let coef = Array2::from_shape_vec(shape, coef).map_err(|_| Error::ModelPart {
        part: "coef",
        expected: "an array [n_features, n_neurons] or [n_features, n_neurons, n_classes]",
    })?;
    let saved = SavedModel {
        header,
        coef,
        intercept,
        scale: arrays.floats("scale")?.1,
        dof_resid: arrays.floats("dof_resid")?.1,
        warnings: Vec::new(),
    };
    saved.check()?;
    Ok(saved)
}

/// An array on its way into a file.
struct Array {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Array {
    fn floats<'a>(values: impl IntoIterator<Item = &'a f64>, shape: Vec<usize>) -> Self {
        Array {
            dtype: Dtype::F64,
            shape,
            bytes: values.into_iter().copied().flat_map(f64::to_le_bytes).collect(),
        }
    }

    fn bytes(bytes: Vec<u8>) -> Self {
        Array {
            dtype: Dtype::U8,
            shape: vec![bytes.len()],
            bytes,
        }
    }
}

impl View for Array {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// The arrays of a file. Their lengths fit their shapes, which is all that can be relied on.
struct Arrays<'a>(SafeTensors<'a>);

impl Arrays<'_> {
    fn bytes(&self, name: &'static str, dtype: Dtype) -> Result<(Vec<usize>, &[u8]), Error> {
        let refused = |expected| Error::ModelPart { part: name, expected };
        let tensor = self.0.tensor(name).map_err(|_| refused("there"))?;
        if tensor.dtype() != dtype {
            return Err(refused("an array of 64-bit floats, or of bytes for the header"));
        }
        Ok((tensor.shape().to_vec(), tensor.data()))
    }

    fn floats(&self, name: &'static str) -> Result<(Vec<usize>, Vec<f64>), Error> {
        let (shape, bytes) = self.bytes(name, Dtype::F64)?;
        let (words, _) = bytes.as_chunks::<8>();
        Ok((shape, words.iter().map(|word| f64::from_le_bytes(*word)).collect()))
    }
}
