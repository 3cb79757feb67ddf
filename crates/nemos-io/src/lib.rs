//! Recordings in, fitted models out.
