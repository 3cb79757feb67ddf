//! Features on demand: what a basis makes of its inputs, a chunk of rows at a time.

use std::ops::Range;

use nemos_core::{Backend, Design, Matrix, Names, Rows, Samples, Segments, ToDesign, first_time_apart, row_chunks};

use crate::plan::Plan;
use crate::room;
use crate::source::{Columns, Source, Visitor};
use crate::spec::Mode;
use crate::{Basis, Error, Inputs, Layout};

/// The features of a basis, computed a chunk of rows at a time: a fit never holds them all.
///
/// Scales, kernels and, for orthogonalized exponentials, the functions themselves are made from all samples first. A chunk reads as
/// many samples beyond its ends as the filters reach, within segments, and equals the same rows of
/// [`compute_features`](Basis::compute_features) to the last bit. Long filters over dense signals are the exception: they run as
/// Fourier transforms, whose rounding depends on where a chunk begins, and agree to 1e-14 of the largest feature.
///
/// As a [`Design`] it has a block of columns for each term of the basis, whose channels are named by the columns of the input;
/// and the times, the segments, the weights and the offset of the first input that has some.
///
/// # Example
/// ```
/// use nemos_basis::{Family, RaisedCosineLog, Window};
/// use nemos_core::{Cpu, Design, Matrix, Names, Rows, ToDesign};
/// let counts = Matrix::<Cpu>::from_vec((0..100).map(|bin| f64::from(bin % 3)).collect(), [50, 2])?;
/// let counts = Design::from(counts).with_names(Names::new(["3", "7"]))?;
/// let basis = RaisedCosineLog::new(4).convolved(Window::samples(8)).label("spikes");
/// let design = basis.design(&counts)?;
/// assert_eq!(design.chunk(20..30)?.to_vec(), basis.compute_features(&counts)?.chunk(20..30)?.to_vec());
/// assert_eq!(design.to_design().names().block("spikes")?.channel("7")?, 4..8);
/// # Ok::<(), nemos_basis::Error>(())
/// ```
pub struct BasisDesign<'a, B: Backend> {
    layout: Layout,
    plan: Plan,
    inputs: Vec<Design<'a, B>>,
    segments: Segments,
}

impl<B: Backend> std::fmt::Debug for BasisDesign<'_, B> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let dims = (Rows::n_rows(self), Rows::n_columns(self));
        formatter
            .debug_struct("BasisDesign")
            .field("dims", &dims)
            .field("layout", self.layout())
            .finish()
    }
}

impl<'a, B: Backend> BasisDesign<'a, B> {
    /// Which columns belong to which part.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The first of what the inputs have to say.
    fn first<'r, T: ?Sized>(&'r self, of: impl Fn(&'r Design<'a, B>) -> Option<&'r T>) -> Option<&'r T> {
        self.inputs.iter().find_map(of)
    }

    fn described(&self) -> Result<Design<'_, B>, nemos_core::Error> {
        let mut design = Design::from_rows(self)
            .with_names(self.layout.names())?
            .with_segments(self.segments.clone())?;
        if let Some(times) = self.first(Design::times) {
            design = design.with_times(times)?;
        }
        if let Some(weights) = self.first(Design::weights) {
            design = design.with_weights(weights.clone())?;
        }
        if let Some(offset) = self.first(Design::offset) {
            design = design.with_offset(offset.clone())?;
        }
        Ok(design)
    }
}

impl<'a, B: Backend> Rows<B> for BasisDesign<'a, B> {
    fn n_rows(&self) -> usize {
        self.inputs.first().map_or(0, Design::n_rows)
    }

    fn n_columns(&self) -> usize {
        self.layout().n_features()
    }

    fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, nemos_core::Error> {
        self.plan.rows(&self.inputs, &self.segments, rows)
    }

    fn chunk_of(&self, rows: Range<usize>, columns: &[usize]) -> Result<Matrix<B>, nemos_core::Error> {
        nemos_core::check_columns_exist(columns, self.layout.n_features())?;
        let some = self.plan.of_columns(columns);
        let narrowed = |(input, channels): (&Design<'a, B>, &Option<Vec<usize>>)| match channels {
            Some(channels) => input.select_columns(channels),
            None => Ok(input.clone()),
        };
        let inputs = self
            .inputs
            .iter()
            .zip(&some.channels)
            .map(narrowed)
            .collect::<Result<Vec<_>, _>>()?;
        let values = some.plan.rows(&inputs, &self.segments, rows)?;
        if some.places.iter().copied().eq(0..values.n_columns()) {
            return Ok(values);
        }
        values.select_columns(&some.places)
    }
}

impl<B: Backend> ToDesign<B> for BasisDesign<'_, B> {
    fn to_design(&self) -> Design<'_, B> {
        self.described()
            .expect("invariant: inputs have as many rows as the features, and the layout has a name for each column")
    }
}

impl<B: Backend> Samples<B> for BasisDesign<'_, B> {
    type Output = Design<'static, B>;

    fn wrap(&self, values: Matrix<B>, names: Names) -> Design<'static, B> {
        self.to_design().wrap(values, names)
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
    /// long, as they should be; [`Error::AllMissing`] if bounds are to come from samples that are all NaN;
    /// [`nemos_core::Error::Memory`] if the features do not fit into memory.
    pub fn compute_features<'a, B: Backend, I: Inputs<'a, B>>(&self, inputs: I) -> Result<I::Output, Error> {
        whole(self, inputs, Mode::Features)
    }

    /// The functions themselves at these samples: nothing is convolved, and nothing outside the bounds replaced.
    ///
    /// # Shapes
    /// As [`Basis::compute_features`].
    ///
    /// # Errors
    /// As [`Basis::compute_features`].
    pub fn evaluate<'a, B: Backend, I: Inputs<'a, B>>(&self, inputs: I) -> Result<I::Output, Error> {
        whole(self, inputs, Mode::Functions)
    }

    /// The features of these inputs, as a design that computes them on demand.
    ///
    /// # Shapes
    /// As [`Basis::compute_features`].
    ///
    /// # Errors
    /// As [`Basis::compute_features`].
    ///
    /// # Example
    /// Inputs of different kinds go into a tuple.
    /// ```
    /// use nemos_basis::{BSpline, History, Window};
    /// use nemos_core::{Cpu, Design, Matrix, Rows};
    /// let place = Matrix::<Cpu>::from_column((0..20).map(f64::from).collect());
    /// let counts = Design::from(Matrix::<Cpu>::zeros([20, 2]));
    /// let design = (BSpline::new(5) + History::new(Window::samples(3))).design((&place, &counts))?;
    /// assert_eq!(design.n_columns(), 5 + 2 * 3);
    /// # Ok::<(), nemos_basis::Error>(())
    /// ```
    pub fn design<'a, B: Backend>(&self, inputs: impl Inputs<'a, B>) -> Result<BasisDesign<'a, B>, Error> {
        design(self, inputs.designs(), Mode::Features)
    }
}

/// All rows at once, wrapped.
fn whole<'a, B: Backend, I: Inputs<'a, B>>(basis: &Basis, inputs: I, mode: Mode) -> Result<I::Output, Error> {
    let designs = inputs.designs();
    let (columns, n_rows) = (Recording { inputs: &designs }.columns(), designs.first().map_or(0, Design::n_rows));
    room::check(basis, &columns, n_rows, B::DTYPE.size())?;
    let design = design(basis, designs, mode)?;
    let values = design.chunk(0..design.n_rows())?;
    Ok(inputs.wrap(values, design.layout().names()))
}

fn design<'a, B: Backend>(basis: &Basis, inputs: Vec<Design<'a, B>>, mode: Mode) -> Result<BasisDesign<'a, B>, Error> {
    for input in &inputs {
        input.check_whole("a basis (share its features instead)")?;
    }
    let source = Recording { inputs: &inputs };
    // A row, and what all rows are made with.
    room::check(basis, &source.columns(), 1, size_of::<f64>())?;
    let layout = Layout::new(basis, &source.columns())?;
    let plan = Plan::new(basis, &layout, &source, mode)?;
    check_time(&inputs)?;
    let segments = inputs.iter().map(Design::segments);
    // Inputs that say nothing of segments follow one that does.
    let segments = segments.reduce(|known, other| if known.ranges().len() > 1 { known } else { other });
    Ok(BasisDesign {
        layout,
        plan,
        segments: segments.unwrap_or_else(|| Segments::single(0)),
        inputs,
    })
}

/// All inputs have as many rows, at the same times.
fn check_time<B: Backend>(inputs: &[Design<'_, B>]) -> Result<(), Error> {
    let Some((first, others)) = inputs.split_first() else {
        return Ok(());
    };
    for other in others {
        if first.n_rows() != other.n_rows() {
            return Err(nemos_core::Error::RowsDiffer {
                left_name: "the first input",
                left: first.n_rows(),
                right_name: "another input",
                right: other.n_rows(),
            }
            .into());
        }
        let (Some(left), Some(right)) = (inputs.iter().find_map(Design::times), other.times()) else {
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
    pub(crate) inputs: &'a [Design<'b, B>],
}

/// Rows that are shown at a time before there is a plan.
const VISITED_ROWS: usize = 1 << 16;

impl<B: Backend> Source for Recording<'_, '_, B> {
    fn columns(&self) -> Vec<Columns> {
        let columns = |input: &Design<'_, B>| Columns {
            n: input.n_columns(),
            names: input.names().columns().to_vec(),
        };
        self.inputs.iter().map(columns).collect()
    }

    fn n_samples(&self) -> usize {
        self.inputs.first().map_or(0, Design::n_rows)
    }

    fn visit(&self, input: usize, visitor: Visitor<'_>) -> Result<(), Error> {
        let input = &self.inputs[input];
        for rows in row_chunks(input.n_rows(), VISITED_ROWS) {
            let chunk = input.chunk(rows.clone())?;
            let host = chunk.host();
            match host.as_slice::<f64>() {
                Some(values) => visitor(rows.start, values)?,
                None => visitor(rows.start, &chunk.to_vec())?,
            }
        }
        Ok(())
    }
}
