//! Both ends of a link, with real TLS on loopback.
