//! Features on demand: what a basis makes of its inputs, a block of rows at a time.

use std::ops::Range;

use nemos_core::{Backend, Design, Matrix, Samples, Segments, first_time_apart, row_blocks};

use crate::plan::{Mode, Plan, Source, Visitor};
use crate::{Basis, Error, Inputs, Layout};

/// The features of a basis, computed a block of rows at a time: a fit never holds them all.
///
/// Scales, kernels and, for orthogonalized exponentials, the functions themselves are made from all samples first. A block reads as
/// many samples beyond its ends as the filters reach, within segments, and equals the same rows of
/// [`compute_features`](Basis::compute_features) to the last bit. Long filters over dense signals are the exception: they run as
/// Fourier transforms, whose rounding depends on where a block begins, and agree to 1e-14 of the largest feature.
///
/// # Example
/// ```
/// use nemos_basis::{Family, RaisedCosineLog, Window};
/// use nemos_core::{Cpu, Design, Matrix};
/// let counts = Matrix::<Cpu>::from_column((0..50).map(|bin| f64::from(bin % 3)).collect());
/// let basis = RaisedCosineLog::new(3).convolved(Window::samples(8));
/// let design = basis.design(&counts)?;
/// assert_eq!(design.block(20..30)?.to_vec(), basis.compute_features(&counts)?.rows(20..30)?.to_vec());
/// # Ok::<(), nemos_basis::Error>(())
/// ```
pub struct BasisDesign<'a, B: Backend> {
    plan: Plan,
    inputs: Vec<&'a dyn Design<B>>,
    segments: Segments,
}

impl<B: Backend> std::fmt::Debug for BasisDesign<'_, B> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rows = (self.n_samples(), self.n_features());
        formatter
            .debug_struct("BasisDesign")
            .field("dims", &rows)
            .field("layout", self.layout())
            .finish()
    }
}

impl<B: Backend> BasisDesign<'_, B> {
    /// Which columns belong to which part.
    pub fn layout(&self) -> &Layout {
        self.plan.layout()
    }
}

impl<B: Backend> Design<B> for BasisDesign<'_, B> {
    fn n_samples(&self) -> usize {
        self.inputs.first().map_or(0, |input| input.n_samples())
    }

    fn n_features(&self) -> usize {
        self.layout().n_features()
    }

    fn block(&self, rows: Range<usize>) -> Result<Matrix<B>, nemos_core::Error> {
        self.plan.rows(&self.inputs, &self.segments, rows)
    }

    fn times(&self) -> Option<&[f64]> {
        self.inputs.iter().find_map(|input| input.times())
    }

    fn segments(&self) -> Segments {
        self.segments.clone()
    }
}

impl<B: Backend> Samples<B> for BasisDesign<'_, B> {
    type Output = Matrix<B>;

    fn wrap(&self, values: Matrix<B>) -> Matrix<B> {
        values
    }
}

impl Basis {
    /// The features of these inputs, one row per sample.
    ///
    /// # Shapes
    /// One input `[n_samples, n_columns]` for each that the basis takes; see [`Basis`] for the columns. Comes back in the kind of the
    /// inputs: a time series gives a time series.
    ///
    /// # Errors
    /// Anything wrong with the basis; [`Error::Inputs`] and [`nemos_core::Error::RowsDiffer`] if the inputs are not as many, or as
    /// long, as they should be; [`Error::AllMissing`] if bounds are to come from samples that are all NaN.
    pub fn compute_features<B: Backend, I: Inputs<B>>(&self, inputs: I) -> Result<I::Output, Error> {
        let values = {
            let design = design(self, inputs.designs(), Mode::Features)?;
            design.block(0..design.n_samples())?
        };
        Ok(inputs.wrap(values))
    }

    /// The functions themselves at these samples: nothing is convolved, and nothing outside the bounds replaced.
    ///
    /// # Shapes
    /// As [`Basis::compute_features`].
    ///
    /// # Errors
    /// As [`Basis::compute_features`].
    pub fn evaluate<B: Backend, I: Inputs<B>>(&self, inputs: I) -> Result<I::Output, Error> {
        let values = {
            let design = design(self, inputs.designs(), Mode::Functions)?;
            design.block(0..design.n_samples())?
        };
        Ok(inputs.wrap(values))
    }

    /// The features of one input, as a design that computes them on demand. See [`Basis::design_of`] for several inputs.
    ///
    /// # Errors
    /// As [`Basis::compute_features`].
    pub fn design<'a, B: Backend, D: Design<B>>(&self, input: &'a D) -> Result<BasisDesign<'a, B>, Error> {
        design(self, vec![input], Mode::Features)
    }

    /// The features of several inputs, of any kinds, as a design that computes them on demand.
    ///
    /// # Errors
    /// As [`Basis::compute_features`].
    pub fn design_of<'a, B: Backend>(&self, inputs: &[&'a dyn Design<B>]) -> Result<BasisDesign<'a, B>, Error> {
        design(self, inputs.to_vec(), Mode::Features)
    }
}

fn design<'a, B: Backend>(basis: &Basis, inputs: Vec<&'a dyn Design<B>>, mode: Mode) -> Result<BasisDesign<'a, B>, Error> {
    let plan = Plan::new(basis, &Recording { inputs: &inputs }, mode)?;
    check_time(&inputs)?;
    let segments = inputs.iter().map(|input| input.segments());
    // Inputs that say nothing of segments follow one that does.
    let segments = segments.reduce(|known, other| if known.ranges().len() > 1 { known } else { other });
    Ok(BasisDesign {
        plan,
        segments: segments.unwrap_or_else(|| Segments::single(0)),
        inputs,
    })
}

/// All inputs have as many rows, at the same times.
fn check_time<B: Backend>(inputs: &[&dyn Design<B>]) -> Result<(), Error> {
    let Some((first, others)) = inputs.split_first() else {
        return Ok(());
    };
    for other in others {
        if first.n_samples() != other.n_samples() {
            return Err(nemos_core::Error::RowsDiffer {
                left_name: "the first input",
                left: first.n_samples(),
                right_name: "another input",
                right: other.n_samples(),
            }
            .into());
        }
        let (Some(left), Some(right)) = (inputs.iter().find_map(|input| input.times()), other.times()) else {
            continue;
        };
        if let Some(row) = first_time_apart(left, right) {
            return Err(Error::TimesDiffer {
                row,
                left: left[row],
                right: right[row],
            });
        }
    }
    Ok(())
}

/// Inputs on a backend, as a plan reads them.
pub(crate) struct Recording<'a, 'b, B: Backend> {
    pub(crate) inputs: &'a [&'b dyn Design<B>],
}

/// Rows that are shown at a time before there is a plan.
const VISITED_ROWS: usize = 1 << 16;

impl<B: Backend> Source for Recording<'_, '_, B> {
    fn widths(&self) -> Vec<usize> {
        self.inputs.iter().map(|input| input.n_features()).collect()
    }

    fn n_samples(&self) -> usize {
        self.inputs.first().map_or(0, |input| input.n_samples())
    }

    fn visit(&self, input: usize, visitor: Visitor<'_>) -> Result<(), Error> {
        let input = self.inputs[input];
        for rows in row_blocks(input.n_samples(), VISITED_ROWS) {
            let block = input.block(rows.clone())?;
            let host = block.host();
            match host.as_slice::<f64>() {
                Some(values) => visitor(rows.start, values)?,
                None => visitor(rows.start, &block.to_vec())?,
            }
        }
        Ok(())
    }
}
