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

/// Fields of a case of `real_data` that are not compared yet: they wait for standard errors and information criteria.
pub(crate) const FIELDS_NOT_COMPARED: &[&str] = &[
    "standard_errors",
    "covariance",
    "null_log_likelihood",
    "aic",
    "bic",
    "pearson_chi2",
    "confidence_95",
    "wald_z",
    "p_values",
];

/// Every case that cannot run yet.
pub(crate) const PENDING: &[Pending] = &[
    pending(
        "glm",
        "lasso, elastic net, group lasso",
        &[3, 4, 5, 12, 13, 14, 21, 22, 23, 27, 28, 29, 36, 37, 38],
    ),
    pending("glm", "Gamma", &[9, 10, 11, 15, 16, 17]),
    pending("glm", "Gaussian", &[18, 19, 20]),
    pending("glm", "Bernoulli", &[24, 25, 26, 30, 31, 32]),
    pending("glm", "negative binomial", &[33, 34, 35, 39, 40, 41]),
    pending("population", "feature masks", &[1, 4, 6, 9, 11, 14, 16, 19, 21, 24]),
    pending("population", "lasso", &[3, 8, 13, 18, 23]),
    pending("population", "Gamma", &[5, 7]),
    pending("population", "Bernoulli", &[10, 12]),
    pending("population", "Gaussian", &[15, 17]),
    pending("population", "negative binomial", &[20, 22]),
    pending("classifier", "classifiers", &[0, 1, 2, 3, 4, 5]),
    pending("observation", "observation models on their own", &[0, 1, 2, 3, 4]),
    pending("saved_models", "files of fitted models", &[0, 1, 2, 3, 4, 5, 6, 7, 8]),
    pending("real_data", "designs of spike history", &[4, 5]),
    pending("simulation", "simulation", &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    pending(
        "timeseries",
        "time series",
        &[
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
        ],
    ),
];
