//! Corrections for several tests.

use ndarray::Array2;

/// How p-values are corrected for their number. NaN stay NaN, and do not count.
///
/// | correction | holds down |
/// |---|---|
/// | `Bonferroni`, `Holm` | the probability of any false discovery; Holm's is never weaker |
/// | `BenjaminiHochberg` | the share of false ones among discoveries, for tests that are independent or rise together |
/// | `BenjaminiYekutieli` | the same, however they depend |
///
/// # Example
/// ```
/// use nemos_inference::Correction;
/// let p = [0.01, f64::NAN, 0.04];
/// let corrected = Correction::Holm.adjust(&p);
/// assert_eq!((corrected[0], corrected[2]), (0.02, 0.04));
/// ```
///
/// # References
/// Holm (1979), *Scand. J. Statistics* 6; Benjamini & Hochberg (1995), *JRSS B* 57; Benjamini & Yekutieli (2001), *Ann. Statistics* 29.
#[doc(alias("multipletests", "p.adjust"))]
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Correction {
    /// Times their number.
    Bonferroni,
    /// Bonferroni, one after the other from the smallest.
    Holm,
    /// False discovery rate.
    BenjaminiHochberg,
    /// False discovery rate under any dependence.
    BenjaminiYekutieli,
}

/// Which tests of a table a correction counts together.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Over {
    /// Those of one term for all neurons.
    Neurons,
    /// Those of one neuron for all terms.
    Terms,
    /// All of them.
    All,
}

impl Correction {
    /// The p-values, corrected.
    pub fn adjust(self, p: &[f64]) -> Vec<f64> {
        let mut order: Vec<usize> = (0..p.len()).filter(|&place| p[place].is_finite()).collect();
        order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
        let n = order.len() as f64;
        let harmonic: f64 = (1..=order.len()).map(|k| 1.0 / k as f64).sum();
        let mut adjusted = vec![f64::NAN; p.len()];
        let factor = |rank: usize| match self {
            Correction::Bonferroni => n,
            Correction::Holm => n - rank as f64,
            Correction::BenjaminiHochberg => n / (rank + 1) as f64,
            Correction::BenjaminiYekutieli => n * harmonic / (rank + 1) as f64,
        };
        let mut bound = match self {
            Correction::Bonferroni | Correction::Holm => 0.0_f64,
            _ => 1.0,
        };
        let ranks: Vec<usize> = match self {
            Correction::Bonferroni | Correction::Holm => (0..order.len()).collect(),
            _ => (0..order.len()).rev().collect(),
        };
        for rank in ranks {
            let raw = (p[order[rank]] * factor(rank)).min(1.0);
            bound = match self {
                Correction::Bonferroni => raw,
                Correction::Holm => bound.max(raw),
                _ => bound.min(raw),
            };
            adjusted[order[rank]] = bound;
        }
        adjusted
    }
}

/// `[n_terms, n_neurons]`: p-values corrected along one axis, or all together.
pub(crate) fn table(p: &Array2<f64>, correction: Correction, over: Over) -> Array2<f64> {
    let mut adjusted = p.clone();
    match over {
        Over::Neurons => adjusted.rows_mut().into_iter().for_each(|mut row| {
            let corrected = correction.adjust(&row.to_vec());
            row.iter_mut().zip(corrected).for_each(|(to, from)| *to = from);
        }),
        Over::Terms => adjusted.columns_mut().into_iter().for_each(|mut column| {
            let corrected = correction.adjust(&column.to_vec());
            column.iter_mut().zip(corrected).for_each(|(to, from)| *to = from);
        }),
        Over::All => {
            let corrected = correction.adjust(&p.iter().copied().collect::<Vec<_>>());
            adjusted.iter_mut().zip(corrected).for_each(|(to, from)| *to = from);
        }
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Correction; 4] = [
        Correction::Bonferroni,
        Correction::Holm,
        Correction::BenjaminiHochberg,
        Correction::BenjaminiYekutieli,
    ];

    #[test]
    fn corrections_keep_the_order_and_never_fall_below_what_they_correct() {
        let p = [0.003, 0.2, 0.001, 0.04, 1.0, 0.04];
        for correction in ALL {
            let adjusted = correction.adjust(&p);
            for (i, j) in (0..6).flat_map(|i| (0..6).map(move |j| (i, j))) {
                assert!(p[i] > p[j] || adjusted[i] <= adjusted[j], "{correction:?}: {adjusted:?}");
            }
            assert!(adjusted.iter().zip(&p).all(|(adjusted, p)| adjusted >= p && *adjusted <= 1.0));
        }
    }

    #[test]
    fn what_is_missing_does_not_count() {
        for correction in ALL {
            let adjusted = correction.adjust(&[f64::NAN, 0.01, f64::NAN, 0.5]);
            assert_eq!(adjusted[1..2], correction.adjust(&[0.01, 0.5])[..1]);
            assert!(adjusted[0].is_nan());
            assert!(correction.adjust(&[f64::NAN]).len() == 1 && correction.adjust(&[]).is_empty());
        }
    }

    #[test]
    fn a_table_is_corrected_over_what_is_said() {
        let p = ndarray::array![[0.01, 0.02], [0.03, 0.04]];
        assert_eq!(table(&p, Correction::Bonferroni, Over::Neurons)[(0, 0)], 0.02);
        assert_eq!(table(&p, Correction::Bonferroni, Over::All)[(0, 0)], 0.04);
        assert_eq!(table(&p, Correction::Holm, Over::Terms)[(1, 1)], 0.04);
    }
}
