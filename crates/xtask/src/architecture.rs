//! The processors that agents are built for, by the names that control, engines and compilers have for them.

use anyhow::{Context, Result};

#[derive(Debug)]
pub(crate) struct Architecture {
    /// As the kernel and rustc say.
    pub(crate) name: &'static str,
    /// As container engines and Debian say.
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
    /// This machine's own.
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

    /// One of GCC's programs for it, as Debian names them on every machine.
    pub(crate) fn gcc(&self, program: &str) -> String {
        format!("{}-linux-gnu-{program}", self.name)
    }
}
