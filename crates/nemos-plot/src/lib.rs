//! Figures of nemos, as SVG.
