//! What control decides.
