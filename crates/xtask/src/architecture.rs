//! The processors that agents are built for, by the names that the kernel, engines and compilers use.

use anyhow::{Context, Result};

/// A processor architecture.
#[derive(Debug)]
pub(crate) struct Architecture {
    /// The name that the kernel and rustc use.
    pub(crate) name: &'static str,
    /// The name that container engines and Debian use.
    pub(crate) engine: &'static str,
}

pub(crate) const ARCHITECTURES: [Architecture; 2] = [
    Architecture {
        name: "x86_64",
        engine: "amd64",
    },
    Architecture {
        name: "aarch64",
        engine: "arm64",
    },
];

impl Architecture {
    /// The architecture of this machine.
    pub(crate) fn native() -> Result<&'static Self> {
        let native = ARCHITECTURES.iter().find(|architecture| architecture.is_native());
        native.context("agents are built for x86_64 and aarch64 only")
    }

    pub(crate) fn is_native(&self) -> bool {
        self.name == std::env::consts::ARCH
    }

    pub(crate) fn glibc(&self) -> String {
        format!("{}-unknown-linux-gnu", self.name)
    }

    pub(crate) fn musl(&self) -> String {
        format!("{}-unknown-linux-musl", self.name)
    }

    /// The name that Debian gives a program of GCC for this architecture, on machines of any architecture.
    pub(crate) fn gcc(&self, program: &str) -> String {
        format!("{}-linux-gnu-{program}", self.name)
    }
}
