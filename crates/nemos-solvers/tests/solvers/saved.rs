//! Specifications and outcomes are values that can be saved and loaded.

use std::fmt::Debug;

use ndarray::array;
use nemos_solvers::{
    Acceleration, Auto, Bfgs, GradientDescent, Groups, Lbfgs, ModelCurvature, Newton, NonlinearCg, Parameters, ProximalNewton, Regularizer,
    StepLength, Stopping, Strength, Svrg, minimize,
};
use nemos_testkit::problems;
use serde::Serialize;
use serde::de::DeserializeOwned;

fn assert_survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let saved = serde_json::to_string(value).expect("values are plain");
    assert_eq!(&serde_json::from_str::<T>(&saved).expect(&saved), value);
}

#[test]
fn specifications_survive() {
    assert_survives(&Auto::new());
    assert_survives(&Bfgs::new());
    assert_survives(&Newton::new());
    assert_survives(&NonlinearCg::new());
    assert_survives(&Lbfgs::new().memory(4));
    assert_survives(&ProximalNewton::new().curvature(ModelCurvature::Exact).memory(3));
    assert_survives(&Svrg::new().step_length(0.1).batch_size(7).seed(5));
    let descent = GradientDescent::new().acceleration(Acceleration::Plain);
    assert_survives(&descent.step_length(StepLength::Fixed(0.25)));
    assert_survives(&Stopping::new().tolerance(1e-7).max_steps(12));
}

#[test]
fn penalties_survive() {
    assert_survives(&Regularizer::Unregularized);
    for strength in [
        Strength::Shared(0.1),
        Strength::PerNeuron(vec![0.1, 0.2]),
        Strength::PerFeature(vec![0.3]),
        Strength::PerCoefficient(array![[0.1, 0.2], [0.3, 0.4]]),
        Strength::PerBlock(vec![("place".into(), 0.5)]),
    ] {
        assert_survives(&Regularizer::Ridge(strength.clone()));
        assert_survives(&Regularizer::Lasso(strength.clone()));
        assert_survives(&Regularizer::ElasticNet {
            strength,
            lasso_share: 0.3,
        });
    }
    for groups in [Groups::All, Groups::Blocks, Groups::Features(vec![vec![0, 2], vec![1]])] {
        let strength = Strength::PerGroup(vec![0.1, 0.7]);
        assert_survives(&Regularizer::GroupLasso { strength, groups });
    }
}

#[test]
fn outcomes_and_parameters_survive() {
    let problem = &problems()[0];
    let solution = minimize(&*problem.objective, &Bfgs::new(), Stopping::new(), &problem.start).expect("the data are in memory");
    assert_survives(&solution.outcome);
    assert_survives(&solution.parameters);
    // A column that does not end where the values do is no set of parameters.
    assert!(serde_json::from_str::<Parameters>(r#"{"values":[1.0,2.0,3.0],"n_parameters":2}"#).is_err());
}
