//! Groups from several, and from signals that say of which unit each event is.

use std::collections::BTreeMap;

use nemos_core::Backend;

use super::group::TsGroup;
use crate::signals::{Scalar, Signal, Tsd};
use crate::times::Ts;
use crate::{Column, Error};

impl TsGroup {
    /// The units of both groups, over the union of their supports: probes that recorded at the same time.
    ///
    /// Columns of metadata that only one has are missing for the units of the other: NaN, or an empty text; flags become
    /// numbers, 0, 1 or NaN.
    ///
    /// # Errors
    /// [`Error::DuplicateUnit`] if both have a unit of one number: renumber one by [`with_ids`](TsGroup::with_ids);
    /// [`Error::ColumnKind`] if a column holds numbers in one and texts in the other.
    ///
    /// # Example
    /// ```
    /// use nemos_timeseries::{Ts, TsGroup};
    /// let left = TsGroup::joined([Ts::new([0.0, 1.0])?]).with_column("area", vec!["CA1"])?;
    /// let right = TsGroup::joined([Ts::new([0.5, 2.0])?]).with_ids([7])?;
    /// let both = left.merge(&right)?;
    /// assert_eq!(both.ids(), [0, 7]);
    /// assert_eq!(both.metadata().texts("area")?, ["CA1", ""]);
    /// assert_eq!(both.support().total_length(), 2.0);
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    #[doc(alias = "merge_group")]
    pub fn merge(&self, other: &TsGroup) -> Result<TsGroup, Error> {
        let support = self.support().union(other.support());
        let units = self.units().iter().chain(other.units()).cloned();
        let ids: Vec<u64> = self.ids().iter().chain(other.ids()).copied().collect();
        let mut merged = TsGroup::new(units, &support).with_ids(ids)?;
        let own = self.metadata().columns();
        let others = other.metadata().columns().filter(|(name, _)| self.metadata().column(name).is_err());
        for (name, _) in own.chain(others) {
            let columns = [
                (self, self.metadata().column(name).ok()),
                (other, other.metadata().column(name).ok()),
            ];
            merged = merged.with_column(name, joined(name, columns)?)?;
        }
        Ok(merged)
    }

    /// The number of the unit of every event, in order of time: what [`Tsd::to_tsgroup`](Signal::to_tsgroup) takes apart.
    pub fn to_tsd<B: Backend>(&self) -> Tsd<B> {
        let pairs = self.units().iter().zip(self.ids());
        let mut events: Vec<(f64, u64)> = pairs
            .flat_map(|(unit, &id)| unit.times().iter().map(move |&time| (time, id)))
            .collect();
        events.sort_by(|left, right| left.0.total_cmp(&right.0));
        let axis = Ts::trusted(events.iter().map(|event| event.0).collect(), self.support().clone());
        Tsd::trusted(axis, events.into_iter().map(|event| event.1 as f64).collect())
    }
}

impl<B: Backend> Signal<B, Scalar> {
    /// The times of each value, which is the number of a unit: sorted spikes, as many programs write them.
    ///
    /// # Errors
    /// [`Error::NotAUnit`] unless values are whole numbers, not below zero.
    ///
    /// # Example
    /// ```
    /// use nemos_core::Cpu;
    /// use nemos_timeseries::{Ts, Tsd};
    /// let sorted = Tsd::<Cpu>::new(Ts::new([0.1, 0.2, 0.3])?, vec![7.0, 3.0, 7.0])?;
    /// let units = sorted.to_tsgroup()?;
    /// assert_eq!(units.ids(), [3, 7]);
    /// assert_eq!(units.unit(7)?.times(), [0.1, 0.3]);
    /// assert_eq!(units.to_tsd::<Cpu>().to_vec(), sorted.to_vec());
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    pub fn to_tsgroup(&self) -> Result<TsGroup, Error> {
        let mut units: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for (row, (&time, value)) in self.sample_times().iter().zip(self.to_vec()).enumerate() {
            // Above 2⁵³ not every whole number is there.
            if !(0.0..=9_007_199_254_740_992.0).contains(&value) || value.fract() != 0.0 {
                return Err(Error::NotAUnit { row, value });
            }
            units.entry(value as u64).or_default().push(time);
        }
        let ids: Vec<u64> = units.keys().copied().collect();
        let units = units.into_values().map(|times| Ts::trusted(times, self.support().clone()));
        TsGroup::trusted(units.collect(), self.support().clone()).with_ids(ids)
    }
}

/// One column for the units of two groups, of which one may have none.
fn joined(name: &str, columns: [(&TsGroup, Option<&Column>); 2]) -> Result<Column, Error> {
    let is = |kind: fn(&Column) -> bool| columns.iter().all(|(_, column)| column.is_none_or(kind));
    let is_whole = columns.iter().all(|(_, column)| column.is_some());
    if is(|column| matches!(column, Column::Flags(_))) && is_whole {
        let flags = columns.iter().filter_map(|(_, column)| match column {
            Some(Column::Flags(flags)) => Some(flags.clone()),
            _ => None,
        });
        return Ok(Column::Flags(flags.flatten().collect()));
    }
    if is(|column| matches!(column, Column::Texts(_))) {
        let texts = columns.iter().flat_map(|(group, column)| match column {
            Some(Column::Texts(texts)) => texts.clone(),
            _ => vec![String::new(); group.len()],
        });
        return Ok(Column::Texts(texts.collect()));
    }
    if is(|column| !matches!(column, Column::Texts(_))) {
        let numbers = columns.iter().flat_map(|(group, column)| match column {
            Some(Column::Numbers(numbers)) => numbers.clone(),
            Some(Column::Flags(flags)) => flags.iter().map(|&flag| f64::from(u8::from(flag))).collect(),
            _ => vec![f64::NAN; group.len()],
        });
        return Ok(Column::Numbers(numbers.collect()));
    }
    Err(Error::ColumnKind {
        name: name.into(),
        got: "texts in one group",
        wanted: "numbers or flags, as in the other",
    })
}
