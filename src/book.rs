//! The README and the chapters of the book, so that their code runs as doc tests.

#[doc = include_str!("../README.md")]
struct Readme;

#[doc = include_str!("../book/src/introduction.md")]
struct Introduction;

#[doc = include_str!("../book/src/basis.md")]
struct Basis;

#[doc = include_str!("../book/src/timeseries.md")]
struct TimeSeries;

#[doc = include_str!("../book/src/head_direction.md")]
struct HeadDirection;

#[doc = include_str!("../book/src/design.md")]
struct NamesWeightsAndTimes;

#[doc = include_str!("../book/src/models.md")]
struct Models;

#[doc = include_str!("../book/src/population.md")]
struct Population;

#[doc = include_str!("../book/src/many_problems.md")]
struct ManyProblems;

#[doc = include_str!("../book/src/choosing.md")]
struct Choosing;

#[doc = include_str!("../book/src/cards.md")]
struct Cards;

#[doc = include_str!("../book/src/classifier.md")]
struct Classifier;

#[doc = include_str!("../book/src/hidden_states.md")]
struct HiddenStates;

#[doc = include_str!("../book/src/solvers.md")]
struct Solvers;

#[doc = include_str!("../book/src/saving.md")]
struct Saving;

#[doc = include_str!("../book/src/figures.md")]
struct Figures;

#[doc = include_str!("../book/src/recordings.md")]
struct Recordings;

#[doc = include_str!("../book/src/neural_coupling.md")]
struct NeuralCoupling;

#[doc = include_str!("../book/src/coupled_network.md")]
struct CoupledNetwork;

#[doc = include_str!("../book/src/uncertainty.md")]
struct HowSureIsIt;

#[doc = include_str!("../book/src/goodness.md")]
struct DoesItFit;

#[doc = include_str!("../book/src/comparison.md")]
struct WhichModelIsBetter;

#[doc = include_str!("../book/src/installation.md")]
struct Installation;

#[doc = include_str!("../book/src/background.md")]
struct Background;

#[doc = include_str!("../book/src/howto_timeseries.md")]
struct HowToTimeSeries;

#[doc = include_str!("../book/src/howto_features.md")]
struct HowToFeatures;

#[doc = include_str!("../book/src/howto_models.md")]
struct HowToModels;

#[doc = include_str!("../book/src/howto_penalties.md")]
struct HowToPenalties;

#[doc = include_str!("../book/src/cluster.md")]
struct Cluster;

#[doc = include_str!("../book/src/large_recordings.md")]
struct LargeRecordings;

#[doc = include_str!("../book/src/howto_data.md")]
struct HowToData;

#[doc = include_str!("../book/src/coming_from_nemos.md")]
struct ComingFromNemos;

#[doc = include_str!("../book/src/coming_from_pynapple.md")]
struct ComingFromPynapple;

#[doc = include_str!("../book/src/coming_from_sklearn.md")]
struct ComingFromScikitLearn;

#[doc = include_str!("../book/src/errors.md")]
struct ErrorsAndWarnings;
