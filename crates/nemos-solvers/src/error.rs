//! What can be wrong with the options of a solver or a penalty.

/// Options or data that a solver cannot work with.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option has a value outside its range.
    #[error("{option} is {got}; it must be {expected}")]
    Option {
        /// Name of the option.
        option: &'static str,
        /// Its value.
        got: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// A list of strengths does not fit the coefficients.
    #[error("{got} strengths were given {per}, but there are {expected} of them")]
    Strengths {
        /// How many strengths there are.
        got: usize,
        /// What each belongs to: "per feature" or "per neuron".
        per: &'static str,
        /// How many there should be.
        expected: usize,
    },
    /// Strengths of a kind that the penalty does not take.
    #[error("the {penalty} was given one strength {kind}; it takes {expected}")]
    StrengthKind {
        /// What each strength belongs to.
        kind: &'static str,
        /// Name of the penalty.
        penalty: &'static str,
        /// What it takes.
        expected: &'static str,
    },
    /// Strengths per block that give a block two.
    #[error("Strength::PerBlock names the block {block:?} twice; a block has one strength")]
    NamedTwice {
        /// The block.
        block: String,
    },
    /// Groups of a group lasso that overlap, or name features that do not exist.
    #[error("feature {feature} {problem}; groups must not overlap, and features are 0..{n_features}")]
    Groups {
        /// The feature.
        feature: usize,
        /// How many features there are.
        n_features: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A solver that cannot see other data at every step.
    #[error("{solver} keeps what it has seen of the data and cannot be given others at every step; these can: GradientDescent and Svrg")]
    Batches {
        /// Name of the solver.
        solver: &'static str,
    },
    /// A solver that cannot handle a penalty.
    #[error("{solver} cannot handle the {penalty} penalty; these can: ProximalNewton, GradientDescent, Svrg and Auto")]
    Penalty {
        /// Name of the solver.
        solver: &'static str,
        /// Name of the penalty.
        penalty: &'static str,
    },
    /// The data could not be used or read.
    #[error(transparent)]
    Data(#[from] nemos_core::Error),
}

impl Error {
    /// Checks that an option is finite and not negative.
    pub(crate) fn check_not_negative(option: &'static str, got: f64) -> Result<(), Error> {
        if got.is_finite() && got >= 0.0 {
            Ok(())
        } else {
            Err(Error::Option {
                option,
                got,
                expected: "finite and not negative",
            })
        }
    }

    /// Checks that an option is finite and positive.
    pub(crate) fn check_positive(option: &'static str, got: f64) -> Result<(), Error> {
        if got.is_finite() && got > 0.0 {
            Ok(())
        } else {
            Err(Error::Option {
                option,
                got,
                expected: "finite and positive",
            })
        }
    }
}
