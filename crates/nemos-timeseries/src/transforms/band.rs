//! Bands of frequencies.

/// Which frequencies a filter keeps, in Hz.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Band {
    /// Those below.
    Low(f64),
    /// Those above.
    High(f64),
    /// Those between.
    Pass(f64, f64),
    /// Those outside.
    Stop(f64, f64),
}
