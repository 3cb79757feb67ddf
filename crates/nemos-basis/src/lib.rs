//! Basis functions of nemos: turn what was measured into features.
