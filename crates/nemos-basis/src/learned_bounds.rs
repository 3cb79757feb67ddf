//! Bounds from training data, and bases in pipelines.

use nemos_core::{Backend, Matrix};
use serde::{Deserialize, Serialize};

use crate::basis::Node;
use crate::design::Recording;
use crate::layout::Layout;
use crate::source::{Source, distinct, ranges};
use crate::{Basis, Error, Inputs};

impl Basis {
    /// This basis, with the smallest and the largest of these samples as bounds wherever it has none, and with their values as
    /// categories that are to be [learned](crate::Category::learned): data seen later are scaled as these are.
    ///
    /// Later samples beyond the bounds give rows of the fill value.
    ///
    /// # Shapes
    /// The inputs of [`Basis::compute_features`]. Each column gets bounds of its own.
    ///
    /// # Errors
    /// As [`Basis::compute_features`].
    ///
    /// # Example
    /// ```
    /// use nemos_basis::{BSpline, Basis};
    /// use nemos_core::{Cpu, Matrix};
    /// let training = Matrix::<Cpu>::from_column(vec![0.0, 4.0, 10.0]);
    /// let basis = Basis::from(BSpline::new(5)).with_bounds_from(&training)?;
    /// assert_eq!(basis, BSpline::new(5).bounds(0.0, 10.0).into());
    /// # Ok::<(), nemos_basis::Error>(())
    /// ```
    pub fn with_bounds_from<'a, B: Backend, I: Inputs<'a, B>>(&self, inputs: I) -> Result<Basis, Error> {
        let designs = inputs.designs();
        let source = Recording { inputs: &designs };
        let mut basis = self.clone();
        if source.columns().len() == self.n_inputs() {
            basis.set_values(&source, &mut 0)?;
        }
        Layout::new(&basis, &source.columns())?;
        let labels = basis.labels()?;
        basis.set_bounds(&source, &mut labels.iter(), &mut 0)?;
        Ok(basis)
    }

    /// Categories that wait for training data.
    fn set_values(&mut self, source: &dyn Source, next_input: &mut usize) -> Result<(), Error> {
        match &mut self.node {
            Node::Sum(left, right) | Node::Product(left, right) => {
                left.set_values(source, next_input)?;
                right.set_values(source, next_input)
            }
            Node::Functions(functions) => {
                let input = *next_input;
                *next_input += functions.spec().n_inputs();
                if functions.spec().learns_values() {
                    functions.spec_mut().set_values(distinct(input, source)?);
                }
                Ok(())
            }
            Node::Invalid(_) => Ok(()),
        }
    }

    fn set_bounds<'a>(
        &mut self,
        source: &dyn Source,
        labels: &mut impl Iterator<Item = &'a String>,
        next_input: &mut usize,
    ) -> Result<(), Error> {
        let label = labels.next().map(String::as_str).unwrap_or_default();
        match &mut self.node {
            Node::Sum(left, right) | Node::Product(left, right) => {
                left.set_bounds(source, labels, next_input)?;
                right.set_bounds(source, labels, next_input)
            }
            Node::Functions(functions) => {
                let inputs = *next_input..*next_input + functions.spec().n_inputs();
                *next_input = inputs.end;
                let scales = functions.spec().scales() && functions.window().is_none();
                if let Some(bounds) = functions.bounds_mut().filter(|bounds| scales && !bounds.is_given()) {
                    let mut pairs = Vec::new();
                    for input in inputs {
                        pairs.extend(ranges(input, source.columns()[input].n, label, source)?);
                    }
                    bounds.set(pairs);
                }
                Ok(())
            }
            Node::Invalid(_) => Ok(()),
        }
    }

    /// This basis for a pipeline, where all inputs stand side by side in one matrix: the first `widths[0]` columns are the first
    /// input, and so on.
    #[doc(alias = "to_transformer")]
    pub fn transformer(self, widths: impl Into<Vec<usize>>) -> Transformer {
        Transformer {
            basis: self,
            widths: widths.into(),
        }
    }
}

/// A basis for a pipeline: [`fit`](Transformer::fit) sets its bounds from training data, in one matrix of all inputs.
///
/// # Example
/// ```
/// use nemos_basis::{BSpline, Basis};
/// use nemos_core::{Cpu, Matrix};
/// let transformer = (BSpline::new(4) + BSpline::new(5)).transformer([1, 1]);
/// let training = Matrix::<Cpu>::from_vec(vec![0.0, 5.0, 1.0, 7.0], [2, 2])?;
/// let fitted = transformer.fit(&training)?;
/// assert_eq!(fitted.transform(&training)?.dims(), [2, 9]);
/// # Ok::<(), nemos_basis::Error>(())
/// ```
#[doc(alias = "TransformerBasis")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct Transformer {
    basis: Basis,
    widths: Vec<usize>,
}

/// A [`Transformer`] whose bounds are known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct FittedTransformer {
    basis: Basis,
    widths: Vec<usize>,
}

impl Transformer {
    /// Sets the bounds from training data.
    ///
    /// # Errors
    /// [`nemos_core::Error::Columns`] unless the widths fill the matrix, and as [`Basis::with_bounds_from`].
    pub fn fit<B: Backend>(&self, training: &Matrix<B>) -> Result<FittedTransformer, Error> {
        let inputs = cut(training, &self.widths)?;
        let inputs: Vec<&Matrix<B>> = inputs.iter().collect();
        Ok(FittedTransformer {
            basis: self.basis.with_bounds_from(inputs.as_slice())?,
            widths: self.widths.clone(),
        })
    }
}

impl FittedTransformer {
    /// The basis, with the bounds of the training data.
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    /// The features of new data, in one matrix of all inputs.
    ///
    /// # Errors
    /// [`nemos_core::Error::Columns`] unless the widths fill the matrix, and as [`Basis::compute_features`].
    pub fn transform<B: Backend>(&self, samples: &Matrix<B>) -> Result<Matrix<B>, Error> {
        let inputs = cut(samples, &self.widths)?;
        let inputs: Vec<&Matrix<B>> = inputs.iter().collect();
        self.basis.compute_features(inputs.as_slice())
    }
}

/// The consecutive columns of each input.
fn cut<B: Backend>(samples: &Matrix<B>, widths: &[usize]) -> Result<Vec<Matrix<B>>, Error> {
    let (got, expected) = (samples.dims()[1], widths.iter().sum());
    if got != expected {
        return Err(nemos_core::Error::Columns {
            name: "the matrix of all inputs",
            got,
            expected,
            why: "the widths of the inputs together",
        }
        .into());
    }
    let mut start = 0;
    let cut_one = |&width: &usize| {
        start += width;
        Ok(samples.select_columns(&(start - width..start).collect::<Vec<_>>())?)
    };
    widths.iter().map(cut_one).collect()
}

#[cfg(test)]
mod tests {
    use nemos_core::{Cpu, Matrix};

    use crate::{BSpline, Error, Family, Fourier, Identity, RaisedCosineLinear};

    #[test]
    fn later_data_are_scaled_as_training_data_were() {
        let basis = BSpline::new(5).label("a") * RaisedCosineLinear::new(4).label("b");
        let training = Matrix::<Cpu>::from_vec(vec![0.0, 3.0, 10.0, 9.0, 4.0, 5.0], [3, 2]).unwrap();
        let fitted = basis.clone().transformer([1, 1]).fit(&training).unwrap();
        let whole = fitted.transform(&training).unwrap();
        let alone = fitted.transform(&training.rows(2..3).unwrap()).unwrap();
        assert_eq!(alone.to_vec(), whole.rows(2..3).unwrap().to_vec());
        let beyond = Matrix::<Cpu>::from_vec(vec![11.0, 4.0], [1, 2]).unwrap();
        assert!(fitted.transform(&beyond).unwrap().to_vec().iter().all(|value| value.is_nan()));
    }

    #[test]
    fn every_input_of_one_function_gets_its_own_columns() {
        let fourier = Fourier::new(3).dimensions(2);
        let both = Matrix::<Cpu>::from_vec(vec![0.0, 3.0, 10.0, 9.0, 4.0, 5.0], [3, 2]).unwrap();
        let [first, second] = [0, 1].map(|column| both.select_columns(&[column]).unwrap());
        let fitted = (fourier.clone() + Identity::new()).transformer([1, 1, 1]);
        assert!(matches!(
            fitted.fit(&both),
            Err(Error::Data(nemos_core::Error::Columns { got: 2, expected: 3, .. }))
        ));
        let fitted = fourier.clone().label("grid").transformer([1, 1]).fit(&both).unwrap();
        let direct = fourier.compute_features([&first, &second]).unwrap();
        assert_eq!(fitted.transform(&both).unwrap().to_vec(), direct.to_vec());
    }
}
