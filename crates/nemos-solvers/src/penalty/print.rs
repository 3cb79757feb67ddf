//! Penalties in words.

use std::fmt;

use crate::penalty::groups::Groups;
use crate::penalty::regularizer::Regularizer;
use crate::penalty::strength::Strength;

impl fmt::Display for Strength {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Strength::Shared(value) => write!(to, "strength {value}"),
            Strength::PerNeuron(values) => write!(to, "{} strengths, one per neuron", values.len()),
            Strength::PerFeature(values) => write!(to, "{} strengths, one per feature", values.len()),
            Strength::PerCoefficient(values) => write!(to, "{} strengths, one per coefficient", values.len()),
            Strength::PerGroup(values) => write!(to, "{} strengths, one per group", values.len()),
            Strength::PerBlock(named) => {
                let named: Vec<String> = named.iter().map(|(block, value)| format!("{block}: {value}")).collect();
                write!(to, "strength {}", named.join(", "))
            }
        }
    }
}

impl fmt::Display for Groups {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Groups::All => write!(to, "all features of a neuron as one group"),
            Groups::Blocks => write!(to, "one group per block"),
            Groups::Channels => write!(to, "one group per channel of each block"),
            Groups::Features(groups) => write!(to, "{} groups of features", groups.len()),
        }
    }
}

impl fmt::Display for Regularizer {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Regularizer::Unregularized => write!(to, "none"),
            Regularizer::Ridge(strength) => write!(to, "ridge, {strength}"),
            Regularizer::Lasso(strength) => write!(to, "lasso, {strength}"),
            Regularizer::ElasticNet { strength, lasso_share } => write!(to, "elastic net, {strength}, {lasso_share} of it lasso"),
            Regularizer::GroupLasso { strength, groups } => write!(to, "group lasso, {strength}, {groups}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{elastic_net, group_lasso, lasso, ridge};

    #[test]
    fn penalties_say_what_they_do() {
        assert_eq!(ridge(0.1).to_string(), "ridge, strength 0.1");
        assert_eq!(
            lasso(Strength::PerNeuron(vec![0.1; 7])).to_string(),
            "lasso, 7 strengths, one per neuron"
        );
        assert_eq!(elastic_net(0.1, 0.5).to_string(), "elastic net, strength 0.1, 0.5 of it lasso");
        let named = Strength::PerBlock(vec![("speed".into(), 0.2)]);
        assert_eq!(
            group_lasso(named, Groups::Channels).to_string(),
            "group lasso, strength speed: 0.2, one group per channel of each block"
        );
        assert_eq!(Regularizer::Unregularized.to_string(), "none");
    }
}
