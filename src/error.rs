//! One error for programs that use several crates.

/// Anything that a crate of nemos can refuse.
///
/// # Example
/// ```
/// use nemos::prelude::*;
/// fn fit(design: &Matrix<Cpu>, counts: &Matrix<Cpu>) -> Result<f64, nemos::Error> {
///     let features = RaisedCosineLinear::new(5).compute_features(design)?;
///     Ok(Glm::new(Poisson).fit(&features, counts)?.intercept())
/// }
/// let error = fit(&Matrix::zeros([4, 1]), &Matrix::zeros([3, 1])).unwrap_err();
/// assert!(error.is_shape() && !error.is_option());
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// From `nemos::core`.
    #[error(transparent)]
    Core(#[from] nemos_core::Error),
    /// From `nemos::basis`.
    #[error(transparent)]
    Basis(#[from] nemos_basis::Error),
    /// From `nemos::solvers`.
    #[error(transparent)]
    Solver(#[from] nemos_solvers::Error),
    /// From `nemos::glm`.
    #[error(transparent)]
    Glm(#[from] nemos_glm::Error),
    /// From `nemos::hmm`.
    #[cfg(feature = "hmm")]
    #[error(transparent)]
    Hmm(#[from] nemos_hmm::Error),
    /// From `nemos::inference`.
    #[cfg(feature = "inference")]
    #[error(transparent)]
    Inference(#[from] nemos_inference::Error),
    /// From `nemos::select`, unless it comes from a model, a basis or data there.
    #[cfg(feature = "select")]
    #[error(transparent)]
    Select(nemos_select::Error),
    /// From `nemos::sim`.
    #[cfg(feature = "sim")]
    #[error(transparent)]
    Sim(#[from] nemos_sim::Error),
    /// From `nemos::io`.
    #[cfg(feature = "io")]
    #[error(transparent)]
    Io(#[from] nemos_io::Error),
    /// From `nemos::plot`.
    #[cfg(feature = "plot")]
    #[error(transparent)]
    Plot(#[from] nemos_plot::Error),
    /// From `nemos::timeseries`.
    #[cfg(feature = "timeseries")]
    #[error(transparent)]
    TimeSeries(#[from] nemos_timeseries::Error),
}

#[cfg(feature = "select")]
impl From<nemos_select::Error> for Error {
    fn from(error: nemos_select::Error) -> Self {
        use nemos_select::Error as Select;
        match error {
            Select::Data(error) => Error::Core(error),
            Select::Glm(error) => Error::Glm(error),
            Select::Basis(error) => Error::Basis(error),
            error => Error::Select(error),
        }
    }
}

impl Error {
    /// Whether rows or columns do not fit.
    pub fn is_shape(&self) -> bool {
        use nemos_basis::Error as Basis;
        use nemos_core::Error as Core;
        #[cfg(feature = "timeseries")]
        use nemos_timeseries::Error as TimeSeries;
        if let Some(error) = self.of_fold() {
            return error.is_shape();
        }
        match self {
            Error::Glm(
                nemos_glm::Error::SeveralNeurons { .. }
                | nemos_glm::Error::MaskShape { .. }
                | nemos_glm::Error::CouplingShape { .. }
                | nemos_glm::Error::PerProblem { .. }
                | nemos_glm::Error::StartShape { .. }
                | nemos_glm::Error::Parameters { .. },
            ) => true,
            #[cfg(feature = "inference")]
            Error::Inference(nemos_inference::Error::Length { .. }) => true,
            #[cfg(feature = "hmm")]
            Error::Hmm(nemos_hmm::Error::Shape { .. } | nemos_hmm::Error::Order { .. }) => true,
            #[cfg(feature = "sim")]
            Error::Sim(nemos_sim::Error::Shape { .. } | nemos_sim::Error::EmptyWindow { .. }) => true,
            #[cfg(feature = "select")]
            Error::Select(nemos_select::Error::Inputs { .. }) => true,
            #[cfg(feature = "timeseries")]
            Error::TimeSeries(TimeSeries::Differ { .. } | TimeSeries::MetadataRows { .. }) => true,
            Error::Basis(Basis::Inputs { .. } | Basis::InputWidths { .. } | Basis::ProductChannels { .. } | Basis::Features { .. }) => true,
            _ => matches!(
                self.core(),
                Some(
                    Core::ValuesDoNotFill { .. }
                        | Core::RowsDiffer { .. }
                        | Core::Columns { .. }
                        | Core::RowsOutside { .. }
                        | Core::ColumnOutside { .. }
                        | Core::Empty { .. }
                        | Core::SegmentsNotContiguous { .. }
                        | Core::NamesDoNotFit { .. }
                        | Core::NamesDiffer { .. }
                        | Core::Channels { .. }
                )
            ),
        }
    }

    /// Whether values cannot be used or read: infinite, missing, outside a support, or in a damaged file.
    pub fn is_data(&self) -> bool {
        use nemos_basis::Error as Basis;
        use nemos_core::Error as Core;
        use nemos_glm::Error as Glm;
        #[cfg(feature = "io")]
        use nemos_io::Error as Io;
        #[cfg(feature = "timeseries")]
        use nemos_timeseries::Error as TimeSeries;
        if let Some(error) = self.of_fold() {
            return error.is_data();
        }
        match self {
            #[cfg(feature = "sim")]
            Error::Sim(nemos_sim::Error::NotFinite { .. }) => true,
            #[cfg(feature = "select")]
            Error::Select(
                nemos_select::Error::NoTimes
                | nemos_select::Error::NoPull
                | nemos_select::Error::AllFailed { .. }
                | nemos_select::Error::File { .. },
            ) => true,
            #[cfg(feature = "hmm")]
            Error::Hmm(nemos_hmm::Error::DriveMissing { .. } | nemos_hmm::Error::Impossible { .. } | nemos_hmm::Error::File { .. }) => true,
            // What a model of states says is what it would say alone.
            #[cfg(feature = "hmm")]
            Error::Hmm(nemos_hmm::Error::Glm(error)) => Error::Glm(error.clone()).is_data(),
            Error::Glm(
                Glm::OutsideSupport { .. }
                | Glm::NeuronMissing { .. }
                | Glm::TimesDiffer { .. }
                | Glm::NoIntercept { .. }
                | Glm::OffsetMissing
                | Glm::UnknownLabel { .. },
            ) => true,
            #[cfg(feature = "inference")]
            Error::Inference(
                nemos_inference::Error::OtherData { .. }
                | nemos_inference::Error::Clusters { .. }
                | nemos_inference::Error::Count { .. }
                | nemos_inference::Error::Rate { .. }
                | nemos_inference::Error::TooFew { .. },
            ) => true,
            #[cfg(feature = "io")]
            Error::Io(error) => !matches!(
                error,
                Io::OwnModel { .. }
                    | Io::NotSaved { .. }
                    | Io::NotInNemos { .. }
                    | Io::OtherModel { .. }
                    | Io::NoEntry { .. }
                    | Io::Ending { .. }
                    | Io::SeriesShape { .. }
            ),
            #[cfg(feature = "timeseries")]
            Error::TimeSeries(
                TimeSeries::TimeNotFinite { .. }
                | TimeSeries::Unsorted { .. }
                | TimeSeries::Interval { .. }
                | TimeSeries::Irregular { .. }
                | TimeSeries::Missing { .. }
                | TimeSeries::NotAUnit { .. }
                | TimeSeries::TooFewSamples { .. }
                | TimeSeries::Empty { .. },
            ) => true,
            Error::Basis(
                Basis::AllMissing { .. } | Basis::TimesDiffer { .. } | Basis::UnknownCategory { .. } | Basis::TooFewSamples { .. },
            ) => true,
            _ => matches!(
                self.core(),
                Some(
                    Core::Infinite { .. }
                        | Core::Weight { .. }
                        | Core::TimesDiffer { .. }
                        | Core::AllMissing { .. }
                        | Core::Read { .. }
                        | Core::NoEigenvalues { .. }
                )
            ),
        }
    }

    /// Whether an option, a name or a label is out of range: something to change in the program rather than in the data.
    pub fn is_option(&self) -> bool {
        let is_outcome = match self {
            Error::Glm(nemos_glm::Error::NotConverged { .. } | nemos_glm::Error::Diverged { .. }) => true,
            #[cfg(feature = "inference")]
            Error::Inference(nemos_inference::Error::NotConverged { .. } | nemos_inference::Error::FitsWorse { .. }) => true,
            #[cfg(feature = "hmm")]
            Error::Hmm(
                nemos_hmm::Error::NotConverged { .. } | nemos_hmm::Error::NotAtMaximum { .. } | nemos_hmm::Error::NoInformation { .. },
            ) => true,
            #[cfg(feature = "sim")]
            Error::Sim(nemos_sim::Error::Stopped(_)) => true,
            #[cfg(feature = "select")]
            Error::Select(nemos_select::Error::Stopped { .. }) => true,
            _ => false,
        };
        !is_outcome && !self.is_shape() && !self.is_data()
    }

    /// What went wrong in one fold, by itself.
    #[cfg(feature = "select")]
    fn of_fold(&self) -> Option<Error> {
        let Error::Select(nemos_select::Error::InFold { error, .. }) = self else {
            return None;
        };
        match &**error {
            nemos_select::Error::Data(error) => Some(Error::Core(error.clone())),
            nemos_select::Error::Glm(error) => Some(Error::Glm(error.clone())),
            nemos_select::Error::Basis(error) => Some(Error::Basis(error.clone())),
            _ => None,
        }
    }

    #[cfg(not(feature = "select"))]
    fn of_fold(&self) -> Option<Error> {
        None
    }

    /// The error of `nemos::core` at the root of this one.
    fn core(&self) -> Option<&nemos_core::Error> {
        match self {
            Error::Core(error)
            | Error::Basis(nemos_basis::Error::Data(error))
            | Error::Solver(nemos_solvers::Error::Data(error))
            | Error::Glm(nemos_glm::Error::Data(error)) => Some(error),
            #[cfg(feature = "inference")]
            Error::Inference(nemos_inference::Error::Data(error)) => Some(error),
            #[cfg(feature = "hmm")]
            Error::Hmm(nemos_hmm::Error::Data(error)) => Some(error),
            #[cfg(feature = "sim")]
            Error::Sim(nemos_sim::Error::Data(error)) => Some(error),
            #[cfg(feature = "timeseries")]
            Error::TimeSeries(nemos_timeseries::Error::Data(error)) => Some(error),
            _ => None,
        }
    }
}

#[cfg(all(test, feature = "cpu", feature = "timeseries"))]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[cfg(feature = "select")]
    #[test]
    fn an_error_of_a_fold_is_of_the_kind_that_it_would_be_of_alone() {
        let of = |error: nemos_glm::Error| {
            let error = Box::new(nemos_select::Error::Glm(error));
            Error::Select(nemos_select::Error::InFold { fold: 1, error })
        };
        let data = of(nemos_glm::Error::OffsetMissing);
        assert!(data.is_data() && !data.is_option() && data.to_string().starts_with("in fold 1: "));
        assert!(of(nemos_glm::Error::SeveralNeurons { n_neurons: 2 }).is_shape());
    }

    #[test]
    fn an_error_is_of_one_kind() {
        let matrix = |values: [f64; 2]| Matrix::<Cpu>::from_column(values.to_vec());
        let good = matrix([1.0, 2.0]);
        let shape: Error = Glm::new(Poisson).fit(&good, &Matrix::zeros([3, 1])).unwrap_err().into();
        let data: Error = Glm::new(Poisson).fit(&good, &matrix([1.0, -2.0])).unwrap_err().into();
        let infinite: Error = Glm::new(Poisson).fit(&matrix([f64::INFINITY, 0.0]), &good).unwrap_err().into();
        let option: Error = RaisedCosineLinear::new(0).compute_features(&good).unwrap_err().into();
        let strength: Error = Glm::new(Poisson)
            .regularizer(Regularizer::Ridge((-1.0).into()))
            .fit(&good, &good)
            .unwrap_err()
            .into();
        let times: Error = crate::timeseries::Ts::new([1.0, 0.0]).unwrap_err().into();
        let rows: Error = crate::timeseries::Tsd::new(crate::timeseries::Ts::default(), good)
            .unwrap_err()
            .into();
        let kinds = |error: &Error| [error.is_shape(), error.is_data(), error.is_option()];
        assert_eq!(kinds(&shape), [true, false, false]);
        assert_eq!(kinds(&data), [false, true, false]);
        assert_eq!(kinds(&infinite), [false, true, false]);
        assert_eq!(kinds(&option), [false, false, true]);
        assert_eq!(kinds(&strength), [false, false, true]);
        assert_eq!(kinds(&times), [false, true, false]);
        assert_eq!(kinds(&rows), [true, false, false]);
    }
}
