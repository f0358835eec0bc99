//! The table that every list uses.
