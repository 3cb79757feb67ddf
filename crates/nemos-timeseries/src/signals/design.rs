//! Signals as designs: what models and bases take, and give back.

use nemos_core::{Backend, Design, Matrix, Names, Samples, ToDesign};

use super::frame::{Frame, TsdFrame};
use super::kind::Kind;
use super::signal::Signal;
use crate::Error;
use crate::times::{Interval, IntervalSet, Ts};

impl<B: Backend, K: Kind> ToDesign<B> for Signal<B, K> {
    fn to_design(&self) -> Design<'_, B> {
        Design::from_rows(self.values().clone())
            .with_times(self.sample_times())
            .and_then(|design| design.with_segments(self.axis().segments()))
            .and_then(|design| design.with_names(self.kind().names()))
            .expect("invariant: a row per time, and names that were made to fit")
    }
}

impl<B: Backend, K: Kind> Samples<B> for Signal<B, K> {
    type Output = TsdFrame<B>;

    fn wrap(&self, values: Matrix<B>, names: Names) -> TsdFrame<B> {
        TsdFrame::named(self.axis().clone(), values, names)
    }
}

/// A design with times as a frame, under its names. Its epochs are its segments, from the first to the last time of each,
/// since a design knows of no others.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Design, Matrix, Segments};
/// use nemos_timeseries::{IntervalSet, TsdFrame};
/// let rates = Design::from(Matrix::<Cpu>::zeros([4, 2]))
///     .with_times(vec![0.0, 0.1, 5.0, 5.1])?
///     .with_segments(Segments::from_lengths([2, 2]))?;
/// let rates = TsdFrame::try_from(rates)?;
/// assert_eq!(rates.support(), &IntervalSet::new([(0.0, 0.1), (5.0, 5.1)])?);
/// # Ok::<(), nemos_timeseries::Error>(())
/// ```
impl<B: Backend> TryFrom<Design<'_, B>> for Signal<B, Frame> {
    type Error = Error;

    /// # Errors
    /// [`Error::NoTimes`] if the design has no times, [`Error::TimeNotFinite`] or [`Error::Unsorted`] if they are no time
    /// axis, [`Error::Data`] if its rows cannot be read.
    fn try_from(design: Design<'_, B>) -> Result<Self, Error> {
        let times = design.times().ok_or(Error::NoTimes { rows: design.n_rows() })?;
        let axis = Ts::new(times)?;
        let segments = design.segments();
        let spans = segments.ranges().iter().filter(|rows| !rows.is_empty());
        let epochs = spans.map(|rows| Interval {
            start: times[rows.start],
            end: times[rows.end - 1],
        });
        let axis = axis.restrict(&IntervalSet::trusted(epochs.collect()));
        Ok(TsdFrame::named(axis, design.to_matrix()?, design.names().clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Binning, Metric, Prior, TsGroup, Tsd};
    use nemos_core::{Cpu, Segments};

    fn features() -> TsdFrame<Cpu> {
        let names = Names::new(["x", "a0", "b0"]).with_block("place", 1, []).unwrap();
        let names = names.with_block("spikes", 2, ["a", "b"]).unwrap();
        let epochs = IntervalSet::new([(0.0, 1.0), (2.0, 9.0)]).unwrap();
        let axis = Ts::within([0.0, 0.5, 2.0, 2.5], &epochs).unwrap();
        let signal = Tsd::<Cpu>::trusted(axis, vec![0.0; 4]);
        signal.wrap(Matrix::from_vec((0..12).map(f64::from).collect(), [4, 3]).unwrap(), names)
    }

    #[test]
    fn names_times_and_segments_go_to_a_model_and_come_back() {
        let (features, wrapped) = (features(), features().wrap(Matrix::zeros([4, 2]), Names::new(["3", "7"])));
        let design = features.to_design();
        assert_eq!(design.names(), features.names());
        assert_eq!(design.columns("spikes").unwrap(), 1..3);
        assert_eq!(design.times(), Some([0.0, 0.5, 2.0, 2.5].as_slice()));
        assert_eq!(design.segments(), Segments::from_lengths([2, 2]));
        assert_eq!(wrapped.names(), &Names::new(["3", "7"]));
        assert_eq!(wrapped.support(), features.support());
        let column = features.column("b0").unwrap();
        assert_eq!(column.to_design().names(), &Names::new(["b0"]));
        assert_eq!(column.into_frame().column_names(), ["b0"]);
    }

    #[test]
    fn blocks_survive_what_keeps_columns_and_are_cut_by_what_selects_them() {
        let features = features();
        let late = features.restrict(&IntervalSet::new([(2.0, 3.0)]).unwrap());
        for kept in [&late, &late.between(2.0, 2.1), &late.bin_average(0.5).unwrap(), &late.derivative()] {
            assert_eq!(kept.names(), features.names());
        }
        let renamed = features.clone().with_names(["1", "2", "3"]).unwrap();
        assert_eq!(
            (renamed.names().blocks(), renamed.column_names()),
            (features.names().blocks(), vec!["1".into(), "2".into(), "3".into()])
        );
        let spikes = features.block("spikes").unwrap();
        assert_eq!(spikes.values().to_vec()[..2], [1.0, 2.0]);
        assert_eq!(spikes.names().block("spikes").unwrap().channel("b").unwrap(), 1..2);
        assert!(matches!(
            spikes.block("place"),
            Err(Error::Data(nemos_core::Error::UnknownName { .. }))
        ));
        assert_eq!(features.columns(&[2, 0]).unwrap().names().block_names(), ["spikes", "place"]);
    }

    #[test]
    fn a_design_with_times_is_a_frame_and_one_without_says_so() {
        let features = features();
        let back = TsdFrame::try_from(features.to_design()).unwrap();
        assert_eq!((back.names(), back.sample_times()), (features.names(), features.sample_times()));
        assert_eq!(back.axis().segments(), features.axis().segments());
        assert_eq!(back.values().to_vec(), features.values().to_vec());
        let error = TsdFrame::<Cpu>::try_from(Design::from(Matrix::zeros([3, 1]))).unwrap_err();
        assert!(
            matches!(error, Error::NoTimes { rows: 3 }) && error.to_string().contains("with_times"),
            "{error}"
        );
        let sessions = Design::from(Matrix::<Cpu>::zeros([2, 1])).with_times(vec![1.0, 0.0]).unwrap();
        assert!(matches!(TsdFrame::try_from(sessions), Err(Error::Unsorted { .. })));
    }

    #[test]
    fn units_go_by_their_numbers_from_counts_to_tuning_curves() {
        let place = Tsd::<Cpu>::new(Ts::regular(0.0, 1.0, 4).unwrap(), vec![1.0, 2.0, 8.0, 9.0]).unwrap();
        let cells = TsGroup::new([Ts::new([2.1]).unwrap(), Ts::new([0.2, 0.4]).unwrap()], place.support());
        let cells = cells.with_ids([6, 13]).unwrap();
        let counts = cells.count::<Cpu>(1.0).unwrap();
        assert_eq!(counts.to_design().names(), &Names::new(["6", "13"]));
        let bins = [Binning::new(2).range(0.0, 10.0)];
        // A model that was given counts gives rates under their names.
        let rates = place.wrap(Matrix::zeros([4, 2]), counts.names().clone());
        assert_eq!(rates.tuning_curves(&place, &bins).unwrap().names(), ["6", "13"]);
        let curves = cells.tuning_curves(&place.with_name("place"), &bins).unwrap();
        assert_eq!(curves.curve_of("6").unwrap(), [0.0, 0.5]);
        assert!(curves.curve_of("7").unwrap_err().to_string().contains("\"13\""));
        // Each curve finds its column by name, wherever it stands.
        let decode = |counts: &TsdFrame<Cpu>| curves.decode_bayes(counts, 1.0, Prior::Uniform).unwrap().features.values().to_vec();
        assert_eq!(decode(&counts.columns(&[1, 0]).unwrap()), decode(&counts));
        let decoded = curves.decode_template(&counts, Metric::Euclidean).unwrap();
        assert_eq!(decoded.features.column_names(), ["place"]);
        let missing = curves
            .decode_bayes(&counts.columns(&[0]).unwrap(), 1.0, Prior::Uniform)
            .unwrap_err();
        assert!(matches!(&missing, Error::Units { index: 1, name, .. } if name == "13"), "{missing}");
    }
}
