//! Functions of the user's own.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Error;
use crate::bounds::Bounds;
use crate::spec::{Evaluate, Spec, n_values};
use crate::strided::{Pointwise, Strided};

type Function = Arc<dyn Fn(&[f64], &mut [f64]) + Send + Sync>;

/// Functions of the user's own, of one or several inputs, each with one value or an array of them per sample.
///
/// Every function sees one sample at a time: one value of each input. They run on the host, on every backend. Two custom
/// bases are equal if their names, and the number of their functions, are.
///
/// # Shapes
/// Inputs `[n_samples, n_columns]` of equal width give columns in the order `[output_shape…, n_columns, n_functions]`, the last
/// fastest. NaN gives what the functions make of it.
///
/// # Options
/// | option | default | |
/// |---|---|---|
/// | `function` | – | adds a function |
/// | `bounds` | none | rows outside are replaced |
/// | `fill_value` | NaN | by this |
///
/// # Errors
/// [`Error::OutputShape`] if an axis of the output has no entry.
///
/// # Example
/// ```
/// use nemos_basis::{Custom, Family};
/// use nemos_core::{Cpu, Matrix};
/// let powers = Custom::new("powers", |x| x).function(|x| x * x);
/// let features = powers.compute_features(&Matrix::<Cpu>::from_column(vec![2.0, 3.0]))?;
/// assert_eq!(features.to_vec(), [2.0, 4.0, 3.0, 9.0]);
/// # Ok::<(), nemos_basis::Error>(())
/// ```
#[doc(alias("CustomBasis", "FunctionTransformer"))]
#[derive(Clone)]
#[must_use]
pub struct Custom {
    name: String,
    functions: Vec<Function>,
    n_inputs: usize,
    output_shape: Vec<usize>,
    bounds: Bounds,
}

impl Custom {
    /// One function of one input.
    pub fn new(name: impl Into<String>, function: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Self {
        Custom::of_inputs(name, 1, [], move |inputs, out| out[0] = function(inputs[0]))
    }

    /// One function of several inputs, that fills an array of this shape (`[]` for a single value) from one value of each.
    pub fn of_inputs(
        name: impl Into<String>,
        n_inputs: usize,
        output_shape: impl Into<Vec<usize>>,
        function: impl Fn(&[f64], &mut [f64]) + Send + Sync + 'static,
    ) -> Self {
        Custom {
            name: name.into(),
            functions: vec![Arc::new(function)],
            n_inputs,
            output_shape: output_shape.into(),
            bounds: Bounds::default(),
        }
    }

    /// Adds a function of one input: the first, if there are several.
    pub fn function(self, function: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Self {
        self.function_of_inputs(move |inputs, out| out.fill(function(inputs[0])))
    }

    /// Adds a function of all inputs.
    pub fn function_of_inputs(mut self, function: impl Fn(&[f64], &mut [f64]) + Send + Sync + 'static) -> Self {
        self.functions.push(Arc::new(function));
        self
    }

    /// Sets the samples that are kept.
    pub fn bounds(mut self, low: f64, high: f64) -> Self {
        self.bounds.set(vec![(low, high)]);
        self
    }

    /// Sets what rows outside the bounds hold.
    pub fn fill_value(mut self, value: f64) -> Self {
        self.bounds.set_fill(value);
        self
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Custom")
            .field("name", &self.name)
            .field("n_functions", &self.functions.len())
            .field("n_inputs", &self.n_inputs)
            .field("output_shape", &self.output_shape)
            .field("bounds", &self.bounds)
            .finish()
    }
}

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        let what = |custom: &Custom| {
            (
                custom.name.clone(),
                custom.functions.len(),
                custom.n_inputs,
                custom.output_shape.clone(),
            )
        };
        what(self) == what(other) && self.bounds == other.bounds
    }
}

/// Closures have no text: only an error that says whose they are.
impl Serialize for Custom {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(format!(
            "the custom functions {:?} are code and cannot be saved; save the other parts, and put these back with Basis::replace",
            self.name
        )))
    }
}

impl<'de> Deserialize<'de> for Custom {
    fn deserialize<D: Deserializer<'de>>(_deserializer: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom(
            "custom functions are code and cannot be loaded; put them back with Basis::replace",
        ))
    }
}

impl Spec for Custom {
    fn name(&self) -> &'static str {
        "Custom"
    }

    fn validate(&self) -> Result<(), Error> {
        if self.n_inputs == 0 {
            return Err(Error::Inputs {
                got: 0,
                expected: 1,
                inputs: vec![self.name.clone()],
            });
        }
        if self.output_shape.contains(&0) {
            return Err(Error::OutputShape {
                name: self.name.clone(),
                shape: self.output_shape.clone(),
            });
        }
        self.bounds.validate(self.name())
    }

    fn n_functions(&self) -> usize {
        self.functions.len()
    }

    fn n_inputs(&self) -> usize {
        self.n_inputs
    }

    fn bounds(&self) -> Option<&Bounds> {
        Some(&self.bounds)
    }

    fn bounds_mut(&mut self) -> Option<&mut Bounds> {
        Some(&mut self.bounds)
    }

    fn output_shape(&self) -> &[usize] {
        &self.output_shape
    }

    fn scales(&self) -> bool {
        false
    }

    fn evaluate(&self, _spans: &[f64]) -> Evaluate<'_> {
        Evaluate::EachSample(Box::new(self.clone()))
    }
}

impl Pointwise for Custom {
    fn write(&self, samples: &[&[f64]], out: &mut Strided<'_>) {
        let n_values = n_values(self);
        let (mut inputs, mut values) = (vec![0.0; samples.len()], vec![0.0; n_values]);
        for row in 0..samples.first().map_or(0, |samples| samples.len()) {
            for (input, samples) in inputs.iter_mut().zip(samples) {
                *input = samples[row];
            }
            for (index, function) in self.functions.iter().enumerate() {
                function(&inputs, &mut values);
                for (entry, &value) in values.iter().enumerate() {
                    out.values[row * out.row_stride + out.offset + entry * out.entry_stride + index] = value;
                }
            }
        }
    }
}
