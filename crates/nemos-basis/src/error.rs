//! What can be wrong with a basis, or with what is given to it.

/// A basis that cannot be used as it is, or data that do not fit it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data themselves cannot be used.
    #[error(transparent)]
    Data(#[from] nemos_core::Error),
    /// The basis has another number of inputs.
    #[error("{got} inputs were given, but the basis takes {expected}: one for each of {inputs:?}")]
    Inputs {
        /// How many were given.
        got: usize,
        /// How many the basis takes.
        expected: usize,
        /// The labels of the parts that take them, in order.
        inputs: Vec<String>,
    },
    /// The inputs were recorded at different times.
    #[error("row {row} is at {left} s in one input but at {right} s in another; restrict or interpolate them to the same times")]
    TimesDiffer {
        /// The first row that differs.
        row: usize,
        /// Its time in one input.
        left: f64,
        /// Its time in another.
        right: f64,
    },
    /// There are too few functions.
    #[error("{family} has {got} functions but needs at least {least} ({why}); ask for more")]
    TooFewFunctions {
        /// Which family.
        family: &'static str,
        /// How many functions were asked for.
        got: usize,
        /// The least number.
        least: usize,
        /// What the least number follows from.
        why: &'static str,
    },
    /// The order of a spline is too low.
    #[error("{family} has order {got}, but needs at least {least}; order 4 is cubic")]
    Order {
        /// Which family.
        family: &'static str,
        /// The order given.
        got: usize,
        /// The lowest order.
        least: usize,
    },
    /// The width of raised cosines must be more than one, in steps of one half.
    #[error("raised cosines of width {got} do not sum to a constant; choose 1.5, 2, 2.5 or another multiple of one half above 1")]
    Width {
        /// The width given.
        got: f64,
    },
    /// The time scaling of logarithmic raised cosines must be positive.
    #[error("time scaling is {got}, but must be positive and finite; 50 is the default")]
    TimeScaling {
        /// The scaling given.
        got: f64,
    },
    /// A decay rate is infinite or not a number.
    #[error("decay rate {index} is {got}; rates must be finite")]
    DecayRate {
        /// Which rate.
        index: usize,
        /// Its value.
        got: f64,
    },
    /// Two decay rates are the same, so that their exponentials are too.
    #[error("decay rate {rate} is given twice; two equal exponentials cannot be made orthogonal, so leave one out")]
    RepeatedRate {
        /// The rate.
        rate: f64,
    },
    /// There are fewer samples than functions to make orthogonal.
    #[error("{got} samples cannot hold {least} orthogonal functions; give at least {least}, or fewer decay rates")]
    TooFewSamples {
        /// Samples given.
        got: usize,
        /// Functions to make orthogonal.
        least: usize,
    },
    /// A window has no samples.
    #[error("the window of {label:?} has no samples; it needs at least one")]
    EmptyWindow {
        /// Label of the part.
        label: String,
    },
    /// A window in seconds is not a positive number of bins.
    #[error(
        "a window of {duration} s in bins of {bin_size} s is not a usable number of samples; both must be positive, the window no shorter than a bin"
    )]
    WindowDuration {
        /// Length of the window in seconds.
        duration: f64,
        /// Length of a bin in seconds.
        bin_size: f64,
    },
    /// A window that looks both ways has no sample in its middle.
    #[error(
        "an acausal window of {window} samples has no middle sample; use an odd length such as {}",
        .window + 1
    )]
    EvenWindow {
        /// Samples of the window.
        window: usize,
    },
    /// A window is too short for its functions.
    #[error("a window of {window} samples cannot hold {least} orthogonal functions; lengthen it to at least {least}")]
    WindowTooShort {
        /// Samples of the window.
        window: usize,
        /// Functions to make orthogonal.
        least: usize,
    },
    /// Bounds that enclose nothing.
    #[error("bounds of {family} are {low} to {high}; they must be finite, the first below the second")]
    Bounds {
        /// Which family.
        family: &'static str,
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// One pair of bounds for each dimension, or column, was needed.
    #[error("{family} has {got} pairs of bounds but {expected} dimensions; give one pair for all or one for each")]
    BoundsCount {
        /// Which family.
        family: &'static str,
        /// Pairs given.
        got: usize,
        /// Dimensions, or columns, of the input.
        expected: usize,
    },
    /// This cannot be used as a bank of filters.
    #[error("{what} cannot be a bank of filters; convolve its parts, or use a spline, raised cosine or exponential")]
    NotAFilter {
        /// What was to be convolved.
        what: &'static str,
    },
    /// Filters were asked of a basis that has none.
    #[error("{label:?} is no bank of filters; take one family, and make its filters with `.convolved(window)`")]
    NotConvolved {
        /// Label of the basis.
        label: String,
    },
    /// A filter has bounds.
    #[error("{family} has bounds and a window, but a window always spans a filter from end to end; leave one out")]
    BoundsOfFilter {
        /// Which family.
        family: &'static str,
    },
    /// Bounds cannot be taken from samples that are all missing.
    #[error("column {column} of the input of {label:?} holds no value but NaN, so its bounds are unknown; give samples, or bounds")]
    AllMissing {
        /// Label of the part.
        label: String,
        /// The column of its input.
        column: usize,
    },
    /// The factors of a product have inputs of different shape.
    #[error("the factors of {label:?} have {left} and {right} channels; inputs of a product need as many columns as each other")]
    ProductChannels {
        /// Label of the product.
        label: String,
        /// Channels of the left factor.
        left: usize,
        /// Channels of the right factor.
        right: usize,
    },
    /// The inputs of one function have different shapes.
    #[error("the inputs of {label:?} have {widths:?} columns; a function of several inputs needs as many columns of each")]
    InputWidths {
        /// Label of the part.
        label: String,
        /// Columns of each of its inputs.
        widths: Vec<usize>,
    },
    /// Two Fourier bases cannot be multiplied.
    #[error("both factors of {label:?} are Fourier bases; use one Fourier basis of several dimensions instead of their product")]
    FourierProduct {
        /// Label of the product.
        label: String,
    },
    /// A label is used twice.
    #[error("two parts are labelled {label:?}; give each its own label, since parts are found by it")]
    DuplicateLabel {
        /// The label.
        label: String,
    },
    /// A label is the name of another family.
    #[error("a {family} cannot be labelled {label:?}, the name of another family; choose a label of your own")]
    ReservedLabel {
        /// The label.
        label: String,
        /// The family that it was given to.
        family: &'static str,
    },
    /// No part has this label.
    #[error("no part is labelled {label:?}; there are {available:?}")]
    UnknownLabel {
        /// The label asked for.
        label: String,
        /// The labels that exist.
        available: Vec<String>,
    },
    /// A basis was repeated zero times.
    #[error("a basis repeated zero times is no basis; multiply by, or raise to, at least 1")]
    NoCopies,
    /// An array has another number of features than the basis.
    #[error("the array has {got} features along the axis to split, but the basis has {expected}")]
    Features {
        /// Features of the array.
        got: usize,
        /// Features of the basis.
        expected: usize,
    },
    /// An array does not have the axis to split.
    #[error("axis {axis} does not exist: the array has {available} axes")]
    Axis {
        /// The axis asked for.
        axis: usize,
        /// Axes of the array.
        available: usize,
    },
    /// A Fourier basis is left without a frequency.
    #[error("no frequency is left; give at least one besides 0, or keep the constant")]
    NoFrequency,
    /// A frequency range that holds no number.
    #[error("the range of frequencies {start}..{end} is empty; the first must be below the second")]
    FrequencyRange {
        /// First frequency.
        start: usize,
        /// One past the last frequency.
        end: usize,
    },
    /// A mask of frequencies has the wrong length.
    #[error("the mask holds {got} entries but there are {expected} combinations of frequencies; give one for each")]
    FrequencyMask {
        /// Entries of the mask.
        got: usize,
        /// Combinations of frequencies.
        expected: usize,
    },
    /// Categories that are to be learned were not.
    #[error("the categories are to come from training data, and have not; call with_bounds_from first, or name them")]
    NoCategories,
    /// A category is listed twice.
    #[error("category {category:?} is listed twice; categories must differ")]
    DuplicateCategory {
        /// The category.
        category: String,
    },
    /// A value belongs to no category.
    #[error("{value} in row {row} is none of the categories {available:?}; add it, or let unknown values give zeros")]
    UnknownCategory {
        /// The value.
        value: String,
        /// Its row.
        row: usize,
        /// The categories that exist.
        available: Vec<String>,
    },
    /// A grid has no points along one of its inputs.
    #[error("the grid has no points along input {input}; it needs at least one")]
    EmptyGrid {
        /// Which input.
        input: usize,
    },
    /// A grid over categories needs one point for each.
    #[error("the grid has {got} points along {label:?}, which has {expected} categories; ask for one point each")]
    CategoryGrid {
        /// Label of the part.
        label: String,
        /// Points asked for.
        got: usize,
        /// Number of categories.
        expected: usize,
    },
    /// A custom function of several values was given a shape without room for them.
    #[error("the output shape of {name:?} is {shape:?}; every axis needs at least one entry")]
    OutputShape {
        /// Name of the functions.
        name: String,
        /// The shape.
        shape: Vec<usize>,
    },
}
