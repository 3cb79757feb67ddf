//! Designs: rows of numbers, and what belongs to them.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array1, Array2};

use crate::world::add;
use crate::{Backend, Error, Matrix, Names, Piece, Rows, Segments, Share};

/// Rows of numbers together with what belongs to them: names of columns and of blocks of columns, times, segments,
/// weights, an offset. Features are one, counts are another.
///
/// Whatever has rows becomes a design: a matrix, an array, a time series, a basis over its inputs. Cloning is cheap: rows
/// are shared.
///
/// * **Names** come back with what is computed: coefficients under the names of blocks, rates under those of neurons.
/// * **Times** are compared where two designs meet; **segments** are ranges of rows that must not leak into each other.
/// * **Weights** say how much each row counts in a fit: means over rows are `Σ w · loss / Σ w`, so that only their ratios
///   matter, and a row of weight zero is left out.
/// * The **offset** is added to the predictor: under an exponential link, the logarithm of how long the neuron was looked at
///   in each bin (the exposure).
///
/// # Shapes
/// `[n_rows, n_columns]`; weights and offset `[n_rows, 1]`, or `[n_rows, n_neurons]` where they differ between neurons. A
/// row that holds a NaN is left out of a fit and gives NaN in a prediction.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Design, Matrix, ToDesign};
/// let stimulus = Matrix::<Cpu>::from_column(vec![0.1, 0.2, 0.3]);
/// let exposure = Matrix::from_column(vec![1.0_f64.ln(), 2.0_f64.ln(), 0.5_f64.ln()]);
/// let design = stimulus.to_design().with_offset(exposure)?;
/// assert!(design.offset().is_some() && design.weights().is_none());
/// # Ok::<(), nemos_core::Error>(())
/// ```
#[doc(alias("exog", "design matrix"))]
#[derive(Clone)]
#[must_use]
pub struct Design<'a, B: Backend> {
    rows: Arc<dyn Rows<B> + 'a>,
    names: Names,
    times: Option<Cow<'a, [f64]>>,
    segments: Option<Segments>,
    weights: Option<Matrix<B>>,
    offset: Option<Matrix<B>>,
    share: Option<Share>,
}

impl<B: Backend> fmt::Debug for Design<'_, B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Design")
            .field("dims", &self.dims())
            .field("names", &self.names)
            .field("n_segments", &self.segments().ranges().len())
            .field("has_times", &self.times.is_some())
            .field("has_weights", &self.weights.is_some())
            .field("has_offset", &self.offset.is_some())
            .finish()
    }
}

impl<'a, B: Backend> Design<'a, B> {
    /// Rows that nothing else is known of.
    pub fn from_rows(rows: impl Rows<B> + 'a) -> Self {
        Design {
            rows: Arc::new(rows),
            names: Names::none(),
            times: None,
            segments: None,
            weights: None,
            offset: None,
            share: None,
        }
    }

    /// Rows with what is known of them to fit.
    pub(crate) fn assembled(rows: &'a (impl Rows<B> + ?Sized), names: Names, times: Option<&'a [f64]>, segments: Option<Segments>) -> Self {
        Design {
            names,
            times: times.map(Cow::Borrowed),
            segments,
            ..Design::from_rows(rows)
        }
    }

    /// Other rows, as many as before, with what belongs to these.
    pub(crate) fn with_other_rows(self, rows: impl Rows<B> + 'a, names: Names) -> Self {
        Design {
            rows: Arc::new(rows),
            names,
            ..self
        }
    }

    /// With these names of columns and blocks.
    ///
    /// # Errors
    /// [`Error::NamesDoNotFit`] unless there is a name for each column.
    pub fn with_names(mut self, names: Names) -> Result<Self, Error> {
        names.check(self.n_columns())?;
        self.names = names;
        Ok(self)
    }

    /// With these times of the rows, in seconds.
    ///
    /// # Errors
    /// [`Error::RowsDiffer`] unless there is one for each row.
    pub fn with_times(mut self, times: impl Into<Cow<'a, [f64]>>) -> Result<Self, Error> {
        let times = times.into();
        self.check_rows("times", times.len())?;
        self.times = Some(times);
        Ok(self)
    }

    /// With rows that fall into these segments.
    ///
    /// # Errors
    /// [`Error::RowsDiffer`] unless they cover the rows.
    pub fn with_segments(mut self, segments: Segments) -> Result<Self, Error> {
        self.check_rows("segments", segments.n_rows())?;
        self.segments = Some(segments);
        Ok(self)
    }

    /// With these weights.
    ///
    /// # Errors
    /// [`Error::RowsDiffer`] unless there is one row per row of the design, [`Error::Weight`] if a weight is negative or
    /// not finite.
    #[doc(alias("sample_weight", "var_weights"))]
    pub fn with_weights(mut self, weights: impl Into<Matrix<B>>) -> Result<Self, Error> {
        let weights = weights.into();
        self.check_extra("weights", &weights)?;
        let n_columns = weights.dims()[1];
        if let Some((index, value)) = weights.find(|weight| !(weight.is_finite() && weight >= 0.0))? {
            return Err(Error::Weight {
                value,
                row: index / n_columns,
                column: index % n_columns,
            });
        }
        self.weights = Some(weights);
        Ok(self)
    }

    /// With this offset. A row where it is NaN is left out of a fit, and gives NaN in a prediction.
    ///
    /// # Errors
    /// [`Error::RowsDiffer`] unless there is one row per row of the design, [`Error::Infinite`] if a value is infinite.
    #[doc(alias = "exposure")]
    pub fn with_offset(mut self, offset: impl Into<Matrix<B>>) -> Result<Self, Error> {
        let offset = offset.into();
        self.check_extra("offset", &offset)?;
        let n_columns = offset.dims()[1];
        if let Some((index, _)) = offset.find(f64::is_infinite)? {
            return Err(Error::Infinite {
                name: "offset",
                row: index / n_columns,
                column: index % n_columns,
            });
        }
        self.offset = Some(offset);
        Ok(self)
    }

    /// Its rows as the share of a process.
    pub(crate) fn shared_as(mut self, share: Share) -> Result<Self, Error> {
        self.check_rows("the share of this process", share.rows().len())?;
        self.share = Some(share);
        Ok(self)
    }

    /// Which rows of a recording these are, where other processes have others.
    pub fn share(&self) -> Option<&Share> {
        self.share.as_ref()
    }

    /// Refuses rows of which other processes have more, for what cannot sum over processes.
    ///
    /// # Errors
    /// [`Error::Shared`] if this is the share of one of several processes.
    pub fn check_whole(&self, what: &'static str) -> Result<(), Error> {
        match &self.share {
            Some(share) if share.world().n_ranks() > 1 => Err(Error::Shared { what }),
            _ => Ok(()),
        }
    }

    /// The same for what sums over processes as long as each has whole segments.
    ///
    /// # Errors
    /// [`Error::Shared`] if this is the share of one of several processes, and not one of whole segments.
    pub fn check_whole_segments(&self, what: &'static str) -> Result<(), Error> {
        match &self.share {
            Some(share) if share.is_in_whole_segments() => Ok(()),
            _ => self.check_whole(what),
        }
    }

    /// What every process that shares the recording gives, in order; these numbers alone where none does.
    ///
    /// # Errors
    /// [`Error::Process`] where another one fails.
    pub fn gathered(&self, mine: Vec<f64>) -> Result<Vec<Vec<f64>>, Error> {
        match &self.share {
            Some(share) => share.world().gather(&mine),
            None => Ok(vec![mine]),
        }
    }

    /// The sums of these numbers over all processes that share the recording.
    ///
    /// # Errors
    /// As [`gathered`](Design::gathered).
    pub fn summed(&self, mine: Vec<f64>) -> Result<Vec<f64>, Error> {
        Ok(self.gathered(mine)?.into_iter().reduce(add).unwrap_or_default())
    }

    /// `n` numbers added up over all rows, from sums over some of this process's rows each, in order: see [`Share::add_up`].
    ///
    /// # Errors
    /// This process's own error; [`Error::Process`] with that of another one.
    pub fn added_up<E: Display + From<Error>>(&self, step: &str, pieces: Result<Vec<Piece>, E>, n: usize) -> Result<Vec<f64>, E> {
        match &self.share {
            Some(share) => share.add_up(step, pieces, n),
            None => Ok(pieces?
                .into_iter()
                .map(|(_, piece)| piece)
                .reduce(add)
                .unwrap_or_else(|| vec![0.0; n])),
        }
    }

    /// Rows of this process whose sums are [added up](Design::added_up) before those of others are added: its shards, or all rows at once where
    /// nobody shares them.
    pub fn shards(&self) -> Vec<Range<usize>> {
        match &self.share {
            Some(share) => share.shards().collect(),
            None => std::iter::once(0..self.n_rows()).collect(),
        }
    }

    /// Rows of the recording, those of other processes included.
    pub fn n_rows_of_all(&self) -> usize {
        self.share.as_ref().map_or(self.n_rows(), Share::n_rows)
    }

    /// What every process that shares the recording has, or the error of one of them.
    ///
    /// # Errors
    /// This process's own error; [`Error::Process`] with that of another one.
    pub fn agreed<T, E: Display + From<Error>>(&self, mine: Result<T, E>) -> Result<T, E> {
        match &self.share {
            Some(share) => share.world().agree(mine),
            None => mine,
        }
    }

    /// The names of columns and blocks.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Times of the rows in seconds, where they are known.
    pub fn times(&self) -> Option<&[f64]> {
        self.times.as_deref()
    }

    /// The ranges of rows that must not leak into each other: one that covers everything, unless said otherwise.
    pub fn segments(&self) -> Segments {
        self.segments.clone().unwrap_or_else(|| Segments::single(self.n_rows()))
    }

    /// How much each row counts in a fit; all the same where there is nothing.
    pub fn weights(&self) -> Option<&Matrix<B>> {
        self.weights.as_ref()
    }

    /// What is added to the predictor of each row.
    pub fn offset(&self) -> Option<&Matrix<B>> {
        self.offset.as_ref()
    }

    /// Rows and columns.
    pub fn dims(&self) -> [usize; 2] {
        [self.n_rows(), self.n_columns()]
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.rows.n_rows()
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.rows.n_columns()
    }

    /// The rows in this range.
    ///
    /// # Errors
    /// As [`Rows::chunk`].
    pub fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, Error> {
        self.rows.chunk(rows)
    }

    /// The rows themselves.
    pub fn rows(&self) -> &(dyn Rows<B> + 'a) {
        &*self.rows
    }

    /// All rows at once.
    ///
    /// # Errors
    /// As [`Rows::chunk`].
    pub fn to_matrix(&self) -> Result<Matrix<B>, Error> {
        self.rows.chunk(0..self.n_rows())
    }

    /// The columns of the block of this name.
    ///
    /// # Errors
    /// [`Error::NoNames`] where columns have no names, [`Error::UnknownName`] where none has this one.
    pub fn columns(&self, block: &str) -> Result<Range<usize>, Error> {
        self.names.block(block).map(crate::Block::columns)
    }

    fn check_extra(&self, name: &'static str, values: &Matrix<B>) -> Result<(), Error> {
        let [rows, columns] = values.dims();
        if columns == 0 {
            return Err(Error::Empty { name, rows, columns });
        }
        self.check_rows(name, rows)
    }

    fn check_rows(&self, right_name: &'static str, right: usize) -> Result<(), Error> {
        let left = self.n_rows();
        if left == right {
            return Ok(());
        }
        Err(Error::RowsDiffer {
            left_name: "the design",
            left,
            right_name,
            right,
        })
    }
}

impl<B: Backend> Rows<B> for Design<'_, B> {
    fn n_rows(&self) -> usize {
        self.rows.n_rows()
    }

    fn n_columns(&self) -> usize {
        self.rows.n_columns()
    }

    fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, Error> {
        self.rows.chunk(rows)
    }

    fn is_held(&self) -> bool {
        self.rows.is_held()
    }

    fn chunk_of(&self, rows: Range<usize>, columns: &[usize]) -> Result<Matrix<B>, Error> {
        self.rows.chunk_of(rows, columns)
    }

    fn gather(&self, rows: &[usize]) -> Result<Matrix<B>, Error> {
        self.rows.gather(rows)
    }
}

/// What can be seen as a [`Design`]: everything that models, bases and scores take.
#[diagnostic::on_unimplemented(
    note = "`Matrix::from(values)` makes rows of a vector or an array, `Matrix::try_from(rows)?` of a vector of vectors",
    note = "data of another backend: `to_backend`"
)]
pub trait ToDesign<B: Backend> {
    /// The rows, and what belongs to them.
    fn to_design(&self) -> Design<'_, B>;
}

/// A kind of rows that results can be wrapped in: what goes in with times comes out with times.
#[diagnostic::on_unimplemented(
    note = "`Matrix::from(values)` makes one of a vector or an array; time series, `Features` and designs are others"
)]
pub trait Samples<B: Backend>: ToDesign<B> {
    /// What a result of one row per row of `self` becomes.
    type Output;

    /// Wraps `values`, which has one row per row of `self`, with the names of its columns.
    fn wrap(&self, values: Matrix<B>, names: Names) -> Self::Output;
}

impl<B: Backend> ToDesign<B> for Matrix<B> {
    fn to_design(&self) -> Design<'_, B> {
        Design::from_rows(self.clone())
    }
}

impl<B: Backend> Samples<B> for Matrix<B> {
    type Output = Matrix<B>;

    fn wrap(&self, values: Matrix<B>, _names: Names) -> Matrix<B> {
        values
    }
}

impl<B: Backend> ToDesign<B> for Design<'_, B> {
    fn to_design(&self) -> Design<'_, B> {
        self.clone()
    }
}

impl<B: Backend> Samples<B> for Design<'_, B> {
    type Output = Design<'static, B>;

    fn wrap(&self, values: Matrix<B>, names: Names) -> Design<'static, B> {
        Design {
            names,
            times: self.times.clone().map(|times| Cow::Owned(times.into_owned())),
            segments: self.segments.clone(),
            ..Design::from_rows(values)
        }
    }
}

impl<B: Backend> ToDesign<B> for [f64] {
    fn to_design(&self) -> Design<'_, B> {
        Design::from_rows(Matrix::from_column(self.to_vec()))
    }
}

impl<B: Backend> ToDesign<B> for Vec<f64> {
    fn to_design(&self) -> Design<'_, B> {
        self.as_slice().to_design()
    }
}

impl<B: Backend> ToDesign<B> for Array1<f64> {
    fn to_design(&self) -> Design<'_, B> {
        Design::from_rows(Matrix::from_column(self.to_vec()))
    }
}

impl<B: Backend> ToDesign<B> for Array2<f64> {
    fn to_design(&self) -> Design<'_, B> {
        Design::from_rows(Matrix::from_array(self.view()))
    }
}

// Of any lifetime, so that a matrix may stand beside blocks that are borrowed.
impl<B: Backend> From<Matrix<B>> for Design<'_, B> {
    fn from(matrix: Matrix<B>) -> Self {
        Design::from_rows(matrix)
    }
}

impl<'a, B: Backend, D: ToDesign<B> + ?Sized> From<&'a D> for Design<'a, B> {
    fn from(values: &'a D) -> Self {
        values.to_design()
    }
}

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use super::*;
    use crate::Cpu;

    fn column(values: &[f64]) -> Matrix<Cpu> {
        Matrix::from_column(values.to_vec())
    }

    #[test]
    fn weights_and_offsets_must_fit_the_rows() {
        let design = || Design::from(Matrix::<Cpu>::zeros([3, 2]));
        assert!(matches!(design().with_weights(column(&[1.0])), Err(Error::RowsDiffer { .. })));
        assert!(matches!(
            design().with_weights(column(&[1.0, -1.0, 0.0])),
            Err(Error::Weight { row: 1, .. })
        ));
        assert!(design().with_weights(column(&[1.0, f64::NAN, 0.0])).is_err());
        assert!(matches!(
            design().with_offset(column(&[1.0, 0.0, f64::INFINITY])),
            Err(Error::Infinite { row: 2, .. })
        ));
        let weights = column(&[1.0, 2.0, 0.0]);
        let both = design()
            .with_weights(weights)
            .and_then(|design| design.with_offset(column(&[0.0; 3])));
        assert_eq!(both.unwrap().weights().unwrap().to_vec(), [1.0, 2.0, 0.0]);
    }

    #[test]
    fn what_belongs_to_the_rows_comes_back_with_a_result() {
        let design = Design::from(column(&[1.0, 2.0, 3.0]))
            .with_times(vec![0.1, 0.2, 0.9])
            .and_then(|design| design.with_segments(Segments::from_lengths([2, 1])))
            .unwrap();
        let rates = design.wrap(Matrix::zeros([3, 2]), Names::new(["a", "b"]));
        assert_eq!(rates.times(), Some(&[0.1, 0.2, 0.9][..]));
        assert_eq!(rates.segments(), Segments::from_lengths([2, 1]));
        assert_eq!(rates.names().column("b").unwrap(), 1);
    }

    #[test]
    fn segments_cover_the_rows_or_are_refused() {
        let error = Design::from(column(&[1.0, 2.0, 3.0]))
            .with_segments(Segments::from_lengths([1, 1]))
            .unwrap_err();
        assert!(matches!(error, Error::RowsDiffer { left: 3, right: 2, .. }));
        assert!(Design::from(column(&[1.0])).with_times(vec![0.0, 1.0]).is_err());
        assert!(Design::from(column(&[1.0])).with_names(Names::new(["a", "b"])).is_err());
    }
}
