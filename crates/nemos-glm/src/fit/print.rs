//! Specifications in words: the model, and what is set besides.

use std::fmt;

use crate::{FeatureMask, Glm, InverseLink, ObservationModel, Options, PopulationGlm};

impl<O: ObservationModel, L: InverseLink> fmt::Display for PopulationGlm<O, L> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(to, "GLM of any number of neurons")?;
        write(to, self)
    }
}

impl<O: ObservationModel, L: InverseLink> fmt::Display for Glm<O, L> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(to, "GLM of one neuron")?;
        write(to, self.population())
    }
}

fn write<O: ObservationModel, L: InverseLink>(to: &mut fmt::Formatter<'_>, model: &PopulationGlm<O, L>) -> fmt::Result {
    writeln!(to, "observations  {:?}", model.observation_model())?;
    writeln!(to, "link          {:?}", model.inverse_link())?;
    write!(to, "{}", model.options())
}

impl fmt::Display for Options {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(to, "penalty       {}", self.regularizer)?;
        let mask = self.mask.as_ref().map_or("none: all features".to_string(), FeatureMask::to_string);
        writeln!(to, "mask          {mask}")?;
        let start = match &self.start {
            Some(start) => format!("given, {} parameters for {} neurons", start.n_parameters(), start.n_problems()),
            None => "the mean count".into(),
        };
        writeln!(to, "start         {start}")?;
        let steps = self
            .stopping
            .max_steps
            .map_or("as many as the solver takes".to_string(), |steps| format!("at most {steps}"));
        writeln!(to, "stopping      tolerance {:e}, steps {steps}", self.stopping.tolerance)
    }
}

impl fmt::Display for FeatureMask {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FeatureMask::Coefficients(mask) => {
                let used = mask.iter().filter(|used| **used).count();
                write!(to, "{used} of {} coefficients", mask.len())
            }
            FeatureMask::Blocks(blocks) => {
                let names: Vec<&str> = blocks.iter().map(|(name, _)| name.as_str()).collect();
                write!(to, "blocks {}", names.join(", "))
            }
            FeatureMask::Coupling { block, map } => {
                let used = map.iter().filter(|used| **used).count();
                write!(to, "{used} of {} couplings of block {block}", map.len())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use nemos_solvers::ridge;

    use crate::{Glm, NegativeBinomial, Poisson, PopulationGlm, Softplus, Stopping};

    #[test]
    fn a_specification_prints_all_that_is_set() {
        let model = PopulationGlm::new(Poisson)
            .link(Softplus)
            .regularizer(ridge(0.1))
            .feature_mask(array![[true, false]])
            .stopping(Stopping::new().tolerance(1e-8));
        let text = "\
GLM of any number of neurons
observations  Poisson
link          Softplus
penalty       ridge, strength 0.1
mask          1 of 2 coefficients
start         the mean count
stopping      tolerance 1e-8, steps as many as the solver takes
";
        assert_eq!(model.to_string(), text);
        let one = Glm::new(NegativeBinomial::new(0.5)).to_string();
        assert!(
            one.starts_with("GLM of one neuron\nobservations  NegativeBinomial { scale: Some(0.5) }\nlink          Exp\n"),
            "{one}"
        );
    }
}
