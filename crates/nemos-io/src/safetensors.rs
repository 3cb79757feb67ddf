//! Fitted models as safetensors: every number is in an array, and everything else is JSON in the metadata.
//!
//! ```text
//! metadata   format = "nemos", version = "1", specification = {"model": "poisson", "link": "exp", …}
//! arrays     coef [n_features, n_neurons(, n_classes)], intercept, scale, dof_resid, outcome, outcome_counts,
//!            strength, lasso_share, dispersion, mask
//! ```

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use ::safetensors::tensor::{Dtype, SafeTensors, View};
use ndarray::Array2;
use nemos_glm::{ColumnOutcome, FeatureMask, ModelForm, Outcome};

use crate::saved::Kind;
use crate::specification::Specification;
use crate::{Error, SavedModel, names, write};

/// A shape, and the values that fill it.
type Shaped<T> = (Vec<usize>, T);

/// Raised when files of this version would be misread by older programs.
const VERSION: &str = "1";

impl SavedModel {
    /// Writes a safetensors file.
    ///
    /// # Errors
    /// [`Error::Write`] if the system refuses.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let specification = Specification::of(self)?;
        let failed = |error: io::Error| Error::Write {
            path: path.into(),
            source: Arc::new(error),
        };
        let text = serde_json::to_string(&specification).map_err(|error| failed(error.into()))?;
        let metadata = [("format", "nemos"), ("version", VERSION), ("specification", &text)];
        let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let bytes = ::safetensors::serialize(self.arrays(), Some(HashMap::from(metadata)));
        write::replace(path, &bytes.map_err(|error| failed(io::Error::other(error)))?)
    }

    /// Reads a safetensors file.
    ///
    /// # Errors
    /// [`Error::Open`], [`Error::NotAModel`], [`Error::ModelVersion`] or [`Error::ModelPart`]: what is wrong with the file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let not_a_model = |error: io::Error| Error::NotAModel {
            path: path.into(),
            source: Arc::new(error),
        };
        let bytes = std::fs::read(path).map_err(|source| Error::Open {
            path: path.into(),
            source: Arc::new(source),
        })?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| not_a_model(io::Error::other(error)))?;
        let metadata = header.metadata().clone().unwrap_or_default();
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
        let text = metadata.get("specification").map_or("", String::as_str);
        let specification: Specification = serde_json::from_str(text).map_err(|error| not_a_model(error.into()))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| not_a_model(io::Error::other(error)))?;
        Arrays(file).model(&specification)?.checked()
    }

    fn arrays(&self) -> Vec<(&'static str, Array)> {
        let (n_neurons, n_classes) = (self.n_neurons(), self.kind.n_classes());
        let classes: &[usize] = match self.kind {
            Kind::Glm { .. } => &[],
            Kind::Classifier { .. } => &[n_classes],
        };
        let per_class = |shape: &[usize]| [shape, classes].concat();
        let columns = &self.outcome.columns;
        let evidence = columns.iter().flat_map(|c| [c.value, c.gradient_norm, c.decrement]);
        let counts = columns.iter().flat_map(|c| [c.steps, c.evaluations, c.rank]);
        let mut arrays = vec![
            (
                "coef",
                Array::floats(self.coef.iter().copied(), per_class(&[self.n_features(), n_neurons])),
            ),
            ("intercept", Array::floats(self.intercept.iter().copied(), per_class(&[n_neurons]))),
            ("scale", Array::floats(self.scale.iter().copied(), vec![n_neurons])),
            ("dof_resid", Array::floats(self.dof_resid.iter().copied(), vec![n_neurons])),
            ("outcome", Array::floats(evidence, vec![n_neurons, 3])),
            ("outcome_counts", Array::counts(counts, vec![n_neurons, 3])),
        ];
        if let Some(strength) = Specification::strengths(&self.regularizer) {
            let shape = strength.shape().to_vec();
            arrays.push(("strength", Array::floats(strength.iter().copied(), shape)));
        }
        if let Some(share) = Specification::lasso_share(&self.regularizer) {
            arrays.push(("lasso_share", Array::floats([share].into_iter(), vec![1])));
        }
        if let Kind::Glm {
            observation: ModelForm::NegativeBinomial { scale: Some(scale) },
            ..
        } = self.kind
        {
            arrays.push(("dispersion", Array::floats([scale].into_iter(), vec![1])));
        }
        if let Some(FeatureMask::Coefficients(mask)) = &self.mask {
            arrays.push(("mask", Array::flags(mask)));
        }
        arrays
    }
}

/// An array on its way into a file.
struct Array {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Array {
    fn floats(values: impl Iterator<Item = f64>, shape: Vec<usize>) -> Self {
        let bytes = values.flat_map(f64::to_le_bytes).collect();
        let dtype = Dtype::F64;
        Array { dtype, shape, bytes }
    }

    fn counts(values: impl Iterator<Item = usize>, shape: Vec<usize>) -> Self {
        let bytes = values.flat_map(|value| (value as u64).to_le_bytes()).collect();
        let dtype = Dtype::U64;
        Array { dtype, shape, bytes }
    }

    fn flags(values: &Array2<bool>) -> Self {
        Array {
            dtype: Dtype::BOOL,
            shape: values.shape().to_vec(),
            bytes: values.iter().map(|&flag| u8::from(flag)).collect(),
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
    fn model(&self, specification: &Specification) -> Result<SavedModel, Error> {
        let kind = match specification.kind()? {
            Kind::Glm {
                observation: ModelForm::NegativeBinomial { .. },
                link,
            } => Kind::Glm {
                observation: ModelForm::NegativeBinomial {
                    scale: self.one("dispersion")?,
                },
                link,
            },
            kind => kind,
        };
        let (_, intercept) = self.required("intercept")?;
        let (shape, coef) = self.required("coef")?;
        let shape = (shape.first().copied().unwrap_or(0), intercept.len());
        let coef = Array2::from_shape_vec(shape, coef).map_err(|_| Error::ModelPart {
            part: "coef",
            expected: "an array [n_features, n_neurons] or [n_features, n_neurons, n_classes]",
        })?;
        let strengths = self.floats("strength")?;
        Ok(SavedModel {
            kind,
            coef,
            intercept,
            regularizer: specification.regularizer(strengths, self.one("lasso_share")?)?,
            mask: specification.mask(self.flags("mask")?),
            outcome: self.outcome(specification)?,
            scale: self.required("scale")?.1,
            dof_resid: self.required("dof_resid")?.1,
            has_offset: specification.has_offset,
        })
    }

    fn outcome(&self, specification: &Specification) -> Result<Outcome, Error> {
        let statuses = specification.statuses()?;
        let (_, evidence) = self.required("outcome")?;
        let counts = self.counts("outcome_counts")?;
        if evidence.len() != 3 * statuses.len() || counts.len() != 3 * statuses.len() {
            return Err(Error::ModelPart {
                part: "outcome",
                expected: "three numbers and three counts per neuron",
            });
        }
        let each = statuses.iter().zip(evidence.chunks_exact(3).zip(counts.chunks_exact(3)));
        let columns = each.map(|(&status, (evidence, counts))| {
            let mut column = ColumnOutcome::new(status, counts[2]);
            (column.value, column.gradient_norm, column.decrement) = (evidence[0], evidence[1], evidence[2]);
            (column.steps, column.evaluations) = (counts[0], counts[1]);
            column
        });
        Ok(Outcome::new(names::solver(&specification.solver), columns.collect()))
    }

    fn bytes(&self, name: &'static str, dtype: Dtype) -> Result<Option<Shaped<&[u8]>>, Error> {
        let Ok(tensor) = self.0.tensor(name) else {
            return Ok(None);
        };
        if tensor.dtype() != dtype {
            return Err(Error::ModelPart {
                part: name,
                expected: "an array of 64-bit numbers (of booleans for the mask)",
            });
        }
        Ok(Some((tensor.shape().to_vec(), tensor.data())))
    }

    fn floats(&self, name: &'static str) -> Result<Option<Shaped<Vec<f64>>>, Error> {
        let to_floats = |(shape, bytes): (_, &[u8])| (shape, words(bytes).map(f64::from_bits).collect());
        Ok(self.bytes(name, Dtype::F64)?.map(to_floats))
    }

    fn required(&self, name: &'static str) -> Result<(Vec<usize>, Vec<f64>), Error> {
        self.floats(name)?.ok_or(Error::ModelPart {
            part: name,
            expected: "there",
        })
    }

    fn one(&self, name: &'static str) -> Result<Option<f64>, Error> {
        Ok(self.floats(name)?.and_then(|(_, values)| values.first().copied()))
    }

    fn counts(&self, name: &'static str) -> Result<Vec<usize>, Error> {
        let counts = self.bytes(name, Dtype::U64)?;
        Ok(counts.map_or(Vec::new(), |(_, bytes)| words(bytes).map(|count| count as usize).collect()))
    }

    fn flags(&self, name: &'static str) -> Result<Option<Array2<bool>>, Error> {
        let Some((shape, bytes)) = self.bytes(name, Dtype::BOOL)? else {
            return Ok(None);
        };
        let flags = bytes.iter().map(|&byte| byte != 0).collect();
        let shape = (shape.first().copied().unwrap_or(0), shape.get(1).copied().unwrap_or(0));
        let array = Array2::from_shape_vec(shape, flags).map_err(|_| Error::ModelPart {
            part: name,
            expected: "an array [n_features, n_neurons]",
        })?;
        Ok(Some(array))
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().map(|word| u64::from_le_bytes(*word))
}
