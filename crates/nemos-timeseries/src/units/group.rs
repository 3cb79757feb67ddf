//! Units: the events of many neurons that were recorded together.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use crate::times::{IntervalSet, Ts, merge};
use crate::{Column, Error, Table};

/// The events of many units over one support, with metadata per unit. A unit without events stays a unit.
///
/// # Example
/// ```
/// use nemos_timeseries::{IntervalSet, Ts, TsGroup};
/// let units = TsGroup::new([Ts::new([0.5, 1.0, 3.5])?, Ts::new([2.0, 4.5])?], &IntervalSet::new([(0.0, 5.0)])?)
///     .with_column("area", vec!["CA1", "CA3"])?;
/// assert_eq!(units.rates(), [0.6, 0.4]);
/// let areas = units.metadata().texts("area")?;
/// let ca1 = units.filter(|unit| areas[unit] == "CA1");
/// assert_eq!(ca1.ids(), [0]);
/// # Ok::<(), nemos_timeseries::Error>(())
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct TsGroup {
    units: Vec<Ts>,
    ids: Vec<u64>,
    support: IntervalSet,
    metadata: Arc<Table>,
}

impl<'a> IntoIterator for &'a TsGroup {
    type Item = &'a Ts;
    type IntoIter = std::slice::Iter<'a, Ts>;

    /// The units, in the order of their numbers.
    fn into_iter(self) -> Self::IntoIter {
        self.units.iter()
    }
}

impl From<&TsGroup> for Vec<Vec<f64>> {
    /// The times of every unit, as a raster takes them.
    fn from(units: &TsGroup) -> Self {
        units.into_iter().map(|unit| unit.times().to_vec()).collect()
    }
}

impl TsGroup {
    /// These units within a support that they share, numbered from 0; events outside it are dropped.
    pub fn new(units: impl IntoIterator<Item = Ts>, support: &IntervalSet) -> Self {
        let units: Vec<Ts> = units.into_iter().collect();
        let units: Vec<Ts> = units.par_iter().map(|unit| unit.restrict(support)).collect();
        Self::trusted(units, support.clone())
    }

    /// These units over the union of their supports.
    pub fn joined(units: impl IntoIterator<Item = Ts>) -> Self {
        let units: Vec<Ts> = units.into_iter().collect();
        let all = units.iter().flat_map(|unit| unit.support().intervals());
        let mut all: Vec<_> = all.copied().collect();
        all.sort_by(|left, right| left.start.total_cmp(&right.start));
        let support = IntervalSet::trusted(merge(all, 0.0));
        Self::new(units, &support)
    }

    pub(crate) fn trusted(units: Vec<Ts>, support: IntervalSet) -> Self {
        TsGroup {
            ids: (0..units.len() as u64).collect(),
            metadata: Arc::new(Table::new(units.len())),
            units,
            support,
        }
    }

    /// The same units under these numbers.
    ///
    /// # Errors
    /// [`Error::Differ`] unless there is one per unit, [`Error::DuplicateUnit`] if two are the same.
    pub fn with_ids(mut self, ids: impl Into<Vec<u64>>) -> Result<Self, Error> {
        self.ids = ids.into();
        if self.ids.len() != self.units.len() {
            return Err(Error::Differ {
                left_name: "the list of numbers",
                left: self.ids.len(),
                right_name: "the group",
                right: self.units.len(),
            });
        }
        let mut sorted = self.ids.clone();
        sorted.sort_unstable();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::DuplicateUnit { id: pair[0] }),
            None => Ok(self),
        }
    }

    /// The same units with one more column of metadata, one row per unit.
    ///
    /// # Errors
    /// [`Error::MetadataRows`] unless the column has one row per unit.
    #[doc(alias = "set_info")]
    pub fn with_column(mut self, name: impl Into<String>, column: impl Into<Column>) -> Result<Self, Error> {
        self.metadata = Arc::new(self.metadata.as_ref().clone().with(name, column)?);
        Ok(self)
    }

    /// The units, in order.
    pub fn units(&self) -> &[Ts] {
        &self.units
    }

    /// The numbers of the units, in order.
    pub fn ids(&self) -> &[u64] {
        &self.ids
    }

    /// The numbers of the units as names, under which counts of them, rates and tuning curves go.
    pub fn names(&self) -> Vec<String> {
        self.ids.iter().map(u64::to_string).collect()
    }

    /// The unit of this number.
    ///
    /// # Errors
    /// [`Error::UnknownUnit`] if there is none.
    pub fn unit(&self, id: u64) -> Result<&Ts, Error> {
        let found = self.ids.iter().position(|&other| other == id);
        found.map(|unit| &self.units[unit]).ok_or_else(|| Error::UnknownUnit {
            id,
            available: self.ids.clone(),
        })
    }

    /// What is known about each unit.
    #[doc(alias = "get_info")]
    pub fn metadata(&self) -> &Table {
        &self.metadata
    }

    /// When events could have been seen.
    pub fn support(&self) -> &IntervalSet {
        &self.support
    }

    /// How many units there are.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// Events per second of each unit.
    pub fn rates(&self) -> Vec<f64> {
        self.units.iter().map(Ts::rate).collect()
    }

    /// The events within these epochs, which become the support.
    #[must_use]
    pub fn restrict(&self, epochs: &IntervalSet) -> Self {
        let epochs = epochs.clone().with_grain(self.support.grain());
        self.with_units(self.units.par_iter().map(|unit| unit.restrict(&epochs)).collect(), epochs)
    }

    /// The units of which `keep` is true, with their metadata; it is given their place, from 0.
    #[doc(alias = "getby_threshold")]
    #[must_use]
    pub fn filter(&self, keep: impl Fn(usize) -> bool) -> Self {
        self.select(&(0..self.len()).filter(|&unit| keep(unit)).collect::<Vec<_>>())
    }

    /// The units by what a column of texts says of them.
    ///
    /// # Errors
    /// [`Error::UnknownName`] or [`Error::ColumnKind`] unless there is a column of texts of this name.
    #[doc(alias("getby_category", "groupby"))]
    pub fn by_category(&self, name: &str) -> Result<BTreeMap<String, TsGroup>, Error> {
        let mut members: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (unit, category) in self.metadata.texts(name)?.iter().enumerate() {
            members.entry(category.clone()).or_default().push(unit);
        }
        Ok(members
            .into_iter()
            .map(|(category, units)| (category, self.select(&units)))
            .collect())
    }

    /// The same numbers and metadata for other events, as many.
    pub(crate) fn with_units(&self, units: Vec<Ts>, support: IntervalSet) -> Self {
        TsGroup {
            units,
            ids: self.ids.clone(),
            support,
            metadata: self.metadata.clone(),
        }
    }

    fn select(&self, units: &[usize]) -> Self {
        TsGroup {
            units: units.iter().map(|&unit| self.units[unit].clone()).collect(),
            ids: units.iter().map(|&unit| self.ids[unit]).collect(),
            support: self.support.clone(),
            metadata: Arc::new(self.metadata.select(units)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> TsGroup {
        let units = [Ts::new([0.5, 1.0, 9.0]).unwrap(), Ts::new([]).unwrap(), Ts::new([2.0]).unwrap()];
        TsGroup::new(units, &IntervalSet::new([(0.0, 4.0)]).unwrap())
    }

    #[test]
    fn times_of_units_are_rows_of_a_raster() {
        let session = IntervalSet::new([(0.0, 2.0)]).unwrap();
        let units = TsGroup::new([Ts::new([0.5, 3.0]).unwrap(), Ts::new([]).unwrap()], &session);
        assert_eq!(Vec::from(&units), [vec![0.5], vec![]]);
    }

    #[test]
    fn silent_units_stay() {
        let group = group();
        assert_eq!((group.len(), group.rates()), (3, vec![0.5, 0.0, 0.25]));
        assert_eq!(group.filter(|unit| group.rates()[unit] > 0.0).ids(), [0, 2]);
        let joined = TsGroup::joined(group.units().to_vec());
        assert_eq!((joined.len(), joined.support().total_length()), (3, 4.0));
    }

    #[test]
    fn numbers_are_one_per_unit_and_differ() {
        assert!(matches!(group().with_ids([1, 2]), Err(Error::Differ { left: 2, right: 3, .. })));
        assert!(matches!(group().with_ids([1, 2, 1]), Err(Error::DuplicateUnit { id: 1 })));
        let named = group().with_ids([7, 9, 4]).unwrap();
        assert_eq!(named.unit(4).unwrap().len(), 1);
        assert!(matches!(named.unit(0), Err(Error::UnknownUnit { .. })));
    }

    #[test]
    fn categories_keep_numbers_and_metadata() {
        let areas = group()
            .with_column("area", vec!["CA3", "CA1", "CA3"])
            .unwrap()
            .by_category("area")
            .unwrap();
        assert_eq!((areas["CA1"].ids(), areas["CA3"].ids()), ([1].as_slice(), [0, 2].as_slice()));
    }
}
