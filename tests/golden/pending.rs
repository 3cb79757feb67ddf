//! The cases that cannot run yet, by the feature that they wait for. This list only ever shrinks.

/// Cases of one suite that wait for one feature.
pub(crate) struct Pending {
    pub(crate) suite: &'static str,
    /// What they wait for.
    #[expect(dead_code, reason = "it is for whoever reads the list")]
    pub(crate) feature: &'static str,
    /// The numbers in their names.
    pub(crate) cases: &'static [usize],
}

const fn pending(suite: &'static str, feature: &'static str, cases: &'static [usize]) -> Pending {
    Pending { suite, feature, cases }
}

/// Fields of a case of `real_data` that are not compared yet: they wait for standard errors.
pub(crate) const FIELDS_NOT_COMPARED: &[&str] = &["standard_errors", "covariance", "confidence_95", "wald_z", "p_values"];

/// Every case that cannot run yet.
pub(crate) const PENDING: &[Pending] = &[];
