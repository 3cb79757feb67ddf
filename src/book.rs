//! The README and the chapters of the book, so that their code runs as doc tests.

#[doc = include_str!("../README.md")]
struct Readme;

#[doc = include_str!("../book/src/introduction.md")]
struct Introduction;

#[doc = include_str!("../book/src/basis.md")]
struct Basis;

#[doc = include_str!("../book/src/timeseries.md")]
struct TimeSeries;
