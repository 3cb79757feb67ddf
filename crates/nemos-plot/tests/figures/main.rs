//! What figures look like, as documents and as pixels.

mod document;
mod gallery;
#[cfg(feature = "png")]
mod pixels;
mod support;
