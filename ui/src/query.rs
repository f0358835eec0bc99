//! The filter language that every table shares, mirrored in the address as `?q=`.
