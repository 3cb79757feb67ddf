//! The zoo: problems that every solver meets.

use ndarray::{Array1, Array2, array, concatenate, s};
use nemos_solvers::{Groups, Objective, Parameters, Regularizer, Strength};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson, StandardNormal};

use crate::{Digits, HostObjective, Loss, Softmax, refractory};

/// One problem of the zoo.
pub struct Problem {
    /// Its name.
    pub name: &'static str,
    /// What is minimised, less the penalty.
    pub objective: Box<dyn Objective>,
    /// The penalty.
    pub regularizer: Regularizer,
    /// Where a solver starts.
    pub start: Parameters,
    /// `[n_rows, n_features]`: to compare predictors where coefficients are not unique.
    pub design: Array2<f64>,
    /// Columns whose objective has no minimum.
    pub without_minimum: Vec<usize>,
    /// What makes it hard for first-order methods, or nothing.
    pub hard: Option<&'static str>,
    /// Whether it is evaluated in single precision.
    pub digits: Digits,
}

impl std::fmt::Debug for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Problem").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Problem {
    fn new(name: &'static str, objective: HostObjective, regularizer: Regularizer) -> Self {
        Problem {
            name,
            start: objective.start(),
            design: objective.design.clone(),
            objective: Box::new(objective),
            regularizer,
            without_minimum: Vec::new(),
            hard: None,
            digits: Digits::Double,
        }
    }

    fn without_minimum(mut self, columns: &[usize]) -> Self {
        self.without_minimum = columns.to_vec();
        self
    }

    fn hard(mut self, why: &'static str) -> Self {
        self.hard = Some(why);
        self
    }
}

const N_ROWS: usize = 240;

/// Every problem of the zoo, the same ones each time.
pub fn problems() -> Vec<Problem> {
    let rng = &mut ChaCha8Rng::seed_from_u64(7);
    let normal = normals(N_ROWS, 6, rng);
    let effects = normals(6, 3, rng) * 0.4;
    let poisson = || HostObjective::new(normal.clone(), poisson_counts(&normal, &effects, 8), Loss::Poisson);
    let logistic = || HostObjective::new(normal.clone(), coin_flips(&normal, &effects, 9), Loss::Logistic);
    let gaussian = || {
        HostObjective::new(
            normal.clone(),
            normal.dot(&effects) + normals(N_ROWS, 3, &mut ChaCha8Rng::seed_from_u64(10)),
            Loss::Gaussian,
        )
    };
    let elastic_net = |strength| Regularizer::ElasticNet {
        strength,
        lasso_share: 0.5,
    };
    let group_lasso = |strength, groups: &[&[usize]]| Regularizer::GroupLasso {
        strength,
        groups: Groups::Features(groups.iter().map(|group| group.to_vec()).collect()),
    };
    let mut zoo = vec![
        Problem::new("Poisson", poisson(), Regularizer::Unregularized),
        Problem::new("logistic", logistic(), Regularizer::Unregularized),
        Problem::new("Gaussian", gaussian(), Regularizer::Unregularized),
        Problem::new("ridge", poisson(), Regularizer::Ridge(0.1.into())),
        Problem::new(
            "ridge per neuron",
            logistic(),
            Regularizer::Ridge(Strength::PerNeuron(vec![0.01, 0.1, 1.0])),
        ),
        Problem::new("lasso", poisson(), Regularizer::Lasso(0.1.into())),
        Problem::new(
            "lasso of every strength",
            logistic(),
            Regularizer::Lasso(Strength::PerNeuron(vec![0.0, 0.03, 10.0])),
        ),
        Problem::new(
            "lasso per feature",
            gaussian(),
            Regularizer::Lasso(Strength::PerFeature(vec![0.0, 0.1, 0.2, 0.3, 0.0, 5.0])),
        ),
        Problem::new("elastic net", gaussian(), elastic_net(0.3.into())),
        Problem::new("group lasso", poisson(), group_lasso(0.1.into(), &[&[0, 2], &[1, 3, 5], &[]])),
        Problem::new(
            "group lasso per group",
            logistic(),
            group_lasso(Strength::PerGroup(vec![0.0, 0.05]), &[&[0, 2], &[1, 3, 4, 5]]),
        ),
    ];
    let free = Array2::from_shape_fn((6, 3), |(feature, problem)| problem == 2 || feature % 2 == problem);
    zoo.push(Problem::new("masked", poisson().free(free.clone()), Regularizer::Unregularized));
    zoo.push(Problem::new(
        "masked lasso",
        logistic().free(free.clone()),
        Regularizer::Lasso(0.03.into()),
    ));
    zoo.push(Problem::new(
        "masked group lasso",
        poisson().free(free),
        group_lasso(0.1.into(), &[&[0, 1, 2], &[3, 4, 5]]),
    ));
    zoo.push(Problem::new("refractory", refractory(1_000, 12), Regularizer::Unregularized).hard("curvature falls to a hundredth"));
    zoo.extend(badly_conditioned(rng));
    zoo.extend(without_maximum(&normal));
    zoo.extend(more_features_than_rows(rng));
    zoo.extend(classifiers(&normal, rng));
    for (name, objective, regularizer) in [
        ("single precision", poisson(), Regularizer::Unregularized),
        ("single precision lasso", logistic(), Regularizer::Lasso(0.03.into())),
    ] {
        let mut problem = Problem::new(name, objective.digits(Digits::Single), regularizer);
        problem.digits = Digits::Single;
        zoo.push(problem);
    }
    zoo
}

/// Features of scales from 1e-3 to 1e3 and a large mean, overlapping ones, and one twice.
fn badly_conditioned(rng: &mut ChaCha8Rng) -> Vec<Problem> {
    let normal = normals(N_ROWS, 4, rng);
    let scales = array![1e-3, 1.0, 30.0, 1e3];
    let scaled = &normal * &scales + &array![1.0, 5.0, 0.0, 1e3];
    let counts = poisson_counts(&normal, &array![[0.4], [0.3], [0.3], [-0.4]], 11);
    let smooth = Array2::from_shape_fn((N_ROWS, 8), |(t, i)| {
        (-0.5 * ((t as f64 / N_ROWS as f64 - i as f64 / 7.0) / 0.15).powi(2)).exp()
    });
    let bumps = || {
        HostObjective::new(
            smooth.clone(),
            poisson_counts(&smooth, &Array2::from_shape_fn((8, 2), |(i, j)| ((i + j) as f64).sin()), 12),
            Loss::Poisson,
        )
    };
    let twice = concatenate![ndarray::Axis(1), normal, normal.slice(s![.., ..1])];
    let twins = || {
        HostObjective::new(
            twice.clone(),
            coin_flips(&normal, &array![[0.5], [0.3], [0.0], [-0.4]], 13),
            Loss::Logistic,
        )
    };
    vec![
        Problem::new(
            "scales",
            HostObjective::new(scaled.clone(), counts, Loss::Poisson),
            Regularizer::Unregularized,
        )
        .hard("scales differ by 1e6"),
        Problem::new("overlapping bumps", bumps(), Regularizer::Unregularized).hard("neighbours overlap: condition 1e5"),
        Problem::new("overlapping bumps, lasso", bumps(), Regularizer::Lasso(0.003.into())).hard("neighbours overlap: condition 1e5"),
        Problem::new(
            "overlapping bumps, group lasso",
            bumps(),
            Regularizer::GroupLasso {
                strength: 0.003.into(),
                groups: Groups::Features(vec![vec![0, 1, 2, 3], vec![4, 5, 6, 7]]),
            },
        )
        .hard("neighbours overlap: condition 1e5"),
        Problem::new("twins", twins(), Regularizer::Unregularized),
        Problem::new("twins, lasso", twins(), Regularizer::Lasso(0.02.into())),
    ]
}

/// A silent neuron, and data that a plane separates.
fn without_maximum(normal: &Array2<f64>) -> Vec<Problem> {
    let counts = poisson_counts(normal, &Array2::from_elem((6, 1), 0.2), 14);
    let silent = || {
        HostObjective::new(
            normal.clone(),
            concatenate![ndarray::Axis(1), counts, Array2::zeros((N_ROWS, 1))],
            Loss::Poisson,
        )
    };
    let separable = normal.slice(s![.., ..1]).mapv(|x| f64::from(u8::from(x > 0.0)));
    let separable = || HostObjective::new(normal.clone(), separable.clone(), Loss::Logistic);
    vec![
        Problem::new("silent neuron", silent(), Regularizer::Unregularized).without_minimum(&[1]),
        Problem::new("silent neuron, lasso", silent(), Regularizer::Lasso(0.05.into())).without_minimum(&[1]),
        Problem::new("separable", separable(), Regularizer::Unregularized).without_minimum(&[0]),
        Problem::new("separable, lasso", separable(), Regularizer::Lasso(0.05.into())),
    ]
}

fn more_features_than_rows(rng: &mut ChaCha8Rng) -> Vec<Problem> {
    let wide = normals(30, 45, rng);
    let effects = Array2::from_shape_fn((45, 2), |(i, j)| if i % 15 == j { 0.8 } else { 0.0 });
    let gaussian = HostObjective::new(wide.clone(), wide.dot(&effects) + normals(30, 2, rng) * 0.3, Loss::Gaussian);
    let poisson = HostObjective::new(wide.clone(), poisson_counts(&wide, &effects, 15), Loss::Poisson);
    vec![
        Problem::new("wide lasso, Gaussian", gaussian, Regularizer::Lasso(0.2.into())),
        Problem::new("wide lasso, Poisson", poisson, Regularizer::Lasso(0.1.into())),
    ]
}

fn classifiers(normal: &Array2<f64>, rng: &mut ChaCha8Rng) -> Vec<Problem> {
    let scores = normal.slice(s![.., ..3]).to_owned() + normals(N_ROWS, 3, rng);
    let labels = Array1::from_iter(
        scores
            .rows()
            .into_iter()
            .map(|row| (0..3).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0)),
    );
    let labels = Array2::from_shape_fn(
        (N_ROWS, 2),
        |(row, problem)| if problem == 0 { labels[row] } else { (labels[row] + row % 2) % 3 },
    );
    let softmax = Softmax::new(normal.clone(), labels, 3);
    let problem = |name, regularizer| Problem {
        name,
        start: softmax.start(),
        design: softmax.design.clone(),
        objective: Box::new(softmax.clone()),
        regularizer,
        without_minimum: Vec::new(),
        hard: None,
        digits: Digits::Double,
    };
    vec![
        problem("classes", Regularizer::Unregularized),
        problem("classes, ridge", Regularizer::Ridge(0.1.into())),
        problem("classes, lasso", Regularizer::Lasso(0.03.into())),
        problem(
            "classes, group lasso",
            Regularizer::GroupLasso {
                strength: 0.03.into(),
                groups: Groups::Features(vec![vec![0], vec![1, 2], vec![3, 4, 5]]),
            },
        ),
    ]
}

fn normals(n_rows: usize, n_columns: usize, rng: &mut ChaCha8Rng) -> Array2<f64> {
    Array2::from_shape_simple_fn((n_rows, n_columns), || rng.sample(StandardNormal))
}

fn poisson_counts(design: &Array2<f64>, effects: &Array2<f64>, seed: u64) -> Array2<f64> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    design
        .dot(effects)
        .mapv(|predictor| Poisson::new(predictor.exp()).expect("rates are finite").sample(rng))
}

fn coin_flips(design: &Array2<f64>, effects: &Array2<f64>, seed: u64) -> Array2<f64> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    design.dot(effects).mapv(|predictor| flip(1.0 / (1.0 + (-predictor).exp()), rng))
}

fn flip(probability: f64, rng: &mut impl Rng) -> f64 {
    f64::from(u8::from(rng.random::<f64>() < probability))
}
