//! What every family tells about itself.

use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::bounds::Bounds;
use crate::strided::Pointwise;
use crate::{Error, Window};

/// What is wanted of a basis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Features: filters convolve, and rows outside the bounds are filled.
    Features,
    /// The functions as they are, at every sample.
    Functions,
}

/// How a family computes its functions in host memory.
pub(crate) enum Evaluate<'a> {
    /// From each sample on its own.
    EachSample(Box<dyn Pointwise>),
    /// From all samples of a column, scaled to 0..1 where the family scales: `[n_samples, n_functions]`, row after row.
    AllSamples(AllSamples<'a>),
}

pub(crate) type AllSamples<'a> = Box<dyn Fn(&[f64]) -> Result<Vec<f64>, Error> + 'a>;

/// A family, as everything else in this crate sees it. Whatever sets one family apart is a method here with a default that
/// suits the others.
///
/// *Implementor must* give the same functions by [`evaluate`](Spec::evaluate) and by [`tensor`](Spec::tensor), where it has one.
pub(crate) trait Spec {
    fn name(&self) -> &'static str;

    /// Checks all options, once, when the basis is used.
    fn validate(&self) -> Result<(), Error>;

    fn n_functions(&self) -> usize;

    /// The functions in host memory, for samples whose bounds are this far apart (one span per input).
    fn evaluate(&self, spans: &[f64]) -> Evaluate<'_>;

    /// The functions in tensor operations: `[n, n_inputs]` samples give `[n, n_functions]`. None for those that only the host makes.
    fn tensor<T: BurnBackend>(&self, _samples: Tensor<T, 2>) -> Option<Tensor<T, 2>>
    where
        Self: Sized,
    {
        None
    }

    fn n_inputs(&self) -> usize {
        1
    }

    /// Shape of the value of one function at one sample; `[]` for a number.
    fn output_shape(&self) -> &[usize] {
        &[]
    }

    /// What stands for each function in the names of columns.
    fn function_names(&self) -> Vec<String> {
        (0..self.n_functions()).map(|function| function.to_string()).collect()
    }

    /// The bounds, where the family scales or limits its samples.
    fn bounds(&self) -> Option<&Bounds> {
        None
    }

    fn bounds_mut(&mut self) -> Option<&mut Bounds> {
        None
    }

    /// Whether samples are mapped from their bounds to 0..1.
    fn scales(&self) -> bool {
        self.bounds().is_some()
    }

    /// Whether rows outside given bounds are overwritten.
    fn fills(&self, mode: Mode) -> bool {
        mode == Mode::Features
    }

    /// Whether values are per unit of the input, so that stretching the bounds divides them.
    fn is_density(&self) -> bool {
        false
    }

    /// Whether [`check_samples`](Spec::check_samples) may refuse any, so that all must be shown to it first.
    fn is_selective(&self) -> bool {
        false
    }

    /// Refuses samples that the family cannot take; `first_row` is the row of the first.
    fn check_samples(&self, _samples: &[f64], _n_columns: usize, _first_row: usize) -> Result<(), Error> {
        Ok(())
    }

    /// Whether the family waits for the values that training data hold.
    fn learns_values(&self) -> bool {
        false
    }

    /// Takes the values that training data hold.
    fn set_values(&mut self, _values: Vec<f64>) {}

    /// Whether the functions at one sample depend on all samples.
    fn sees_all_samples(&self) -> bool {
        false
    }

    /// The window, where the functions are filters from the outset.
    fn window(&self) -> Option<Window> {
        None
    }

    /// Takes another window, and says so, if the functions are filters from the outset.
    fn set_window(&mut self, _window: Window) -> bool {
        false
    }

    /// Refuses to be a bank of filters of this many samples.
    fn check_filter(&self, _window: usize) -> Result<(), Error> {
        Ok(())
    }

    /// Whether filter `i` is sample `i` of its window, so that values need only be copied.
    fn is_lags(&self) -> bool {
        false
    }

    /// Whether a product may have two factors of this family.
    fn multiplies_its_own(&self) -> bool {
        true
    }

    /// The only points of a grid along the input; an even grid where there are none.
    fn grid(&self) -> Option<&[f64]> {
        None
    }
}

/// Values that each function gives for one sample.
pub(crate) fn n_values(spec: &dyn Spec) -> usize {
    spec.output_shape().iter().product()
}
